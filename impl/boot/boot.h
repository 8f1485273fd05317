#pragma once
// From an ELF file to a machine on which p0 waits for its first order.

#include "impl/boot/kernel_target.h"
#include "impl/control/kernel_execution.h"

#include <tl/expected.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck {

// The disk that a kernel boots from: the agent as /init and, where there is room, as the other programs; and a file to
// read.
struct Disk {
    std::vector<std::byte> bytes;
    spec::DataFile data_file;
};
// In xv6's format, or made by the tree's own mkfs.
tl::expected<std::shared_ptr<Disk const>, BootError> make_disk();
tl::expected<std::shared_ptr<Disk const>, base::Error> make_disk_of(std::filesystem::path const& tree,
                                                                    base::Confinement confinement,
                                                                    std::stop_token const& stop);

// A machine at the golden moment: p0 has opened its files, replaced itself by exec (so that its memory is that of any
// fresh image), and asks for its first order.
struct Booted {
    board::Board board;
    board::Config config;
    KernelEntries entries;
    AgentState agents;
    Descriptors descriptors;
    VirtAddr heap;              // p0's break
    bool has_programs = false;  // others than /init
};
// How far one came that did not get there.
struct BootFailure {
    BootError error;
    bool panicked = false;
    bool wants_more_ram = false;              // it went where RAM would be, if the machine had more
    std::array<std::uint64_t, 3> progress{};  // user mode, requests to the disk, code: compares as a whole
};
// On the machine that config and `options` describe, with the disk interface that the kernel drives.
// REQUIRES: 1 <= harts <= board::kHartsMax; image and map are of a kernel in RAM of options.ram_bytes.
tl::expected<Booted, BootFailure> boot_to_agent(KernelOptions const& options, elf::KernelImage const& image,
                                                map::KernelMap const& map, Disk const& disk, unsigned harts = 1);

// A kernel, and the machine on which it came up.
struct Up {
    std::shared_ptr<elf::KernelImage const> image;
    std::shared_ptr<map::KernelMap const> map;
    std::shared_ptr<Disk const> disk;
    Booted booted;
};
// Reads the kernel and boots it, with as much RAM as it takes for granted and a disk that it can read. Says of several
// attempts how the one ended that came furthest.
tl::expected<Up, BootError> bring_up(KernelOptions const& options);

// The same kernel on a machine with several harts, for programs in which two processes run at the same time: boots it
// there, at a golden image of its own, and tries two steps at a time (several_harts.cpp). Fails with a sentence where
// the kernel does not come up, or has but one of the harts run processes. REQUIRES: `kernel` has its setting, and
// `options` say on what machine it came up.
tl::expected<std::shared_ptr<BootedKernel const>, std::string> with_harts(BootedKernel const& kernel,
                                                                          KernelOptions const& options,
                                                                          std::uint32_t harts);

// The numbers of the kernel's system calls: by its own table, in its image, or else by kernel/syscall.h of its tree.
map::SystemCalls system_calls_of(elf::KernelImage const& image, std::optional<std::filesystem::path> const& tree);

// Has the host do what the kernel's memset and memmove do, where they are known.
void accelerate(board::Config& config, elf::KernelImage const& image, map::KernelMap const& map);
// Puts the kernel into a board's RAM, ready to start.
void load(board::Board& board, elf::KernelImage const& image);

// In words what the machine died of, `panic` before the message of a panic; `otherwise` where it lives.
std::string describe(spec::Completion const& result, std::string_view panic, std::string_view otherwise = {});

}  // namespace vmcheck
