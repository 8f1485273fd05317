#include "spec/advice.h"

#include "spec/advance.h"

#include <algorithm>

namespace vmcheck::spec {

namespace {

// Whether the page is mapped, may be written, and is surely nobody else's: a zombie may hold its frames until it is
// waited for.
bool is_its_own(World const& world, ProcId owner, Vpn vpn) {
    auto const page = world.page_at(owner, vpn);
    if (!page || page->presence != Presence::present || !page->rights.user || !page->rights.write) return false;
    return std::all_of(world.processes().begin(), world.processes().end(), [&](auto const& entry) {
        auto const& [id, process] = entry;
        if (id == owner) return true;
        if (process.life == Life::zombie) return false;
        return std::all_of(process.space->pages.begin(), process.space->pages.end(),
                           [&](auto const& each) { return each.second.frame != page->frame; });
    });
}

}  // namespace

std::optional<Violation> advice_on(World const& world, Step const& step, Outcome const& outcome) {
    auto const* store = std::get_if<Store>(&step.action);
    bool const stopped = std::holds_alternative<Ended>(outcome.what) || std::holds_alternative<Panicked>(outcome.what);
    if (store == nullptr || !stopped || !allocation_failed(outcome)) return std::nullopt;
    if (world.setting().profile.fork != ForkPolicy::cow) return std::nullopt;
    VirtAddr const at = world.resolve(step.actor, store->at);
    if (!is_its_own(world, step.actor, at.page()) || !is_its_own(world, step.actor, (at + (store->size - 1)).page()))
        return std::nullopt;
    return Violation{.invariant = Invariant::containment,
                     .process = step.actor,
                     .address = at,
                     .place = place_of(world.layout_of(step.actor), at),
                     .facts = NeedlessKill{step, outcome}};
}

}  // namespace vmcheck::spec
