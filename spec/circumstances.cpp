#include "spec/circumstances.h"

#include "spec/step_kinds.h"

#include <algorithm>
#include <optional>

namespace vmcheck::spec {

namespace {

// A zombie may still have what it shared.
bool is_shared(World const& world, ProcId owner, Vpn vpn, LogicalFrame frame) {
    bool const cow = world.setting().profile.fork == ForkPolicy::cow;
    if (cow && world.running().size() < world.processes().size()) return true;
    for (ProcId id : world.running())
        for (auto const& [other, page] : world.find(id)->space->pages)
            if (page.frame == frame && (id != owner || other != vpn)) return true;
    return false;
}

bool may(Rights const& rights, Access access) {
    return access == Access::read ? rights.read : access == Access::write ? rights.write : rights.execute;
}

std::optional<Ground> ground_at(World const& world, ProcId id, VirtAddr at, Access access) {
    Layout const& layout = world.setting().layout;
    VirtAddr const brk = world.find(id)->space->brk;
    if (at >= layout.maxva) return Ground::above_maxva;
    if (at.page() >= layout.trapframe.page()) return Ground::no_user;
    auto const page = world.page_at(id, at.page());
    if (!page) return Ground::hole;
    if (!page->rights.user) return Ground::no_user;
    if (!may(page->rights, access)) return Ground::read_only;
    if (at >= brk && at.page() == brk.page()) return Ground::breaks_page;
    if (page->presence == Presence::reserved) return Ground::reserved;
    if (access == Access::write && is_shared(world, id, at.page(), page->frame)) return Ground::shared;
    return page->presence == Presence::either ? std::optional(Ground::reserved) : std::nullopt;
}

}  // namespace

bool are_within(Circumstances const& these, Circumstances const& others) {
    return these.grounds.are_among(others.grounds) && these.crosses <= others.crosses &&
           these.refused <= others.refused && these.overlapped <= others.overlapped;
}

int count_of(Circumstances const& circumstances) {
    return circumstances.grounds.count() + circumstances.crosses + circumstances.refused + circumstances.overlapped;
}

Circumstances circumstances_of(World const& world, Step const& step) {
    auto const use = address_of(step.action);
    if (!use || use->access == Access::none) return {};
    VirtAddr at = world.resolve(step.actor, use->at);
    std::uint64_t const bytes = std::max<std::uint64_t>(use->bytes, 1);
    Circumstances met{.crosses = at.offset() + bytes > kPageBytes};
    // A touch may go over very many pages, which are alike.
    constexpr std::uint64_t kPagesMax = 64;
    std::uint64_t const pages = std::min((at.offset() + bytes + kPageBytes - 1) / kPageBytes, kPagesMax);
    for (std::uint64_t page = 0; page < pages; ++page, at = start_of(Vpn{at.page().value + 1})) {
        auto const ground = ground_at(world, step.actor, at, use->access);
        if (!ground) continue;
        met.grounds.add(*ground);
        if (*ground >= Ground::read_only) break;
    }
    return met;
}

}  // namespace vmcheck::spec
