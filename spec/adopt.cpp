#include "spec/adopt.h"

#include "spec/advance.h"
#include "spec/answer.h"
#include "spec/rules/transition.h"
#include "spec/step_kinds.h"

#include <algorithm>
#include <utility>

namespace vmcheck::spec {

namespace {

bool holds(World const& world, Observation const& seen, std::optional<Baseline> const& baseline) {
    CheckCounts uncounted;
    return inspect(world, seen, baseline, uncounted).empty();
}

// All that these do can be seen in memory.
bool leaves_nothing_unseen(Step const& step, Outcome const& outcome) {
    Action const& action = step.action;
    bool const kind = std::holds_alternative<Sbrk>(action) || std::holds_alternative<FileRead>(action) ||
                      std::holds_alternative<Fstat>(action) || std::holds_alternative<Open>(action);
    return kind && std::holds_alternative<Returned>(outcome.what) && !outcome.child_started &&
           outcome.ended_others.empty() && !allocation_failed(outcome);
}

// The bytes of a page that the step has brought in and that nobody else maps; nothing where it is another.
std::optional<std::span<std::byte const>> junk(World const& before, Violation const& violation,
                                               Observation const& seen) {
    auto const* const wrong = std::get_if<WrongByte>(&violation.facts);
    if (wrong == nullptr || wrong->sharers.all != 1) return std::nullopt;
    Vpn const vpn = violation.address->page();
    auto const page_before = before.find(*violation.process) ? before.page_at(*violation.process, vpn) : std::nullopt;
    if (!page_before || page_before->presence == Presence::present) return std::nullopt;
    for (ObservedProcess const& each : seen.processes)
        for (ObservedPage const& page : each.pages)
            if (each.id == *violation.process && page.page == vpn) return seen.memory->bytes(page.frame);
    return std::nullopt;
}

// With what is lost taken for lost; false where it may yet be with a zombie.
bool lose(World const& world, Violation const& violation, std::optional<Baseline>& baseline) {
    auto const* const total = std::get_if<WrongTotal>(&violation.facts);
    bool const all_seen =
        world.setting().traits.frames_per_process == 0 || world.running().size() == world.processes().size();
    if (total == nullptr || total->seen > total->expected || !all_seen) return false;
    baseline->lost = baseline->accounted_frames - total->seen;
    return true;
}

}  // namespace

std::optional<Adopted> adopt_answer(Taken const& taken, Observation const& seen,
                                    std::optional<Baseline> const& baseline) {
    auto const& [world, step, outcome, census] = taken;
    if (!leaves_nothing_unseen(step, outcome)) return std::nullopt;
    std::optional<Adopted> adopted;
    for (Answer const& answer : allowed(world, step)) {
        if (std::holds_alternative<Ends>(answer.result)) continue;
        World next = settle(answer.after(outcome_showing(answer.result, world)), seen);
        if (!holds(next, seen, baseline)) continue;
        if (adopted && adopted->world != next) return std::nullopt;
        adopted = Adopted{std::move(next), baseline};
    }
    return adopted;
}

std::vector<Violation> junk_read(Taken const& taken, Observation const& seen) {
    auto const use = address_of(taken.step.action);
    if (!use || use->access != Access::read || is_mishap(taken.outcome)) return {};
    CheckCounts uncounted;
    std::vector<Violation> violations = inspect(taken.world, seen, std::nullopt, uncounted);
    std::erase_if(violations, [&](Violation const& each) { return !junk(taken.world, each, seen); });
    return violations;
}

std::optional<Adopted> adopt_state(Taken const& taken, World const& after, std::vector<Violation> const& violations,
                                   Observation const& seen, std::optional<Baseline> const& baseline) {
    if (std::holds_alternative<Pipe>(taken.step.action)) return std::nullopt;
    Adopted adopted{after, baseline};
    Transition before{taken.world};
    bool has_junk = false;
    for (Violation const& violation : violations) {
        if (auto const bytes = junk(taken.world, violation, seen)) {
            VirtAddr const page = start_of(violation.address->page());
            before.touch(*violation.process, page, kPageBytes, true);
            before.write(*violation.process, page, *bytes);
            has_junk = true;
        } else if (!lose(after, violation, adopted.baseline)) {
            return std::nullopt;
        }
    }
    if (has_junk) {
        auto next = advance(std::move(before).finish(), taken.step, taken.outcome, taken.census);
        if (!next) return std::nullopt;
        adopted.world = settle(std::move(*next), seen);
    }
    if (!holds(adopted.world, seen, adopted.baseline)) return std::nullopt;
    return adopted;
}

}  // namespace vmcheck::spec
