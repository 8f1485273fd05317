#include "spec/advance.h"

#include "spec/rules/rules.h"

#include <utility>

namespace vmcheck::spec {

namespace {

// Killed for want of memory: when it is p0, the kernel may stop, since nothing can go on without it.
bool shows_here(Answer const& answer, Step const& step, Outcome const& outcome, World const& world) {
    if (shows(answer.result, outcome, world)) return true;
    auto const* panicked = std::get_if<Panicked>(&outcome.what);
    return std::holds_alternative<Ends>(answer.result) && answer.excuse && step.actor == kInit && panicked &&
           is_end_of_init(*panicked) && outcome.ended_others.empty();
}

}  // namespace

tl::expected<World, Violation> advance(World const& world, Step const& step, Outcome const& outcome,
                                       FrameCensus const& before) {
    std::vector<Answer> const given = allowed(world, step);
    Answer const* right = nullptr;
    for (Answer const& answer : given) {
        if (!shows_here(answer, step, outcome, world) || !is_excused(answer, world, step, outcome, before)) continue;
        // Of two that show the same, the one that needs an excuse, and has it, leaves more open.
        if (right == nullptr || (answer.excuse && !right->excuse)) right = &answer;
    }
    if (right != nullptr) return right->after(outcome);
    Violation violation = mistake_in(Question{world, step}, outcome, before, given);
    // With a failed allocation in the step, a wrong answer is a failure to contain it (I10), whatever form it takes.
    if (allocation_failed(outcome)) violation.invariant = Invariant::containment;
    return tl::make_unexpected(std::move(violation));
}

std::optional<Prediction> predict(World const& world, Step const& step) {
    for (Answer const& answer : allowed(world, step)) {
        if (answer.excuse) continue;
        Outcome outcome = outcome_showing(answer.result, world);
        World after = answer.after(outcome);
        return Prediction{std::move(outcome), std::move(after)};
    }
    return std::nullopt;
}

}  // namespace vmcheck::spec
