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
        for (spec::Step const& step : program.steps) {
            if (done()) break;
            if (spec::why_not(world_, step))
                ++result_.left_out;
            else
                perform(step);
        }
        if (options_.close) close();
        return std::move(result_);
    }

  private:
    bool done() const { return result_.divergence.has_value() || result_.engine_failed || world_.over(); }

    void perform(spec::Step const& step) {
        spec::StepIndex const at{static_cast<std::uint32_t>(result_.program.steps.size())};
        result_.program.steps.push_back(step);
        ++tally_.steps;
        ++tally_.kinds[step.action.index()];
        // The most so far: a zombie's pages are still to be freed, by the wait that reaps it.
        pages_ = std::max(pages_, pages_spanned(world_, step));
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
        count_judged(Invariant::results);
        count_judged(Invariant::liveness);
        if (spec::allocation_failed(outcome)) count_judged(Invariant::containment);
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
    for (std::size_t i = 0; i < checks.evaluated.size(); ++i) {
        checks.evaluated[i] += other.checks.evaluated[i];
        checks.skipped[i] += other.checks.skipped[i];
    }
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
