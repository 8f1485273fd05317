#include "spec/circumstances.h"

#include "spec/step_kinds.h"

#include <algorithm>

namespace vmcheck::spec {

namespace {

bool is_shared(World const& world, ProcId owner, Vpn vpn, LogicalFrame frame) {
    for (ProcId id : world.running())
        for (auto const& [other, page] : world.find(id)->space->pages)
            if (page.frame == frame && (id != owner || other != vpn)) return true;
    return false;
}

// A zombie may still have what it shared; a copy that failed may or may not have made a page private; and a page that
// was shared until the others were gone is treated by a kernel as it was.
bool is_perhaps_shared(World const& world, ProcId owner, Vpn vpn, Page const& page) {
    if (world.setting().profile.fork != ForkPolicy::cow || page.presence != Presence::present) return false;
    for (auto const& [id, process] : world.processes()) {
        if (process.life == Life::zombie) return true;
        auto const at = process.space->pages.find(vpn);
        if (id != owner && at != process.space->pages.end() && at->second.contents == page.contents) return true;
    }
    return false;
}

bool may(Rights const& rights, Access access) {
    return access == Access::read ? rights.read : access == Access::write ? rights.write : rights.execute;
}

// Nothing special: none.
Grounds grounds_at(World const& world, ProcId id, VirtAddr at, Access access) {
    Layout const& layout = world.setting().layout;
    VirtAddr const brk = world.find(id)->space->brk;
    if (at >= layout.maxva) return Ground::above_maxva;
    if (at.page() >= layout.trapframe.page()) return Ground::no_user;
    auto const page = world.page_at(id, at.page());
    if (!page) return Ground::hole;
    if (!page->rights.user) return Ground::no_user;
    if (!may(page->rights, access)) return Ground::read_only;
    Grounds grounds;
    if (at >= brk && at.page() == brk.page()) grounds.add(Ground::breaks_page);
    if (page->presence != Presence::present) grounds.add(Ground::reserved);
    if (page->presence == Presence::reserved || access != Access::write) return grounds;
    if (is_shared(world, id, at.page(), page->frame) || is_perhaps_shared(world, id, at.page(), *page))
        grounds.add(Ground::shared);
    return grounds;
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
        met.grounds.add(grounds_at(world, step.actor, at, use->access));
        if (met.grounds.must_be_refused()) break;
    }
    return met;
}

}  // namespace vmcheck::spec
