#include "spec/checks/frame_map.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace vmcheck::spec {

FrameMap::FrameMap(World const& world, Observation const& observation) : world_(world), observation_(observation) {
    std::size_t pages = 0;
    for (ObservedProcess const& process : observation.processes) pages += process.pages.size();
    references_.reserve(pages);
    for (ObservedProcess const& process : observation.processes) {
        for (ObservedPage const& page : process.pages)
            if (page.in_ram && page.page < layout().trampoline.page())
                references_.push_back(Reference{page.frame, process.id, process.zombie, page.page, page.rights});
        for (FrameNo frame : process.table_frames) table_frames_.push_back(TableFrame{frame, process.id});
    }
    std::sort(references_.begin(), references_.end(), [](Reference const& a, Reference const& b) {
        return std::tie(a.frame.value, a.process, a.page.value) < std::tie(b.frame.value, b.process, b.page.value);
    });
    std::sort(table_frames_.begin(), table_frames_.end(), [](TableFrame const& a, TableFrame const& b) {
        return std::tie(a.frame.value, a.process) < std::tie(b.frame.value, b.process);
    });
}

ObservedProcess const* FrameMap::find(ProcId id) const {
    for (ObservedProcess const& process : observation_.processes)
        if (process.id == id && !process.zombie) return &process;
    return nullptr;
}

ObservedPage const* FrameMap::find(ObservedProcess const& process, Vpn page) {
    auto const found = std::lower_bound(process.pages.begin(), process.pages.end(), page,
                                        [](ObservedPage const& each, Vpn wanted) { return each.page < wanted; });
    return found != process.pages.end() && found->page == page ? &*found : nullptr;
}

std::size_t FrameMap::first_reference_to(FrameNo frame) const {
    auto const first = std::lower_bound(references_.begin(), references_.end(), frame,
                                        [](Reference const& each, FrameNo wanted) { return each.frame < wanted; });
    return static_cast<std::size_t>(first - references_.begin());
}

std::span<Reference const> FrameMap::references_to(FrameNo frame) const {
    std::size_t const first = first_reference_to(frame);
    std::size_t last = first;
    while (last < references_.size() && references_[last].frame == frame) ++last;
    return std::span{references_}.subspan(first, last - first);
}

bool FrameMap::complete() const {
    auto const& processes = world_.processes();
    return observation_.zombies || std::none_of(processes.begin(), processes.end(),
                                                [](auto const& entry) { return entry.second.life == Life::zombie; });
}

Violation FrameMap::at(Invariant invariant, ProcId process, VirtAddr address, Facts facts) const {
    return {.invariant = invariant,
            .process = process,
            .address = address,
            .place = place_of(world_.layout_of(process), address),
            .facts = std::move(facts)};
}

bool is_promise_of_eager_sbrk(World const& world, ProcId id, Vpn vpn, Page const& page) {
    return world.setting().profile.sbrk == SbrkPolicy::eager && vpn >= world.layout_of(id).heap.page() &&
           page.contents == zero_page();
}

Sharers FrameMap::sharers_of(std::span<Reference const> references) const {
    constexpr std::size_t kNamed = 4;
    Sharers sharers{.named = {}, .all = references.size()};
    for (Reference const& each : references.first(std::min(references.size(), kNamed)))
        sharers.named.push_back(
            {each.process, each.zombie, place_of(world_.layout_of(each.process), start_of(each.page))});
    return sharers;
}

}  // namespace vmcheck::spec
