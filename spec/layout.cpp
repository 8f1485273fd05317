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
