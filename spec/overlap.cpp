#include "spec/overlap.h"

#include "spec/advance.h"
#include "spec/rules/memory_need.h"
#include "spec/rules/rules.h"
#include "spec/rules/sbrk_rules.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <variant>

namespace vmcheck::spec {

namespace {

using WhyNot = std::optional<std::string>;

template <class Kind>
bool is(Step const& step) {
    return std::holds_alternative<Kind>(step.action);
}

std::optional<ProcId> killed_by(Step const& step) {
    auto const* kill = std::get_if<Kill>(&step.action);
    return kill != nullptr ? std::optional{kill->target} : std::nullopt;
}

// Whether the second step is to kill the first's process in its sleep. On one hart a process cannot be killed between
// its last look whether it was and its sleep; on two it can, and xv6 lets it sleep on then (kill() in proc.c).
bool kills_a_sleeper(World const& world, Pair const& pair) {
    return killed_by(pair.second) == pair.first.actor && pair.second.actor != pair.first.actor &&
           would_sleep(world, pair.first) && !pair.first.faults.switch_hart && !pair.second.faults.switch_hart;
}

WhyNot at_odds(World const& world, Step const& one, Step const& other) {
    if (killed_by(one) == other.actor) return fmt::format("p{} may be killed half-way", other.actor.value);
    if (is<Exec>(one) && (is<Exec>(other) || is<Fork>(other)))
        return "of two new address spaces, nobody could say whose is whose";
    bool const both_pipe = (is<PipeRead>(one) || is<PipeWrite>(one)) && (is<PipeRead>(other) || is<PipeWrite>(other));
    bool const reader_sleeps = (is<PipeRead>(one) && is<PipeWrite>(other) && would_sleep(world, one)) ||
                               (is<PipeRead>(other) && is<PipeWrite>(one) && would_sleep(world, other));
    if (both_pipe && !reader_sleeps) return "what two copies at a time leave in a pipe is the kernel's affair";
    return {};
}

bool has_several_parts(Step const& step) {
    auto const* touch = std::get_if<Touch>(&step.action);
    return (touch != nullptr && touch->pages > 1) || is<FileRead>(step) || is<Pipe>(step) || is<Open>(step);
}

// Whether the two can be done in this order. Nothing is said of a step that sleeps first: it is done after the other.
WhyNot why_not_in_order(World const& world, Step const& earlier, Step const& later) {
    if (auto reason = why_not_even_asleep(world, earlier)) return reason;
    if (would_sleep(world, earlier)) return {};
    auto const prediction = predict(world, earlier);
    if (!prediction) return "nobody can say what comes of it";
    return why_not(prediction->after, later);
}

// An upper bound of the frames that the step may hold at any moment, given back or not.
std::uint64_t frames_at_most(World const& world, Step const& step) {
    std::uint64_t frames = frames_needed(world, step);
    if (auto const* sbrk = std::get_if<Sbrk>(&step.action))
        for (SbrkVariant const& variant : sbrk_variants(world, step.actor, *sbrk))
            frames = std::max(frames, variant.frames_needed);
    return frames;
}

class Judge {
  public:
    Judge(World const& world, Pair const& pair, PairOutcome outcome, FrameCensus const& before, Observation const* seen)
        : world_(world), pair_(pair), outcome_(std::move(outcome)), before_(before), seen_(seen) {
        share_want_of_memory();
    }

    PairVerdict verdict() {
        if (is_mishap(outcome_.first)) return after_mishap(outcome_.first);
        if (is_mishap(*outcome_.second)) return after_mishap(*outcome_.second);
        if (kills_a_sleeper(world_, pair_)) return after_kill_of_sleeper();
        try_order(false);
        try_order(true);
        verdict_.undecided = verdict_.orders.empty() && (verdict_.undecided || both_may_sleep() || !verdict_.violation);
        if (!verdict_.orders.empty() || verdict_.undecided) verdict_.violation.reset();
        return std::move(verdict_);
    }

  private:
    // Either step may have found the memory that the other held: both are excused where one would be.
    void share_want_of_memory() {
        if (!outcome_.second) return;
        Outcome& first = outcome_.first;
        Outcome& second = *outcome_.second;
        std::uint64_t const needed = frames_at_most(world_, pair_.first) + frames_at_most(world_, pair_.second);
        bool const dry = first.allocator_dry || second.allocator_dry ||
                         memory_was_short(world_, first, before_, needed) ||
                         memory_was_short(world_, second, before_, needed);
        first.allocator_dry = second.allocator_dry = dry;
        first.allocations_failed = second.allocations_failed =
            std::max(first.allocations_failed, second.allocations_failed);
    }

    // The machine died, and whose fault that was cannot be told: it is allowed where it is allowed for either.
    PairVerdict after_mishap(Outcome const& mishap) {
        for (Step const& step : {pair_.first, pair_.second}) {
            if (would_sleep(world_, step)) continue;
            auto after = advance(world_, step, mishap, before_);
            if (after)
                verdict_.orders.push_back({false, world_, std::move(*after)});
            else if (!verdict_.violation)
                verdict_.violation = std::move(after.error());
        }
        if (!verdict_.orders.empty()) verdict_.violation.reset();
        return std::move(verdict_);
    }

    // It has done nothing yet, so it ends as it would have before its step.
    PairVerdict after_kill_of_sleeper() {
        if (!std::holds_alternative<Ended>(outcome_.first.what)) {
            bool const sleeps_on = std::holds_alternative<Blocked>(outcome_.first.what);
            refuse({.invariant = sleeps_on ? Invariant::liveness : Invariant::results,
                    .process = pair_.first.actor,
                    .facts = WrongAnswer{.mistake = sleeps_on ? Mistake::sleeper_sleeps_on_after_kill
                                                              : Mistake::sleeper_survived_kill,
                                         .step = pair_.first,
                                         .allowed = {Ends{}},
                                         .seen = outcome_.first}},
                   false);
            return std::move(verdict_);
        }
        Outcome kill = *outcome_.second;
        kill.ended_others.push_back(pair_.first.actor);
        auto after = advance(world_, pair_.second, kill, before_);
        if (after)
            verdict_.orders.push_back({true, world_, settle(std::move(*after), *seen_)});
        else
            refuse(std::move(after.error()), true);
        return std::move(verdict_);
    }

    void try_order(bool second_comes_first) {
        Step const& earlier = second_comes_first ? pair_.second : pair_.first;
        Step const& later = second_comes_first ? pair_.first : pair_.second;
        Outcome const& outcome_of_earlier = second_comes_first ? *outcome_.second : outcome_.first;
        Outcome const& outcome_of_later = second_comes_first ? outcome_.first : *outcome_.second;
        if (why_not(world_, earlier)) return;
        auto between = advance(world_, earlier, outcome_of_earlier, before_);
        if (!between) return refuse(std::move(between.error()), second_comes_first);
        World const settled = settle(std::move(*between), *seen_);
        if (std::holds_alternative<Blocked>(outcome_of_later.what) && !why_not_even_asleep(settled, later) &&
            would_sleep(settled, later)) {
            verdict_.undecided = true;
            return;
        }
        // What came of the earlier step may have made the later one senseless: then this is not what happened.
        if (why_not(settled, later)) return;
        auto after = advance(settled, later, outcome_of_later, before_);
        if (!after) return refuse(std::move(after.error()), !second_comes_first);
        verdict_.orders.push_back({second_comes_first, settled, settle(std::move(*after), *seen_)});
    }

    // The order in which they began is what a reader expects: its violation is the one to tell.
    void refuse(Violation violation, bool of_the_second) {
        if (verdict_.violation) return;
        verdict_.violation = std::move(violation);
        verdict_.violation_is_the_seconds = of_the_second;
    }

    bool both_may_sleep() const {
        return std::holds_alternative<Blocked>(outcome_.first.what) &&
               std::holds_alternative<Blocked>(outcome_.second->what) && would_sleep(world_, pair_.first) &&
               would_sleep(world_, pair_.second);
    }

    World const& world_;
    Pair const& pair_;
    PairOutcome outcome_;
    FrameCensus const& before_;
    Observation const* seen_;
    PairVerdict verdict_;
};

}  // namespace

std::optional<std::string> why_not_together(World const& world, Pair const& pair) {
    auto const& [first, second] = pair;
    if (first.actor == second.actor) return "a process does one step at a time";
    if (auto reason = why_not_even_asleep(world, first)) return reason;
    if (auto reason = why_not_even_asleep(world, second)) return reason;
    if (auto const target = killed_by(first); target && target == killed_by(second))
        return fmt::format("both kill p{}", target->value);
    if (kills_a_sleeper(world, pair)) return {};
    if (auto reason = at_odds(world, first, second)) return reason;
    if (auto reason = at_odds(world, second, first)) return reason;
    if (would_sleep(world, first) && would_sleep(world, second)) return "both would sleep";
    if (would_sleep(world, second) && has_several_parts(first)) return "it would sleep half-way through the other";
    if (auto reason = why_not_in_order(world, first, second)) return reason;
    return why_not_in_order(world, second, first);
}

std::optional<World> predict(World const& world, Pair const& pair) {
    bool const swapped = would_sleep(world, pair.first);
    if (kills_a_sleeper(world, pair)) {
        auto kill = predict(world, pair.second);
        return kill ? std::optional{std::move(kill->after)} : std::nullopt;
    }
    auto const earlier = predict(world, swapped ? pair.second : pair.first);
    if (!earlier) return std::nullopt;
    auto later = predict(earlier->after, swapped ? pair.first : pair.second);
    return later ? std::optional{std::move(later->after)} : std::nullopt;
}

PairVerdict judge(World const& world, Pair const& pair, PairOutcome const& outcome, FrameCensus const& before,
                  Observation const* seen) {
    return Judge(world, pair, outcome, before, seen).verdict();
}

}  // namespace vmcheck::spec
