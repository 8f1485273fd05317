#include "checker/run/runner.h"

#include "checker/run/family.h"
#include "spec/advance.h"
#include "spec/advice.h"
#include "spec/ground.h"
#include "spec/scarcity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>

namespace vmcheck::run {

namespace {

using spec::Invariant;

// How many pages all running processes' address spaces reach over, and how many more the step asks for: a measure of
// the time that a step may take. Those that can have a frame count several times.
std::uint64_t pages_spanned(spec::World const& world, spec::Step const& step) {
    std::uint64_t pages = 0;
    for (spec::ProcId id : world.running()) pages += world.find(id)->space->brk.page().value + 1;
    if (auto const* sbrk = std::get_if<spec::Sbrk>(&step.action))
        pages +=
            static_cast<std::uint64_t>(std::abs(static_cast<std::int64_t>(static_cast<std::int32_t>(sbrk->bytes)))) /
            kPageBytes;
    if (auto const* touch = std::get_if<spec::Touch>(&step.action)) pages += touch->pages;
    // To give a page a frame, or to copy it, takes a kernel ten times as long as to walk over it.
    constexpr std::uint64_t kFramesCost = 3;
    return pages + kFramesCost * std::min(pages, world.setting().traits.frames_total);
}

// At most so many of them, evenly spaced.
std::vector<std::uint32_t> thinned(std::vector<std::uint32_t> all, std::size_t most) {
    if (all.size() <= most) return all;
    std::vector<std::uint32_t> some;
    for (std::size_t i = 0; i < most; ++i) some.push_back(all[i * all.size() / most]);
    return some;
}

class Runner {
  public:
    Runner(Execution& execution, Reference const& reference, RunOptions options, Tally& tally)
        : execution_(execution),
          reference_(reference),
          options_(options),
          tally_(tally),
          baseline_(reference.baseline),
          world_(spec::World::initial(reference.setting)) {}

    Run take(spec::Program const& program) {
        begin(program);
        attempt(program.steps);
        if (options_.close) close();
        if (options_.twice && !done()) {
            ++tally_.second_runs;
            attempt(renamed(program.steps));
            close();
        }
        return std::move(result_);
    }

    // Calls `failed` with each run that ended with a divergence.
    template <class Failed>
    void sweep(spec::Program const& program, Failed const& failed) {
        begin(program);
        for (std::size_t i = 0; i < program.steps.size() && !done(); ++i) {
            spec::Step const& step = program.steps[i];
            if (spec::why_not(world_, step)) {
                ++result_.left_out;
                continue;
            }
            State const before{world_, pages_, result_, sharing_known_};
            auto const moment = execution_.save();
            for (std::uint32_t oom = 1;; oom += oom < kEveryAllocationUpTo ? 1 : oom / 4) {
                spec::Step faulty = step;
                faulty.faults.oom = oom;
                perform(faulty);
                bool const reached = !result_.engine_failed && was_reached_;
                if (reached) {
                    ++tally_.of(options_.mode).runs;
                    attempt(program.steps, i + 1);
                    close();
                }
                if (result_.divergence || result_.advice) failed(std::exchange(result_, {}));
                if (result_.engine_failed) return;
                rewind(before, *moment);
                if (!reached) break;
            }
            perform(step);
        }
        close();
        if (result_.divergence || result_.advice) failed(std::move(result_));
    }

    // The same for the places where a step that overlaps with the next can be interrupted.
    template <class Failed>
    void sweep_overlaps(spec::Program const& program, Failed const& failed) {
        begin(program);
        auto const& steps = program.steps;
        for (std::size_t i = 0; i < steps.size() && !done();) {
            if (!overlaps(steps, i)) {
                attempt_at(steps, i);
                continue;
            }
            State const before{world_, pages_, result_, sharing_known_};
            auto const moment = execution_.save();
            for (std::uint32_t const after : places_in(steps[i])) {
                rewind(before, *moment);
                std::vector<spec::Step> rest(steps.begin() + static_cast<std::ptrdiff_t>(i), steps.end());
                rest.front().faults.preempt = after;
                ++tally_.of(options_.mode).runs;
                attempt(rest);
                close();
                if (result_.divergence) failed(std::exchange(result_, {}));
                if (result_.engine_failed) return;
            }
            rewind(before, *moment);
            attempt_at(steps, i);
        }
        close();
        if (result_.divergence) failed(std::move(result_));
    }

    // The same for switches to another hart. What follows the two steps is run once only. Returns why there is no
    // machine with two harts, where there is none.
    template <class Failed>
    std::optional<std::string> sweep_switches(spec::Program const& program, Failed const& failed) {
        // In some, no two steps overlap; on one hart these tell nothing new.
        if (!spec::needs_two_harts(program)) return std::nullopt;
        begin(program);
        if (result_.cannot_start) return result_.cannot_start;
        auto const& steps = program.steps;
        for (std::size_t i = 0; i < steps.size() && !done();) {
            if (!overlaps(steps, i) || !steps[i].faults.switch_hart) {
                attempt_at(steps, i);
                continue;
            }
            State const before{world_, pages_, result_, sharing_known_};
            auto const moment = execution_.save();
            for (std::uint32_t const after : switches_in(steps[i])) {
                rewind(before, *moment);
                spec::Pair pair{steps[i], steps[i + 1]};
                pair.first.faults.switch_hart = after;
                ++tally_.of(options_.mode).runs;
                overlap(std::move(pair));
                if (result_.divergence) failed(std::exchange(result_, {}));
                if (result_.engine_failed) return std::nullopt;
            }
            rewind(before, *moment);
            attempt_at(steps, i);
        }
        close();
        if (result_.divergence) failed(std::move(result_));
        return std::nullopt;
    }

  private:
    // Steps with more allocations than this are sampled beyond it.
    static constexpr std::uint32_t kEveryAllocationUpTo = 16;

    struct State {
        spec::World world;
        std::uint64_t pages = 0;
        Run result;
        bool sharing_known = true;
    };

    tl::expected<void, std::string> bring_machine(spec::Program const& program) {
        if (program.memory && spec::needs_two_harts(program))
            return tl::unexpected(std::string("A program with `memory` runs on one hart: it cannot have an `@h`."));
        if (program.memory) return execution_.reset_to(*program.memory);
        if (spec::needs_two_harts(program)) return execution_.reset_on_two_harts();
        execution_.reset();
        return {};
    }

    void begin(spec::Program const& program) {
        result_.program.memory = program.memory;
        if (auto brought = bring_machine(program); !brought) {
            result_.cannot_start = brought.error();
            return;
        }
        if (program.memory || spec::needs_two_harts(program)) {
            // What is free there, not on the machine with one hart and no hogs.
            world_ = spec::World::initial(spec::setting_for(reference_.setting, program));
            baseline_ = spec::take_baseline(world_, execution_.observe());
        }
        ModeTally& mode = tally_.of(options_.mode);
        ++mode.programs;
        ++mode.runs;
        if (options_.mode == Mode::plain) ++tally_.programs;
        result_.program.profile = program.profile;
        result_.program.about = program.about;
    }

    bool done() const {
        return result_.divergence.has_value() || result_.engine_failed || result_.undecided || result_.cannot_start ||
               world_.over();
    }

    void attempt(std::vector<spec::Step> const& steps, std::size_t from = 0) {
        for (std::size_t i = from; i < steps.size() && !done();) attempt_at(steps, i);
    }

    // Whether this step and the next one do, in the state reached.
    bool overlaps(std::vector<spec::Step> const& steps, std::size_t i) const {
        return i + 1 < steps.size() && steps[i + 1].faults.meanwhile &&
               !spec::why_not_together(world_, {steps[i], steps[i + 1]});
    }

    // One step, or two that overlap; `i` goes on behind it.
    void attempt_at(std::vector<spec::Step> const& steps, std::size_t& i) {
        if (overlaps(steps, i)) {
            overlap({steps[i], steps[i + 1]});
            ++i;
        } else if (spec::why_not(world_, steps[i])) {
            ++result_.left_out;
        } else {
            perform(on_its_own(steps[i]));
        }
        ++i;
    }

    void rewind(State const& state, Moment const& moment) {
        execution_.restore(moment);
        world_ = state.world;
        pages_ = state.pages;
        result_ = state.result;
        sharing_known_ = state.sharing_known;
    }

    // Does the step on the machine alone: REQUIRES a rewind() afterwards.
    std::vector<std::uint32_t> places_in(spec::Step const& step) {
        constexpr std::size_t kPlacesMax = 64;
        if (spec::why_not(world_, step)) return {};  // it sleeps: nobody knows how it goes on
        auto const pages = std::max(pages_, pages_spanned(world_, step));
        return thinned(execution_.run_watched(spec::ground(world_, on_its_own(step)), pages).interruptions, kPlacesMax);
    }

    // The same, for another hart's turn: more of them early on, where a system call tests and claims, than in the loops
    // over pages that follow.
    std::vector<std::uint32_t> switches_in(spec::Step const& step) {
        constexpr std::uint32_t kEarly = 128, kSwitchesMax = 12;
        std::uint32_t const blocks = blocks_of(step);
        std::uint32_t const middle = std::min(blocks, kEarly);
        std::vector<std::uint32_t> all;
        // Evenly spaced, and, since the first of them varies with the program, at any block in some program.
        auto const spread = [&](std::uint32_t from, std::uint32_t to, std::uint32_t most) {
            std::uint32_t const stride = (to - from) / most + 1;
            for (std::uint32_t after = from + step.faults.switch_hart.value_or(0) % stride; after < to; after += stride)
                all.push_back(after);
        };
        spread(std::min(1U, middle), middle, blocks > middle ? kSwitchesMax / 2 : kSwitchesMax);
        if (blocks > middle) spread(middle, blocks, kSwitchesMax / 2);
        return all;
    }

    // Does the step on the machine alone: REQUIRES a rewind() afterwards.
    std::uint32_t blocks_of(spec::Step const& step) {
        constexpr std::uint32_t kUntilItSleeps = 300;
        if (spec::why_not(world_, step)) return kUntilItSleeps;
        spec::Step alone = on_its_own(step);
        alone.faults.switch_hart.reset();
        auto const pages = std::max(pages_, pages_spanned(world_, step));
        return execution_.run_watched(spec::ground(world_, alone), pages).blocks;
    }

    // The names of the first run's children are used up.
    static std::vector<spec::Step> renamed(std::vector<spec::Step> steps) {
        std::uint32_t highest = 0;
        for (spec::Step const& step : steps)
            if (auto const* fork = std::get_if<spec::Fork>(&step.action))
                highest = std::max(highest, fork->child.value);
        auto const rename = [&](spec::ProcId& id) {
            if (id != spec::kInit) id.value += highest;
        };
        for (spec::Step& step : steps) {
            rename(step.actor);
            if (auto* fork = std::get_if<spec::Fork>(&step.action)) rename(fork->child);
            if (auto* kill = std::get_if<spec::Kill>(&step.action)) rename(kill->target);
        }
        return steps;
    }

    spec::Outcome run(spec::Step const& step) {
        spec::Step const grounded = spec::ground(world_, step);
        if (options_.interruptions == nullptr) return execution_.run(grounded, pages_);
        WatchedOutcome watched = execution_.run_watched(grounded, pages_);
        auto& known = options_.interruptions->by_kind[step.action.index()];
        known.insert(known.end(), watched.interruptions.begin(), watched.interruptions.end());
        return std::move(watched.outcome);
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
        spec::Outcome const outcome = run(step);
        if (execution_.engine_failure()) {
            result_.engine_failed = true;
            return;
        }
        if (options_.watcher != nullptr) options_.watcher->after(at, execution_);
        if (options_.records)
            result_.records.push_back({step, spec::expectation(world_, step, spec::allocation_failed(outcome)),
                                       spec::describe(outcome, step)});
        was_reached_ = false;
        count_judged(outcome);
        if (was_reached_ && options_.mode != Mode::preempt && options_.mode != Mode::harts)
            ++tally_.of(options_.mode).reached;
        auto next = spec::advance(world_, step, outcome, before);
        if (!next) {
            diverge(at, step, {next.error()});
            if (auto const* panicked = std::get_if<spec::Panicked>(&outcome.what))
                result_.divergence->panic = panicked->message;
            return;
        }
        if (sharing_known_)
            if (auto advice = spec::advice_on(world_, step, outcome)) advise(at, step, std::move(*advice));
        // After a copy that failed, on whatever byte, a page on its way may be shared still or not.
        auto const* returned = std::get_if<spec::Returned>(&outcome.what);
        bool const copies = way_of(step.action) == Way::copyout;
        auto const* fileread = std::get_if<spec::FileRead>(&step.action);
        auto const* piperead = std::get_if<spec::PipeRead>(&step.action);
        std::uint64_t const wanted = fileread ? fileread->bytes : piperead ? piperead->bytes : 0;
        if (copies && (!returned || static_cast<std::int64_t>(returned->value) < 0 || returned->value < wanted))
            sharing_known_ = false;
        world_ = std::move(*next);
        if (done()) return;
        spec::Observation const seen = execution_.observe();
        world_ = spec::settle(std::move(world_), seen);
        auto violations = spec::inspect(world_, seen, baseline_, tally_.checks);
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
        sharing_known_ = false;
        tally_.preempted += both.reached ? 1 : 0;
        if ((options_.mode == Mode::preempt || options_.mode == Mode::harts) && both.reached)
            ++tally_.of(options_.mode).reached;
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
            auto found = spec::inspect(order.after, seen, baseline_, counted);
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
        if (!spec::allocation_failed(outcome)) return;
        count_judged(Invariant::containment);
        was_reached_ = true;
    }

    void count_judged(Invariant invariant) { ++tally_.checks.evaluated[static_cast<std::size_t>(invariant)]; }

    void diverge(spec::StepIndex at, spec::Step const& step, std::vector<spec::Violation> violations) {
        Signature const signature{violations.front().invariant, step.action.index()};
        result_.divergence = Divergence{at, std::move(violations), signature};
    }

    void advise(spec::StepIndex at, spec::Step const& step, spec::Violation advice) {
        auto& where = options_.stop_at_advice ? result_.divergence : result_.advice;
        if (where) return;
        Signature const signature{advice.invariant, step.action.index()};
        where = Divergence{at, {std::move(advice)}, signature, {}, true};
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
    std::optional<spec::Baseline> baseline_;
    spec::World world_;
    std::uint64_t pages_ = 0;
    bool sharing_known_ = true;  // no copy to user memory has failed so far
    bool was_reached_ = false;   // in the latest step, an allocation failed
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
    for (std::size_t i = 0; i < modes.size(); ++i) {
        modes[i].programs += other.modes[i].programs;
        modes[i].runs += other.modes[i].runs;
        modes[i].reached += other.modes[i].reached;
    }
    second_runs += other.second_runs;
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

namespace {

// Of each family the shortest.
class Shortest {
  public:
    void add(Run run) {
        for (Run& each : endings(std::move(run))) {
            auto const [at, fresh] = by_family_.try_emplace(family_of(each));
            if (fresh || each.program.steps.size() < at->second.program.steps.size()) at->second = std::move(each);
        }
    }
    std::vector<Run> take() {
        std::vector<Run> runs;
        for (auto& [family, run] : by_family_) runs.push_back(std::move(run));
        return runs;
    }

  private:
    std::map<Family, Run> by_family_;
};

}  // namespace

std::vector<Run> sweep_allocations(Execution& execution, Reference const& reference, spec::Program const& program,
                                   Tally& tally) {
    Shortest shortest;
    Runner(execution, reference, RunOptions{.mode = Mode::sweep}, tally).sweep(program, [&](Run run) {
        shortest.add(std::move(run));
    });
    return shortest.take();
}

std::vector<Run> sweep_interruptions(Execution& execution, Reference const& reference, spec::Program const& program,
                                     Tally& tally) {
    Shortest shortest;
    Runner(execution, reference, RunOptions{.mode = Mode::preempt}, tally).sweep_overlaps(program, [&](Run run) {
        shortest.add(std::move(run));
    });
    return shortest.take();
}

SwitchSweep sweep_switches(Execution& execution, Reference const& reference, spec::Program const& program,
                           Tally& tally) {
    Shortest shortest;
    Runner runner(execution, reference, RunOptions{.mode = Mode::harts}, tally);
    SwitchSweep sweep;
    sweep.cannot_start = runner.sweep_switches(program, [&](Run run) { shortest.add(std::move(run)); });
    sweep.failures = shortest.take();
    return sweep;
}

generate::Interruptions measure_interruptions(Execution& execution, Reference const& reference) {
    constexpr std::uint64_t kPrograms = 32;
    constexpr std::size_t kPlacesMax = 256;
    generate::Interruptions all;
    auto const programs = generate::programs(reference.setting, {.steps_max = 14, .allocation_faults = false});
    Tally uncounted;
    for (std::uint64_t i = 0; i < kPrograms; ++i)
        run_program(execution, reference, generate::program_of_case(programs, 0, i),
                    RunOptions{.close = false, .interruptions = &all}, uncounted);
    for (auto& places : all.by_kind) {
        std::sort(places.begin(), places.end());
        places.erase(std::unique(places.begin(), places.end()), places.end());
        places = thinned(std::move(places), kPlacesMax);
    }
    return all;
}

std::vector<Run> endings(Run run) {
    std::vector<Run> all;
    if (run.advice) {
        Run advised;
        advised.program = run.program;
        advised.program.steps.resize(run.advice->at.value + 1);
        advised.divergence = std::exchange(run.advice, std::nullopt);
        all.push_back(std::move(advised));
    }
    if (run.divergence) all.push_back(std::move(run));
    return all;
}

Run run_program(Execution& execution, Reference const& reference, spec::Program const& program, RunOptions options,
                Tally& tally) {
    return Runner(execution, reference, options, tally).take(program);
}

}  // namespace vmcheck::run
