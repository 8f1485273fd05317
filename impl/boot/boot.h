#pragma once
// From an ELF file to a machine on which p0 waits for its first order.

#include "impl/boot/kernel_target.h"
#include "impl/control/kernel_execution.h"

#include <tl/expected.hpp>

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
    Conversation conversation;
    Descriptors descriptors;
    VirtAddr heap;  // p0's break
};
// REQUIRES: 1 <= harts <= board::kHartsMax.
tl::expected<Booted, BootError> boot_to_agent(KernelOptions const& options, elf::KernelImage const& image,
                                              map::KernelMap const& map, Disk const& disk, unsigned harts = 1);

}  // namespace vmcheck
