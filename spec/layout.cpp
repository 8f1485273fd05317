#include "spec/layout.h"

#include <algorithm>
#include <array>

namespace vmcheck::spec {

VirtAddr Layout::start_of(Anchor anchor) const {
    // The two that have no place of their own are 0.
    std::array const starts = {VirtAddr{0}, text,        rodata, data,      bss,        guard, stack,
                               heap,        VirtAddr{0}, top,    trapframe, trampoline, maxva, kernel};
    return starts.at(static_cast<std::size_t>(anchor));
}

Layout larger_by(Layout layout, std::vector<ImagePage> const& pages) {
    std::uint64_t const bytes = pages.size() * kPageBytes;
    Vpn const end = layout.heap.page();
    for (ImagePage& each : layout.image)
        if (each.page >= layout.guard.page() && each.page < end) each.page = each.page + pages.size();
    auto const behind = std::find_if(layout.image.begin(), layout.image.end(),
                                     [&](ImagePage const& each) { return each.page >= layout.guard.page(); });
    layout.image.insert(behind, pages.begin(), pages.end());
    for (VirtAddr* each : {&layout.guard, &layout.stack, &layout.heap}) *each = *each + bytes;
    return layout;
}

void Setting::set_more_pages(std::vector<ImagePage> pages) {
    more_pages = std::move(pages);
    large = larger_by(layout, more_pages);
}

std::string to_string(Rights rights) {
    std::string text = "----";
    if (rights.read) text[0] = 'R';
    if (rights.write) text[1] = 'W';
    if (rights.execute) text[2] = 'X';
    if (rights.user) text[3] = 'U';
    return text;
}

Contents zero_page() {
    static Contents const zeros = std::make_shared<PageBytes const>();
    return zeros;
}

std::shared_ptr<Setting const> setting_for(std::shared_ptr<Setting const> setting, Program const& program) {
    if (!program.memory) return setting;
    auto scarce = std::make_shared<Setting>(*setting);
    Traits& traits = scarce->traits;
    traits.ballast_processes = kBallastProcesses;
    traits.processes_max = std::max(traits.processes_max, kBallastProcesses + 1) - kBallastProcesses;
    return scarce;
}

}  // namespace vmcheck::spec
