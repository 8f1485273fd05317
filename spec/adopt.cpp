#include "spec/adopt.h"

#include "spec/advance.h"
#include "spec/answer.h"
#include "spec/rules/transition.h"

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
    Process const* const process = before.find(*violation.process);
    Vpn const vpn = violation.address->page();
    if (process == nullptr || process->space->pages.contains(vpn)) return std::nullopt;
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

std::optional<Adopted> adopt_answer(World const& world, Step const& step, Outcome const& outcome,
                                    Observation const& seen, std::optional<Baseline> const& baseline) {
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

std::optional<Adopted> adopt_state(World const& before, Step const& step, World const& after,
                                   std::vector<Violation> const& violations, Observation const& seen,
                                   std::optional<Baseline> const& baseline) {
    if (std::holds_alternative<Pipe>(step.action)) return std::nullopt;
    Adopted adopted{after, baseline};
    for (Violation const& violation : violations) {
        if (auto const bytes = junk(before, violation, seen)) {
            Transition next{std::move(adopted.world)};
            next.write(*violation.process, start_of(violation.address->page()), *bytes);
            adopted.world = std::move(next).finish();
        } else if (!lose(after, violation, adopted.baseline)) {
            return std::nullopt;
        }
    }
    if (!holds(adopted.world, seen, adopted.baseline)) return std::nullopt;
    return adopted;
}

}  // namespace vmcheck::spec
