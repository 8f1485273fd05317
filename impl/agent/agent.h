#pragma once
// The agent's executable (agent.S, linked by agent.ld), carried inside this program.

#include "spec/address.h"

#include <cstddef>
#include <span>

namespace vmcheck::agent {

// The whole ELF file.
std::span<std::byte const> elf_file();

// Where agent.ld puts things. Each victim region is one page.
inline constexpr VirtAddr kCode{0x0000};
inline constexpr VirtAddr kVictimText{0x1000};
inline constexpr VirtAddr kVictimRodata{0x2000};
inline constexpr VirtAddr kVictimData{0x3000};
inline constexpr VirtAddr kVictimBss{0x4000};
inline constexpr VirtAddr kImageEnd{0x5000};

// Strings and the empty argument vector beside the code, for the agent's own system calls.
inline constexpr VirtAddr kPathData = kCode + 1024;       // "/data"
inline constexpr VirtAddr kPathInit = kPathData + 16;     // "/init"
inline constexpr VirtAddr kNoArguments = kPathInit + 16;  // a null pointer

}  // namespace vmcheck::agent
