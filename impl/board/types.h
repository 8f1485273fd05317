#pragma once
// The small types that the board's interface is made of.

#include "impl/base/error.h"
#include "spec/address.h"

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>

namespace vmcheck::board {

// Where RAM starts on QEMU's `virt` machine (hw/riscv/virt.c, VIRT_DRAM).
inline constexpr PhysAddr kRamStart{0x8000'0000};

// The unit in which executed code, budgets and virtual time are counted: 16 bits of code ("instruction parcel", RISC-V
// unprivileged spec, section 1.5). A compressed instruction is one parcel, any other is two; in code compiled for
// RV64GC an instruction is about 1.5 parcels. Counted by whole blocks as they are entered, so a block that faults
// half-way counts in full. A trap and a wfi cost kTrapCost on top, so that endless traps run out of budget too.
struct Parcels : detail::Number<Parcels> {
    using Number::Number;
    constexpr Parcels operator+(Parcels other) const { return Parcels{value + other.value}; }
    constexpr Parcels operator-(Parcels other) const { return Parcels{value - other.value}; }
};

inline constexpr Parcels kTrapCost{16};

// The unit of turns among harts: stretches of code that are entered at their start and left at their end. A page border
// ends one, and so does a trap; a block is at least one parcel long.
struct Blocks : detail::Number<Blocks> {
    using Number::Number;
};

// The unit of mtime: 10 MHz, as on QEMU's `virt` machine (hw/intc/riscv_aclint.h).
struct TimeUnits : detail::Number<TimeUnits> {
    using Number::Number;
};
inline constexpr std::uint64_t kTimeUnitsPerSecond = 10'000'000;

inline constexpr unsigned kHartsMax = 3;

// Which hart: 0, 1 or 2.
struct HartIndex : detail::Number<HartIndex> {
    using Number::Number;
};

enum class DiskInterface : std::uint8_t { legacy, modern };

// Privilege modes, encoded as in mstatus.MPP (RISC-V privileged spec, table 1).
enum class Privilege : std::uint8_t { user = 0, supervisor = 1, machine = 3 };

enum class Access : std::uint8_t { load, store, fetch };

// When a breakpoint stops. where_zero: where each of the words that it was given is 0; never, where it was given none.
enum class Armed : std::uint8_t { never, where_zero, always };

// The registers that can be read and written from outside. x0 reads as 0 and ignores writes. `privilege` holds a
// Privilege. CSRs are those of the RISC-V privileged spec.
enum class Register : std::uint8_t {
    // clang-format off
    x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15,
    x16, x17, x18, x19, x20, x21, x22, x23, x24, x25, x26, x27, x28, x29, x30, x31,
    pc, privilege,
    satp, sstatus, stvec, sepc, scause, stval, sscratch, sie, sip,
    mstatus, mtvec, mepc, mcause, mtval, mscratch, mie, mip, medeleg, mideleg,
    // clang-format on
    count_,
    // By the names of the calling convention (RISC-V ELF psABI, "Integer Register Convention").
    ra = x1,
    sp = x2,
    t0 = x5,
    t1 = x6,
    s0 = x8,
    a0 = x10,
    a1 = x11,
    a2 = x12,
    a3 = x13,
    a7 = x17,
    s11 = x27,
};

// A failure to set something up.
using base::Error;

// Where a virtual address leads.
struct Translation {
    PhysAddr address;       // of the byte itself
    std::uint64_t pte = 0;  // the leaf entry; 0 where translation is off
    PhysAddr pte_at;        // where that entry lies; 0 where translation is off
    unsigned level = 0;     // 0: 4 KiB page, 1: 2 MiB, 2: 1 GiB
    bool readable = false;  // what the entry grants at that privilege
    bool writable = false;
    bool executable = false;
};

// Why an address leads nowhere (RISC-V privileged spec, section "Virtual Address Translation Process").
enum class PageFault : std::uint8_t {
    non_canonical,         // bits 63:39 are not all equal to bit 38
    table_outside_ram,     // the entry to read lies outside RAM (hardware raises an access fault)
    invalid,               // V = 0
    reserved_bits,         // bits 63:54 set, W without R, or A, D or U set in a pointer
    no_leaf,               // a pointer where only a leaf may be
    misaligned_superpage,  // low PPN bits of a superpage not zero
    privilege,             // U page from S-mode without SUM or fetched from it; other page from U-mode
    permission,            // R, W or X missing for this access
    unsupported_mode,      // satp.MODE neither Bare nor Sv39
};

// An access to physical memory that nothing answers to.
struct VoidAccess {
    PhysAddr page;  // the page that was accessed
    Access access = Access::load;
    VirtAddr pc;  // of the instruction
    HartIndex hart;
};

// An exception that the kernel caused itself.
struct KernelFault {
    std::uint64_t cause = 0;  // as in scause
    VirtAddr pc;              // as in sepc
    std::uint64_t value = 0;  // as in stval
    VirtAddr return_address;  // ra at that time: the caller of a leaf function
    VirtAddr stack;           // sp
    VirtAddr frame;           // s0, the frame pointer where there is one
    HartIndex hart;
    Parcels at;  // virtual time
};

// Where a hart made room for another process or hart, as it was asked to: before the instruction there, when it came to
// it for the so-manieth time since that was watched.
struct Turned {
    VirtAddr pc;
    std::uint32_t passes = 1;
};

// A loop of the kernel over its table of processes that does nothing about some but take their locks, look at their
// states, and let them go: a kernel of 64 slots, of which most are unused, spends most of its time so. At `at` the
// register `element` holds the address of the element that is next; its lock is its first 4 bytes, 0 while nobody holds
// it.
struct TableScan {
    // By a register with a state, which an idle one's equals, or does not.
    struct Idle {
        unsigned compared = 0;
        bool if_equal = false;
    };
    VirtAddr at;
    unsigned element = 0;
    unsigned end = 0;  // the register with the address behind the last element
    PhysAddr first;    // where the table lies, at the same virtual address
    std::uint64_t stride = 0;
    std::uint64_t count = 0;
    std::uint64_t state_offset = 0;  // of 4 bytes
    Idle idle{};
};

// A loop of the kernel over words of 8 bytes, as are the entries of a page table, that does nothing about one that is
// 0. At `at` the register `element` holds the address of the next word, `end` that behind the last, and the registers
// of `not_zero` are something else than 0.
struct WordScan {
    VirtAddr at;
    unsigned element = 0;
    unsigned end = 0;
    std::bitset<32> not_zero{};
    bool operator==(WordScan const&) const = default;
};

// Totals since the board was made. All but `fills`, `invalidations`, `void_accesses` and `fresh_code` grow by the same
// amount in every run of the same program from the same state: the size of Unicorn's TLB depends on what it ran before,
// so refills may differ.
struct Counters {
    std::uint64_t blocks = 0;               // blocks entered
    std::uint64_t fills = 0;                // page-table walks
    std::uint64_t traps = 0;                // exceptions taken by the guest, and M-mode timer interrupts
    std::uint64_t external_interrupts = 0;  // raised by devices
    std::uint64_t hypercalls = 0;
    std::uint64_t csr_emulations = 0;
    std::uint64_t accelerated_calls = 0;  // memset, memmove, memcpy done by the host
    std::uint64_t passed_over = 0;        // elements, by loops over tables (Config::scans)
    std::uint64_t invalidations = 0;      // frames whose translated code was dropped because the host rewrote them
    std::uint64_t disk_requests = 0;
    std::uint64_t disk_errors = 0;    // malformed requests and requests outside the disk
    std::uint64_t void_accesses = 0;  // first accesses to a page with nothing behind it
    std::uint64_t fresh_code = 0;     // parcels that were added to Config::reached
};

}  // namespace vmcheck::board
