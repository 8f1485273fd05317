#include "checker/run/runner.h"

#include "spec/advance.h"
#include "spec/ground.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace vmcheck::run {

namespace {

using spec::Invariant;

// How many pages all running processes' address spaces reach over, and how many more the step asks for.
std::uint64_t pages_spanned(spec::World const& world, spec::Step const& step) {
    std::uint64_t pages = 0;
    for (spec::ProcId id : world.running()) pages += world.find(id)->space->brk.page().value + 1;
    if (auto const* sbrk = std::get_if<spec::Sbrk>(&step.action))
        pages +=
            static_cast<std::uint64_t>(std::abs(static_cast<std::int64_t>(static_cast<std::int32_t>(sbrk->bytes)))) /
            kPageBytes;
    if (auto const* touch = std::get_if<spec::Touch>(&step.action)) pages += touch->pages;
    return pages;
}

class Runner {
  public:
    Runner(Execution& execution, Reference const& reference, RunOptions options, Tally& tally)
        : execution_(execution),
          reference_(reference),
          options_(options),
          tally_(tally),
          world_(spec::World::initial(reference.setting)) {}

    Run take(spec::Program const& program) {
        execution_.reset();
        ++tally_.programs;
        result_.program.profile = program.profile;
        result_.program.about = program.about;
        auto const& steps = program.steps;
        for (std::size_t i = 0; i < steps.size() && !done(); ++i) {
            if (i + 1 < steps.size() && steps[i + 1].faults.meanwhile &&
                !spec::why_not_together(world_, {steps[i], steps[i + 1]})) {
                overlap({steps[i], steps[i + 1]});
                ++i;
            } else if (spec::why_not(world_, steps[i])) {
                ++result_.left_out;
            } else {
                perform(on_its_own(steps[i]));
            }
        }
        if (options_.close) close();
        return std::move(result_);
    }

  private:
    bool done() const {
        return result_.divergence.has_value() || result_.engine_failed || result_.undecided || world_.over();
    }

    // As it is run and recorded: what does not overlap does not say that it does.
    spec::Step on_its_own(spec::Step step) {
        if (std::exchange(step.faults.meanwhile, false)) ++result_.parted;
        return step;
    }

    spec::StepIndex count(spec::Step const& step) {
        spec::StepIndex const at{static_cast<std::uint32_t>(result_.program.steps.size())};
        result_.program.steps.push_back(step);
        ++tally_.steps;
        ++tally_.kinds[step.action.index()];
        // The most so far: a zombie's pages are still to be freed, by the wait that reaps it.
        pages_ = std::max(pages_, pages_spanned(world_, step));
        return at;
    }

    void perform(spec::Step const& step) {
        spec::StepIndex const at = count(step);
        if (options_.watcher != nullptr) options_.watcher->before(at, execution_);
        spec::FrameCensus const before = execution_.census();
        spec::Outcome const outcome = execution_.run(spec::ground(world_, step), pages_);
        if (execution_.engine_failure()) {
            result_.engine_failed = true;
            return;
        }
        if (options_.watcher != nullptr) options_.watcher->after(at, execution_);
        if (options_.records)
            result_.records.push_back({step, spec::expectation(world_, step, spec::allocation_failed(outcome)),
                                       spec::describe(outcome, step)});
        count_judged(outcome);
        auto next = spec::advance(world_, step, outcome, before);
        if (!next) {
            diverge(at, step, {next.error()});
            if (auto const* panicked = std::get_if<spec::Panicked>(&outcome.what))
                result_.divergence->panic = panicked->message;
            return;
        }
        world_ = std::move(*next);
        if (world_.over()) return;
        spec::Observation const seen = execution_.observe();
        world_ = spec::settle(std::move(world_), seen);
        auto violations = spec::inspect(world_, seen, reference_.baseline, tally_.checks);
        if (!violations.empty()) diverge(at, step, std::move(violations));
    }

    void overlap(spec::Pair pair) {
        pair.first = on_its_own(std::move(pair.first));
        std::array<spec::StepIndex, 2> const at{count(pair.first), count(pair.second)};
        if (options_.watcher != nullptr)
            for (spec::StepIndex each : at) options_.watcher->before(each, execution_);
        spec::FrameCensus const before = execution_.census();
        Overlap const both =
            execution_.run_overlapping({spec::ground(world_, pair.first), spec::ground(world_, pair.second)}, pages_);
        if (execution_.engine_failure()) {
            result_.engine_failed = true;
            return;
        }
        if (options_.watcher != nullptr)
            for (spec::StepIndex each : at) options_.watcher->after(each, execution_);
        ++tally_.pairs;
        tally_.preempted += both.reached ? 1 : 0;
        count_judged(both.outcome.first);
        if (both.outcome.second) count_judged(*both.outcome.second);
        judge(pair, at, both.outcome, before);
    }

    void judge(spec::Pair const& pair, std::array<spec::StepIndex, 2> at, spec::PairOutcome const& outcome,
               spec::FrameCensus const& before) {
        bool const died = spec::is_mishap(outcome.first) || !outcome.second || spec::is_mishap(*outcome.second);
        std::optional<spec::Observation> const seen = died ? std::nullopt : std::optional(execution_.observe());
        spec::PairVerdict verdict = spec::judge(world_, pair, outcome, before, seen ? &*seen : nullptr);
        record(pair, outcome, verdict);
        if (verdict.undecided) return give_up();
        if (verdict.violation) {
            bool const seconds = verdict.violation_is_the_seconds;
            diverge(at[seconds ? 1 : 0], seconds ? pair.second : pair.first, {std::move(*verdict.violation)});
            for (spec::Outcome const* each : {&outcome.first, outcome.second ? &*outcome.second : nullptr})
                if (auto const* panicked = each != nullptr ? std::get_if<spec::Panicked>(&each->what) : nullptr)
                    result_.divergence->panic = panicked->message;
            return;
        }
        if (died || verdict.orders.front().after.over()) {
            world_ = std::move(verdict.orders.front().after);
            return;
        }
        take_an_order(std::move(verdict.orders), *seen, pair.first, at[0]);
    }

    // The machine has to be right for one of the orders that the outcomes allow.
    void take_an_order(std::vector<spec::Linearisation> orders, spec::Observation const& seen, spec::Step const& first,
                       spec::StepIndex at) {
        std::vector<spec::Violation> violations;
        std::optional<spec::World> right;
        spec::CheckTally checks;
        for (spec::Linearisation& order : orders) {
            spec::CheckTally counted;
            auto found = spec::inspect(order.after, seen, reference_.baseline, counted);
            if (!found.empty()) {
                if (violations.empty()) violations = std::move(found);
                checks = counted;
                continue;
            }
            if (right && *right != order.after) return give_up();
            right = std::move(order.after);
            checks = counted;
        }
        tally_.checks.add(checks);
        if (right)
            world_ = std::move(*right);
        else
            diverge(at, first, std::move(violations));
    }

    void record(spec::Pair const& pair, spec::PairOutcome const& outcome, spec::PairVerdict const& verdict) {
        if (!options_.records) return;
        bool const swapped = !verdict.orders.empty() && verdict.orders.front().second_comes_first;
        spec::World const& between = verdict.orders.empty() ? world_ : verdict.orders.front().between;
        result_.records.push_back(recorded(swapped ? between : world_, pair.first, &outcome.first));
        result_.records.push_back(
            recorded(swapped ? world_ : between, pair.second, outcome.second ? &*outcome.second : nullptr));
    }

    StepRecord recorded(spec::World const& world, spec::Step const& step, spec::Outcome const* outcome) const {
        StepRecord record{step, "", outcome == nullptr ? "not reached" : spec::describe(*outcome, step)};
        // What it does depends on the other step, which has not done what it should.
        record.expected = spec::why_not(world, step)
                              ? "it depends"
                              : spec::expectation(world, step, outcome != nullptr && spec::allocation_failed(*outcome));
        return record;
    }

    void give_up() {
        result_.undecided = true;
        ++tally_.undecided;
    }

    void count_judged(spec::Outcome const& outcome) {
        count_judged(Invariant::results);
        count_judged(Invariant::liveness);
        if (spec::allocation_failed(outcome)) count_judged(Invariant::containment);
    }

    void count_judged(Invariant invariant) { ++tally_.checks.evaluated[static_cast<std::size_t>(invariant)]; }

    void diverge(spec::StepIndex at, spec::Step const& step, std::vector<spec::Violation> violations) {
        Signature const signature{violations.front().invariant, step.action.index()};
        result_.divergence = Divergence{at, std::move(violations), signature};
    }

    // Asked one after the other, since each depends on the state that the one before has left.
    void close() {
        while (!done()) {
            std::vector<spec::ProcId> const running = world_.running();
            if (running.size() > 1) {
                perform({running.back(), spec::Exit{0}, {}});
            } else if (!world_.children(spec::kInit).empty()) {
                perform({spec::kInit, spec::Wait{}, {}});
            } else {
                break;
            }
        }
        if (done()) return;
        std::uint64_t const start = reference_.setting->layout.heap.value;
        std::uint64_t const brk = world_.find(spec::kInit)->space->brk.value;
        spec::Step const shrink{spec::kInit, spec::Sbrk{static_cast<std::int64_t>(start - brk)}, {}};
        // A heap that was shrunk below its start, or grown beyond what one sbrk can say, stays as it is.
        if (brk > start && brk - start < (std::uint64_t{1} << 31) && !spec::why_not(world_, shrink)) perform(shrink);
    }

    Execution& execution_;
    Reference const& reference_;
    RunOptions options_;
    Tally& tally_;
    spec::World world_;
    std::uint64_t pages_ = 0;
    Run result_;
};

}  // namespace

std::string to_string(Signature signature) {
    return fmt::format("{} {}", spec::short_name(signature.invariant), spec::kind_name(signature.kind));
}

void Tally::add(Tally const& other) {
    programs += other.programs;
    steps += other.steps;
    for (std::size_t i = 0; i < kinds.size(); ++i) kinds[i] += other.kinds[i];
    pairs += other.pairs;
    preempted += other.preempted;
    undecided += other.undecided;
    checks.add(other.checks);
}

FirstLook first_look(Execution& execution, std::shared_ptr<spec::Setting const> setting) {
    execution.reset();
    spec::World const world = spec::World::initial(setting);
    spec::Observation const seen = execution.observe();
    FirstLook look;
    look.reference = {std::move(setting), spec::take_baseline(world, seen)};
    spec::CheckTally tally;
    look.violations = spec::inspect(world, seen, look.reference.baseline, tally);
    return look;
}

Run run_program(Execution& execution, Reference const& reference, spec::Program const& program, RunOptions options,
                Tally& tally) {
    return Runner(execution, reference, options, tally).take(program);
}

}  // namespace vmcheck::run
