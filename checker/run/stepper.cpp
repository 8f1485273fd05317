#include "checker/run/stepper.h"

#include "checker/generate/generator.h"
#include "checker/run/records.h"
#include "checker/run/result.h"
#include "spec/advance.h"
#include "spec/advice.h"
#include "spec/layout.h"
#include "spec/walk.h"

#include <algorithm>
#include <cstdlib>

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

// After a copy that failed, on whatever byte, a page on its way may be shared still or not. One that may be mapped when
// its process forks, or not, is the child's as well, or not.
bool leaves_sharing_known(spec::World const& world, spec::Step const& step, spec::Outcome const& outcome) {
    if (std::holds_alternative<spec::Fork>(step.action))
        return std::ranges::none_of(world.find(step.actor)->space->pages, [](auto const& entry) {
            return entry.second.presence == spec::Presence::either && entry.second.rights.user;
        });
    if (spec::way_of(step.action) != spec::Way::copyout) return true;
    auto const* returned = std::get_if<spec::Returned>(&outcome.what);
    if (!returned || static_cast<std::int64_t>(returned->value) < 0) return false;
    auto const* file_read = std::get_if<spec::FileRead>(&step.action);
    auto const* pipe_read = std::get_if<spec::PipeRead>(&step.action);
    std::uint64_t const wanted = file_read ? file_read->bytes : pipe_read ? pipe_read->bytes : 0;
    return returned->value >= wanted;
}

// Whether the step met what its mode is there for. A kernel may turn a call away at a limit without asking for a frame.
bool reaches_what_it_is_for(Mode mode, spec::Outcome const& outcome, spec::Step const& step) {
    if (mode == Mode::preempt || mode == Mode::harts) return false;  // counted where steps overlap
    if (spec::allocation_failed(outcome)) return true;
    if (mode != Mode::limits) return false;
    if (std::holds_alternative<spec::Touch>(step.action)) return std::holds_alternative<spec::Ended>(outcome.what);
    bool const may_be_refused =
        std::holds_alternative<spec::Fork>(step.action) || std::holds_alternative<spec::Sbrk>(step.action);
    auto const* returned = std::get_if<spec::Returned>(&outcome.what);
    return may_be_refused && returned != nullptr && static_cast<std::int64_t>(returned->value) == -1;
}

// Whether memory was short, as far as that may change what a correct kernel does.
bool was_short(spec::World const& world, spec::Step const& step, spec::Outcome const& outcome,
               spec::FrameCensus const& before) {
    if (spec::allocation_failed(outcome)) return true;
    auto const answers = spec::allowed(world, step);
    return std::any_of(answers.begin(), answers.end(), [&](spec::Answer const& each) {
        return each.excuse && spec::is_excused(each, world, step, outcome, before);
    });
}

}  // namespace

FirstLook first_look(Execution& execution, std::shared_ptr<spec::Setting const> setting) {
    execution.reset();
    spec::Observation const seen = execution.observe();
    FirstLook look{{setting, spec::take_baseline(spec::World::initial(setting), seen)}};
    spec::CheckCounts counts;
    auto const wrong = [&] {
        return spec::inspect(spec::World::initial(look.reference.setting), seen, look.reference.baseline, counts);
    };
    look.violations = wrong();
    // Of many alike the first few are seen at a time.
    constexpr int kLooksMax = 16;
    auto rest = look.violations;
    for (int looks = 0; !rest.empty() && look.can_go_on; rest = wrong()) {
        auto changed = std::make_shared<spec::Setting>(*look.reference.setting);
        look.can_go_on = ++looks < kLooksMax && spec::put_up_with(*changed, rest);
        look.reference.setting = std::move(changed);
    }
    return look;
}

Stepper::Stepper(Execution& execution, Reference const& reference, RunOptions options, Counts& counts)
    : execution_(execution),
      reference_(reference),
      options_(options),
      counts_(counts),
      state_{.world = spec::World::initial(reference.setting), .baseline = reference.baseline} {}

// ---- a run's beginning and end

tl::expected<void, std::string> Stepper::bring_machine(spec::Program const& program) {
    std::uint32_t const harts = spec::harts_of(program);
    if (program.memory && harts > 1)
        return tl::unexpected(
            std::string("A program with `memory` runs on one hart: it cannot have `harts` or an `@h`."));
    if (program.memory) return execution_.reset_to(*program.memory);
    if (harts > 1) return execution_.reset_on(harts);
    execution_.reset();
    return {};
}

void Stepper::begin(spec::Program const& program) {
    Run& result = state_.result;
    result.program.memory = program.memory;
    result.program.harts = program.harts;
    if (auto brought = bring_machine(program); !brought) {
        result.cannot_start = brought.error();
        return;
    }
    if (program.memory || spec::harts_of(program) > 1) {
        // What is free there, not on the machine with one hart and no ballast.
        state_.world = spec::World::initial(spec::setting_for(reference_.setting, program));
        state_.baseline = spec::take_baseline(state_.world, execution_.observe());
    }
    ++counts_.of(options_.mode).programs;
    count_run();
    if (options_.mode == Mode::plain) ++counts_.programs;
    result.program.profile = program.profile;
    result.program.about = program.about;
}

bool Stepper::done() const {
    Run const& result = state_.result;
    return result.divergence.has_value() || result.engine_failed || result.undecided || result.unfinished ||
           result.cannot_start || state_.world.over();
}

std::optional<spec::Step> Stepper::steered(spec::Step step) {
    if (options_.steering == nullptr) return step;
    auto const verdict = options_.steering->judge(state_.world, step, counts_.steered);
    if (verdict == Steering::Verdict::leave_out) return std::nullopt;
    if (verdict == Steering::Verdict::ask_without_fault) step.faults.oom.reset();
    return step;
}

// ---- one step

void Stepper::perform(spec::Step step) {
    step = on_its_own(step);
    spec::StepIndex const at = enter(step);
    if (options_.watcher != nullptr) options_.watcher->before(at, execution_);
    auto const [outcome, before] = run(step);
    if (engine_failed()) return;
    if (options_.watcher != nullptr) options_.watcher->after(at, execution_);
    if (options_.records) state_.result.records.push_back(record_of(state_.world, step, &outcome));
    if (leaves_unfinished(step, outcome)) return;
    allocation_failed_ = spec::allocation_failed(outcome);
    count_judged(outcome);
    if (reaches_what_it_is_for(options_.mode, outcome, step)) ++counts_.of(options_.mode).reached;
    auto const met_in = [&, &outcome = outcome, &before = before](spec::World const& world) {
        spec::Circumstances met = spec::circumstances_of(world, step);
        met.refused = was_short(world, step, outcome, before);
        return met;
    };
    auto next = spec::advance(state_.world, step, outcome, before);
    if (!next) {
        diverge(at, step, {next.error()}, met_in(state_.world));
        note_panic(outcome);
        if (!spec::is_mishap(outcome)) look_behind({state_.world, step, outcome, before});
        return;
    }
    if (state_.sharing_known)
        if (auto advice = spec::advice_on(state_.world, step, outcome)) {
            Signature const signature{advice->invariant, step.action.index()};
            pass({.at = at, .violations = {std::move(*advice)}, .signature = signature, .advice = true});
        }
    if (!leaves_sharing_known(state_.world, step, outcome)) state_.sharing_known = false;
    spec::World const before_it = std::exchange(state_.world, std::move(*next));
    if (done()) return;
    spec::Observation const seen = execution_.observe();
    state_.world = spec::settle(std::move(state_.world), seen);
    auto violations = spec::inspect(state_.world, seen, state_.baseline, counts_.checks);
    if (violations.empty()) {
        if (state_.baseline) state_.baseline = spec::without_found(*state_.baseline, state_.world, seen);
        return;
    }
    spec::explain_breaks(before_it, step, violations);
    auto adopted = options_.go_on ? spec::adopt_state({before_it, step, outcome, before}, state_.world, violations,
                                                      seen, state_.baseline)
                                  : std::nullopt;
    diverge(at, step, std::move(violations), met_in(before_it));
    go_on_from(std::move(adopted));
}

// What memory has to say of a wrong answer.
void Stepper::look_behind(spec::Taken const& taken) {
    spec::Observation const seen = execution_.observe();
    auto const junk = spec::junk_read(taken, seen);
    auto& violations = state_.result.divergence->violations;
    violations.insert(violations.begin(), junk.begin(), junk.end());
    state_.result.divergence->signature.invariant = violations.front().invariant;
    if (!options_.go_on) return;
    go_on_from(junk.empty() ? spec::adopt_answer(taken, seen, state_.baseline)
                            : spec::adopt_state(taken, state_.world, junk, seen, state_.baseline));
}

// As it is run and recorded: what does not overlap does not say that it does.
spec::Step Stepper::on_its_own(spec::Step step) {
    if (std::exchange(step.faults.meanwhile, false)) ++state_.result.serialised;
    return step;
}

// Into the program as it is run.
spec::StepIndex Stepper::enter(spec::Step const& step) {
    auto& steps = state_.result.program.steps;
    spec::StepIndex const at{static_cast<std::uint32_t>(steps.size())};
    steps.push_back(step);
    ++counts_.steps;
    ++counts_.kinds[step.action.index()];
    // The most so far: a zombie's pages are still to be freed, by the wait that reaps it.
    state_.pages = std::max(state_.pages, pages_spanned(state_.world, step));
    return at;
}

StepResult Stepper::run(spec::Step const& step) {
    spec::Step const grounded = spec::ground(state_.world, step);
    if (options_.interruptions == nullptr) return execution_.run(grounded, state_.pages);
    WatchedStep watched = execution_.run_watched(grounded, state_.pages);
    auto& known = options_.interruptions->by_kind[step.action.index()];
    known.insert(known.end(), watched.interruptions.begin(), watched.interruptions.end());
    return std::move(watched.result);
}

bool Stepper::engine_failed() {
    if (execution_.engine_failure()) state_.result.engine_failed = true;
    return state_.result.engine_failed;
}

// ---- two that overlap

void Stepper::overlap(spec::Pair pair) {
    pair.first = on_its_own(pair.first);
    std::array<spec::StepIndex, 2> const at{enter(pair.first), enter(pair.second)};
    if (options_.watcher != nullptr)
        for (spec::StepIndex each : at) options_.watcher->before(each, execution_);
    Overlap const both = execution_.run_overlapping(
        {spec::ground(state_.world, pair.first), spec::ground(state_.world, pair.second)}, state_.pages);
    if (engine_failed()) return;
    if (options_.watcher != nullptr)
        for (spec::StepIndex each : at) options_.watcher->after(each, execution_);
    if (both.outcome.second && leaves_unfinished(pair.second, *both.outcome.second)) return;
    if (leaves_unfinished(pair.first, both.outcome.first)) return;
    ++counts_.pairs;
    state_.sharing_known = false;
    if (both.reached) {
        ++counts_.preempted;
        if (options_.mode == Mode::preempt || options_.mode == Mode::harts) ++counts_.of(options_.mode).reached;
    }
    count_judged(both.outcome.first);
    if (both.outcome.second) count_judged(*both.outcome.second);
    judge(pair, at, both.outcome, both.before);
}

void Stepper::judge(spec::Pair const& pair, std::array<spec::StepIndex, 2> at, spec::PairOutcome const& outcome,
                    spec::FrameCensus const& before) {
    bool const died = spec::is_mishap(outcome.first) || !outcome.second || spec::is_mishap(*outcome.second);
    std::optional<spec::Observation> const seen = died ? std::nullopt : std::optional(execution_.observe());
    spec::PairVerdict verdict = spec::judge(state_.world, pair, outcome, before, seen ? &*seen : nullptr);
    if (options_.records)
        for (StepRecord& record : records_of(state_.world, pair, outcome, verdict))
            state_.result.records.push_back(std::move(record));
    if (verdict.undecided) return give_up();
    bool const refused =
        spec::allocation_failed(outcome.first) || (outcome.second && spec::allocation_failed(*outcome.second));
    auto const met_by = [&](spec::Step const& step) {
        spec::Circumstances met = spec::circumstances_of(state_.world, step);
        met.refused = refused;
        met.overlapped = true;
        return met;
    };
    if (verdict.violation) {
        spec::Step const& failed = verdict.violation_is_the_seconds ? pair.second : pair.first;
        diverge(at[verdict.violation_is_the_seconds ? 1 : 0], failed, {std::move(*verdict.violation)}, met_by(failed));
        note_panic(outcome.first);
        if (outcome.second) note_panic(*outcome.second);
        return;
    }
    if (died || verdict.orders.front().after.over()) {
        state_.world = std::move(verdict.orders.front().after);
        return;
    }
    AgreeingOrder agreed = agreeing_order(std::move(verdict.orders), *seen, state_.baseline);
    if (agreed.ambiguous) return give_up();
    counts_.checks.add(agreed.checks);
    if (agreed.world)
        state_.world = std::move(*agreed.world);
    else {
        for (spec::Step const& each : {pair.first, pair.second})
            spec::explain_breaks(state_.world, each, agreed.violations);
        diverge(at[0], pair.first, std::move(agreed.violations), met_by(pair.first));
    }
}

// ---- what is noted of it

void Stepper::give_up() {
    state_.result.undecided = true;
    ++counts_.undecided;
}

bool Stepper::leaves_unfinished(spec::Step const& step, spec::Outcome const& outcome) {
    if (!std::holds_alternative<spec::Unfinished>(outcome.what)) return false;
    state_.result.unfinished = true;
    ++counts_.unfinished[step.action.index()];
    return true;
}

void Stepper::count_judged(spec::Outcome const& outcome) {
    count_judged(Invariant::results);
    count_judged(Invariant::liveness);
    if (spec::allocation_failed(outcome)) count_judged(Invariant::containment);
}

void Stepper::count_judged(Invariant invariant) {
    ++counts_.checks.evaluated[static_cast<std::size_t>(invariant)];
}

void Stepper::diverge(spec::StepIndex at, spec::Step const& step, std::vector<spec::Violation> violations,
                      spec::Circumstances const& met) {
    Signature const signature{violations.front().invariant, step.action.index()};
    state_.result.divergence = Divergence{at, std::move(violations), signature, met};
}

void Stepper::note_panic(spec::Outcome const& outcome) {
    if (auto const* panicked = std::get_if<spec::Panicked>(&outcome.what))
        state_.result.divergence->died = panicked->stack;
}

void Stepper::go_on_from(std::optional<spec::Adopted> adopted) {
    if (!adopted) return;
    state_.world = std::move(adopted->world);
    state_.baseline = adopted->baseline;
    pass(*std::exchange(state_.result.divergence, std::nullopt));
}

void Stepper::pass(Divergence divergence) {
    auto const family = [&](Divergence const& each) {
        return family_of(each, state_.result.program.steps.at(each.at.value));
    };
    auto& passed = state_.result.passed;
    divergence.settled = true;
    if (std::none_of(passed.begin(), passed.end(),
                     [&](auto const& each) { return family(each) == family(divergence); }))
        passed.push_back(std::move(divergence));
}

// ---- there and back

Stepper::Bookmark Stepper::save() {
    return {state_, execution_.save()};
}

void Stepper::rewind(Bookmark const& to) {
    execution_.restore(*to.moment);
    state_ = to.state;
}

WatchedStep Stepper::watch(spec::Step step, Bookmark const& here) {
    step.faults.meanwhile = false;
    step.faults.switch_hart.reset();
    auto const pages = std::max(state_.pages, pages_spanned(state_.world, step));
    WatchedStep watched = execution_.run_watched(spec::ground(state_.world, step), pages);
    rewind(here);
    return watched;
}

// ---- two orders

AgreeingOrder agreeing_order(std::vector<spec::Linearisation> orders, spec::Observation const& seen,
                             std::optional<spec::Baseline> const& baseline) {
    AgreeingOrder agreed;
    for (spec::Linearisation& order : orders) {
        spec::CheckCounts counted;
        auto found = spec::inspect(order.after, seen, baseline, counted);
        if (found.empty()) {
            if (agreed.world && *agreed.world != order.after) return {.ambiguous = true};
            agreed.world = std::move(order.after);
        } else if (agreed.violations.empty()) {
            agreed.violations = std::move(found);
        }
        agreed.checks = counted;
    }
    return agreed;
}

}  // namespace vmcheck::run
