#pragma once
// QEMU's `virt` machine as a kernel wants it, and the disk that it boots from.

#include "checker/qemu/compiler.h"

#include <tl/expected.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace vmcheck::qemu {

struct Machine {
    std::filesystem::path kernel;  // the ELF image
    std::uint64_t ram_bytes = std::uint64_t{128} << 20;
    bool legacy_disk = false;  // the disk's registers: virtio's legacy interface (2020, 2021) or the modern one
    // Whether harts have physical memory protection. Kernels of 2020 never set it up: with it, nothing that is not
    // machine mode could reach memory (RISC-V privileged spec, section 3.7.1). The others fault without its registers.
    bool memory_protection = true;
    std::uint32_t harts = 1;
};

// Whether some instruction of the kernel writes pmpcfg0, the register that turns memory protection on. Fails where the
// image cannot be read.
tl::expected<bool, base::Error> sets_memory_protection(std::filesystem::path const& kernel);

// The command that boots the machine from that disk image, with its console on standard output, and no way
// to reach the host's network or files.
std::vector<std::string> command_line(std::filesystem::path const& emulator, Machine const& machine,
                                      std::filesystem::path const& disk);

// The programs on the disk beside the console's device node.
struct Programs {
    ProgramBytes init;
    ProgramBytes echo;
    ProgramBytes repro;
};
// A file system with /init, /echo, /repro and /data, and room for what a repro.c writes. Fails where they are too
// large.
tl::expected<std::vector<std::byte>, base::Error> make_disk(Programs programs);

}  // namespace vmcheck::qemu
