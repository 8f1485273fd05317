#include "spec/world.h"

#include "spec/rules/transition.h"

#include <algorithm>

namespace vmcheck::spec {

World World::initial(std::shared_ptr<Setting const> setting) {
    return Transition::boot(std::move(setting));
}

Process const* World::find(ProcId id) const {
    auto const found = processes_.find(id);
    return found == processes_.end() ? nullptr : &found->second;
}

std::vector<ProcId> World::running() const {
    std::vector<ProcId> ids;
    if (over_) return ids;
    for (auto const& [id, process] : processes_)
        if (process.life == Life::running) ids.push_back(id);
    return ids;
}

std::vector<ProcId> World::children(ProcId parent) const {
    std::vector<ProcId> ids;
    for (auto const& [id, process] : processes_)
        if (id != kInit && process.parent == parent) ids.push_back(id);
    return ids;
}

Layout const& World::layout_of(ProcId id) const {
    Process const* process = find(id);
    return setting_->layout_of(process && process->space ? process->space->program : Executable::init);
}

std::optional<Page> World::page_at(ProcId id, Vpn page) const {
    AddressSpace const& space = *processes_.at(id).space;
    if (auto const found = space.pages.find(page); found != space.pages.end()) return found->second;
    // Compared as page numbers: the byte address of a page number near 2^52 would wrap.
    if (page >= round_up_to_page(space.brk).page()) return std::nullopt;
    return reserved_page();
}

Page World::reserved_page() const {
    return {LogicalFrame{}, setting_->layout.heap_rights, Presence::reserved, zero_page()};
}

std::optional<std::vector<std::byte>> World::read(ProcId id, VirtAddr at, std::size_t bytes) const {
    std::vector<std::byte> result;
    result.reserve(bytes);
    while (result.size() < bytes) {
        VirtAddr const from = at + result.size();
        auto const page = page_at(id, from.page());
        if (!page || !page->rights.user || !page->rights.read || !page->contents) return std::nullopt;
        std::size_t const here = std::min<std::size_t>(bytes - result.size(), kPageBytes - from.offset());
        auto const start = page->contents->begin() + static_cast<std::ptrdiff_t>(from.offset());
        result.insert(result.end(), start, start + static_cast<std::ptrdiff_t>(here));
    }
    return result;
}

VirtAddr World::resolve(ProcId actor, Address address) const {
    VirtAddr const base =
        address.anchor == Anchor::brk ? processes_.at(actor).space->brk : layout_of(actor).start_of(address.anchor);
    return base + static_cast<std::uint64_t>(address.offset);
}

}  // namespace vmcheck::spec
