#include "spec/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace vmcheck::spec {

Picture::Picture(World const& world, Observation const& observation) : world_(world), observation_(observation) {
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

ObservedProcess const* Picture::find(ProcId id) const {
    for (ObservedProcess const& process : observation_.processes)
        if (process.id == id && !process.zombie) return &process;
    return nullptr;
}

ObservedPage const* Picture::find(ObservedProcess const& process, Vpn page) {
    auto const found = std::lower_bound(process.pages.begin(), process.pages.end(), page,
                                        [](ObservedPage const& each, Vpn wanted) { return each.page < wanted; });
    return found != process.pages.end() && found->page == page ? &*found : nullptr;
}

std::size_t Picture::first_reference_to(FrameNo frame) const {
    auto const first = std::lower_bound(references_.begin(), references_.end(), frame,
                                        [](Reference const& each, FrameNo wanted) { return each.frame < wanted; });
    return static_cast<std::size_t>(first - references_.begin());
}

std::span<Reference const> Picture::references_to(FrameNo frame) const {
    std::size_t const first = first_reference_to(frame);
    std::size_t last = first;
    while (last < references_.size() && references_[last].frame == frame) ++last;
    return std::span{references_}.subspan(first, last - first);
}

bool Picture::has_zombies() const {
    auto const& processes = world_.processes();
    return std::any_of(processes.begin(), processes.end(),
                       [](auto const& entry) { return entry.second.life == Life::zombie; });
}

bool Picture::complete() const {
    return observation_.zombies_seen || !has_zombies();
}

std::string Picture::place(VirtAddr address) const {
    Layout const& at = layout();
    // The stack is named by its end; its pages lie above the guard.
    std::array<std::pair<char const*, VirtAddr>, 8> const regions = {{{"text", at.text},
                                                                      {"rodata", at.rodata},
                                                                      {"data", at.data},
                                                                      {"bss", at.bss},
                                                                      {"guard", at.guard},
                                                                      {"heap", at.heap},
                                                                      {"trapframe", at.trapframe},
                                                                      {"trampoline", at.trampoline}}};
    if (address < at.stack && address >= at.guard + kPageBytes && at.stack > at.guard)
        return fmt::format("stack-{:#x}", at.stack.value - address.value);
    auto const* nearest = static_cast<std::pair<char const*, VirtAddr> const*>(nullptr);
    for (auto const& region : regions)
        if (region.second <= address && (!nearest || region.second > nearest->second)) nearest = &region;
    if (!nearest || (nearest->second == at.trampoline && address >= at.maxva))
        return fmt::format("{:#x}", address.value);
    return fmt::format("{}+{:#x}", nearest->first, address.value - nearest->second.value);
}

bool is_promise_of_eager_sbrk(World const& world, Vpn vpn, Page const& page) {
    return world.setting().profile.sbrk == SbrkPolicy::eager && vpn >= world.setting().layout.heap.page() &&
           page.contents == zero_page();
}

std::string list_of(Picture const& picture, std::span<Reference const> references) {
    constexpr std::size_t kNamed = 4;
    std::string text;
    for (std::size_t i = 0; i < std::min(references.size(), kNamed); ++i) {
        Reference const& reference = references[i];
        char const* const comma = i == 0 ? "" : i + 1 == references.size() ? " and " : ", ";
        text += fmt::format("{}p{}{} {}", comma, reference.process.value, reference.zombie ? "'s (zombie)" : "'s",
                            picture.place(start_of(reference.page)));
    }
    if (references.size() > kNamed) text += fmt::format(" and {} more", references.size() - kNamed);
    return text;
}

}  // namespace vmcheck::spec
