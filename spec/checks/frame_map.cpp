#include "spec/checks/frame_map.h"

#include <algorithm>
#include <utility>

namespace vmcheck::spec {

// This is done for every step, so it passes over each list once.
FrameMap::FrameMap(World const& world, Observation const& observation)
    : world_(world), observation_(observation), reserved_(world.reserved_page()) {
    pair();
    refer();
}

// ---- pages, of the model and of the machine

void FrameMap::pair() {
    std::size_t pages = 0;
    for (auto const& [id, process] : world_.processes()) {
        if (process.life != Life::running) continue;
        processes_.push_back({id, find(id), process.space.get(), {}});
        if (ObservedProcess const* const seen = processes_.back().seen)
            pages += seen->pages.size() + process.space->pages.size();
    }
    pairs_.reserve(pages);  // spans point into it
    for (PairedProcess& process : processes_)
        if (process.seen != nullptr) pair(process);
}

void FrameMap::pair(PairedProcess& process) {
    std::size_t const first = pairs_.size();
    Vpn const end = round_up_to_page(process.model->brk).page();
    auto model = process.model->pages.begin();
    auto const models_end = process.model->pages.end();
    for (ObservedPage const& seen : process.seen->pages) {
        for (; model != models_end && model->first < seen.page; ++model)
            pairs_.push_back({.page = model->first, .model = &model->second, .listed = true});
        PagePair both{.page = seen.page, .seen = &seen};
        if (model != models_end && model->first == seen.page) {
            both.model = &model->second;
            both.listed = true;
            ++model;
        } else if (seen.page < end) {
            both.model = &reserved_;
        }
        pairs_.push_back(both);
    }
    for (; model != models_end; ++model)
        pairs_.push_back({.page = model->first, .model = &model->second, .listed = true});
    process.pages = std::span<PagePair const>(pairs_).subspan(first);
}

ObservedProcess const* FrameMap::find(ProcId id) const {
    for (ObservedProcess const& process : observation_.processes)
        if (process.id == id && !process.zombie) return &process;
    return nullptr;
}

// ---- frames

void FrameMap::refer() {
    std::vector<ObservedProcess const*> by_id;
    std::size_t pages = 0;
    for (ObservedProcess const& process : observation_.processes) {
        by_id.push_back(&process);
        pages += process.pages.size();
    }
    std::stable_sort(by_id.begin(), by_id.end(), [](auto const* a, auto const* b) { return a->id < b->id; });
    std::vector<Reference> references;
    references.reserve(pages);
    for (ObservedProcess const* const process : by_id) {
        for (ObservedPage const& page : process->pages)
            if (page.in_ram && page.page < layout().trampoline.page())
                references.push_back(Reference{page.frame, process->id, process->zombie, page.page, page.rights});
        for (FrameNo frame : process->table_frames) table_frames_.push_back(TableFrame{frame, process->id});
    }
    // They come in the order of processes and pages: what is left to sort by is the frame, then the place.
    constexpr unsigned kPlaceBits = 32;
    std::vector<std::uint64_t> order;
    order.reserve(references.size());
    for (Reference const& each : references) order.push_back(each.frame.value << kPlaceBits | order.size());
    std::sort(order.begin(), order.end());
    references_.reserve(order.size());
    for (std::uint64_t each : order) references_.push_back(references[static_cast<std::uint32_t>(each)]);
    std::stable_sort(table_frames_.begin(), table_frames_.end(),
                     [](TableFrame const& a, TableFrame const& b) { return a.frame < b.frame; });
}

std::span<Reference const> FrameMap::references_to(FrameNo frame) const {
    auto const first = std::ranges::lower_bound(references_, frame, {}, &Reference::frame);
    auto const last = std::ranges::upper_bound(references_, frame, {}, &Reference::frame);
    return {first, last};
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
