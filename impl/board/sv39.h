#pragma once
// The Sv39 page-table walk (RISC-V privileged spec, "Virtual Address Translation Process"), as QEMU 7.2's `virt` CPU
// does it: the accessed and dirty bits are set by the walk (no Svadu trap), bits 63:54 must be zero (no Svnapot, no
// Svpbmt), and a pointer PTE with A, D or U set is a fault.

#include "impl/board/memory.h"
#include "impl/board/types.h"
#include "spec/address.h"

#include <tl/expected.hpp>

#include <cstdint>

namespace vmcheck::board {

// The bits of a PTE (privileged spec, figure "Sv39 page table entry").
namespace pte {
inline constexpr std::uint64_t valid = 1 << 0;
inline constexpr std::uint64_t read = 1 << 1;
inline constexpr std::uint64_t write = 1 << 2;
inline constexpr std::uint64_t execute = 1 << 3;
inline constexpr std::uint64_t user = 1 << 4;
inline constexpr std::uint64_t global = 1 << 5;
inline constexpr std::uint64_t accessed = 1 << 6;
inline constexpr std::uint64_t dirty = 1 << 7;
inline constexpr unsigned ppn_shift = 10;
inline constexpr std::uint64_t ppn_mask = (std::uint64_t{1} << 44) - 1;
inline constexpr std::uint64_t reserved = ~((std::uint64_t{1} << 54) - 1);
}  // namespace pte

inline constexpr std::uint64_t kSatpModeSv39 = std::uint64_t{8} << 60;

struct WalkRequest {
    std::uint64_t satp = 0;
    VirtAddr address;
    Access access = Access::load;
    Privilege privilege = Privilege::supervisor;
    // mstatus.SUM: S-mode may load from and store to user pages. mstatus.MXR: loads from executable pages are allowed.
    bool supervisor_user_memory = false;
    bool make_executable_readable = false;
};

// Looks only: changes nothing in memory.
tl::expected<Translation, PageFault> walk(Memory const& memory, WalkRequest const& request);

// As the hart does it: sets A, and for a store D, in the leaf PTE, whose frame is dirty then. `pte` in the result is
// the updated entry.
tl::expected<Translation, PageFault> walk_and_mark(Memory& memory, WalkRequest const& request);

}  // namespace vmcheck::board
