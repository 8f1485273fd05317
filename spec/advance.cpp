#include "spec/advance.h"

#include "spec/judgement.h"
#include "spec/memory_need.h"
#include "spec/transition.h"

#include <fmt/format.h>

namespace vmcheck::spec {

std::optional<std::uint64_t> Asked::returned() const {
    if (auto const* value = std::get_if<Returned>(&outcome.what)) return value->value;
    return std::nullopt;
}

bool Asked::memory_was_short() const {
    return vmcheck::spec::memory_was_short(world, outcome, before, frames_needed(world, step));
}

World unchanged(World const& world) {
    return Transition{world}.finish();
}

tl::unexpected<Violation> wrong_result(Asked const& asked, std::string story) {
    return tl::make_unexpected(
        Violation{.invariant = Invariant::results,
                  .process = asked.actor(),
                  .address = std::nullopt,
                  .story = std::move(story),
                  .expected = expectation(asked.world, asked.step, allocation_failed(asked.outcome)),
                  .seen = describe(asked.outcome, asked.step)});
}

namespace {

tl::unexpected<Violation> not_alive(Asked const& asked, std::string story) {
    auto violation = wrong_result(asked, std::move(story));
    violation.value().invariant = Invariant::liveness;
    return violation;
}

// Whether a panic says no more than that p0 has ended: xv6's exit() panics with "init exiting". A panic of any other
// name is a failure to contain the failed allocation. Where the message is unknown, the kernel has the benefit.
bool is_end_of_init(Panicked const& panicked) {
    return panicked.message.empty() || panicked.message.find("init") != std::string::npos;
}

// The process was killed for want of memory. When it is p0, the kernel may stop: nothing can go on without it.
bool died_for_memory(Asked const& asked) {
    auto const* panicked = std::get_if<Panicked>(&asked.outcome.what);
    bool const died = asked.ended() || (asked.actor() == kInit && panicked && is_end_of_init(*panicked));
    return died && killing_is_an_answer(asked.step.action) && asked.memory_was_short();
}

Judged judge_any(Asked const& asked) {
    std::string const words = words_for(asked);
    if (died_for_memory(asked) && asked.outcome.ended_others.empty()) return killed_for_memory(asked);
    if (auto const* lost = std::get_if<Lost>(&asked.outcome.what))
        return wrong_result(
            asked, fmt::format("after {}, the wrong process or wrong registers came back to user mode: {}", words,
                               lost->what));
    if (auto const* panicked = std::get_if<Panicked>(&asked.outcome.what)) {
        // No step that p0 is asked to do may end it; a kernel that ends it can only panic.
        if (asked.actor() == kInit && !panicked->message.empty() && is_end_of_init(*panicked))
            return wrong_result(asked, fmt::format("{} killed p0, which is init, and so the kernel panics: {}", words,
                                                   panicked->message));
        return not_alive(asked, fmt::format("{} made the kernel panic: {}{}", words, panicked->message,
                                            panicked->cause.empty() ? "" : fmt::format(" ({})", panicked->cause)));
    }
    if (auto const* stuck = std::get_if<Stuck>(&asked.outcome.what))
        return not_alive(asked, fmt::format("{} never came to an end: {}", words, stuck->where));
    if (std::holds_alternative<Blocked>(asked.outcome.what))
        return not_alive(asked,
                         fmt::format("{} went to sleep in the kernel although nothing has to be waited for", words));
    if (asked.outcome.child_started && !std::holds_alternative<Fork>(asked.step.action))
        return wrong_result(asked, fmt::format("{} started a process", words));
    if (!asked.outcome.ended_others.empty() && !std::holds_alternative<Kill>(asked.step.action))
        return wrong_result(asked, fmt::format("{} ended p{}, which had nothing to do with it", words,
                                               asked.outcome.ended_others.front().value));
    return std::visit([&](auto const& action) { return judge(asked, action); }, asked.step.action);
}

}  // namespace

tl::expected<World, Violation> advance(World const& world, Step const& step, Outcome const& outcome,
                                       FrameCensus const& before) {
    Judged judged = judge_any(Asked{world, step, outcome, before});
    // With a failed allocation in the step, a wrong answer is a failure to contain it (I10), whatever form it takes.
    if (!judged && allocation_failed(outcome)) {
        judged.error().invariant = Invariant::containment;
        judged.error().story += ", after a frame allocation (kalloc) failed";
    }
    return judged;
}

}  // namespace vmcheck::spec
