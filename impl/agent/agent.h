#pragma once
// The agent's executables (agent.S, linked by agent.ld), carried inside this program.

#include "spec/address.h"
#include "spec/program.h"

#include <cstddef>
#include <vector>

namespace vmcheck::agent {

// The whole ELF file of the program.
std::vector<std::byte> elf_file(spec::Executable program);

// The ecall at which it asks for its orders.
VirtAddr ask();

// Where agent.ld puts things. Each victim region is one page.
inline constexpr VirtAddr kCode{0x0000};
inline constexpr VirtAddr kVictimText{0x1000};
inline constexpr VirtAddr kVictimRodata{0x2000};
inline constexpr VirtAddr kVictimData{0x3000};
inline constexpr VirtAddr kVictimBss{0x4000};
inline constexpr VirtAddr kImageEnd{0x5000};
// In /large, text and data go on there.
inline constexpr VirtAddr kMoreText{0x5000};
inline constexpr VirtAddr kMoreData{0x7000};
inline constexpr VirtAddr kLargeEnd{0x10000};

// Two arguments for exec in the data page: that page's own path, and that of the read-only page.
inline constexpr VirtAddr kArguments = kVictimData + 256;

// Strings and the empty argument vector beside the code, for the agent's own system calls.
inline constexpr VirtAddr kPathData = kCode + 1024;           // "/data"
inline constexpr VirtAddr kPathPrograms = kPathData + 16;     // "/init", "/large", "/broken", 16 bytes each
inline constexpr VirtAddr kNoArguments = kPathPrograms + 48;  // a null pointer
constexpr VirtAddr path_of(spec::Executable program) {
    return kPathPrograms + 16 * static_cast<std::uint64_t>(program);
}

}  // namespace vmcheck::agent
