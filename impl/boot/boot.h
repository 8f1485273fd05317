#pragma once
// From an ELF file to a machine on which p0 waits for its first order.

#include "impl/boot/kernel_target.h"
#include "impl/control/kernel_execution.h"

#include <tl/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck {

// The disk that every kernel boots from: the agent as /init, and a file to read.
struct Disk {
    std::vector<std::byte> bytes;
    spec::DataFile data_file;
};
tl::expected<Disk, BootError> make_disk();

// A machine at the golden moment: p0 has opened its files, replaced itself by exec (so that its memory is that of any
// fresh image), and asks for its first order.
struct Booted {
    board::Board board;
    board::Config config;
    KernelEntries entries;
    AgentState agents;
    Descriptors descriptors;
    VirtAddr heap;  // p0's break
};
// REQUIRES: 1 <= harts <= board::kHartsMax.
tl::expected<Booted, BootError> boot_to_agent(KernelOptions const& options, elf::KernelImage const& image,
                                              map::KernelMap const& map, Disk const& disk, unsigned harts = 1);

// The same kernel on a machine with several harts, for programs in which two processes run at the same time: boots it
// there, at a golden image of its own, and tries two steps at a time (several_harts.cpp). Fails with a sentence where
// the kernel does not come up, or has but one of the harts run processes. REQUIRES: `kernel` has its setting.
tl::expected<std::shared_ptr<BootedKernel const>, std::string> with_harts(BootedKernel const& kernel,
                                                                          KernelOptions const& options,
                                                                          std::uint32_t harts);

// Has the host do what the kernel's memset and memmove do, where they are known.
void accelerate(board::Config& config, map::KernelMap const& map);
// Puts the kernel into a board's RAM, ready to start.
void load(board::Board& board, elf::KernelImage const& image);

// In words what the machine died of, `panic` before the message of a panic; `otherwise` where it lives.
std::string describe(spec::Completion const& result, std::string_view panic, std::string_view otherwise = {});

}  // namespace vmcheck
