#pragma once
// Control and status registers, and the instructions that C++ has no word for. Names, numbers and bits: RISC-V
// Instruction Set Manual, Volume II (Privileged); stimecmp and menvcfg.STCE: its Sstc chapter. Registers that the
// assembler of Debian 12 does not know by name are written as numbers.

#include <stddef.h>
#include <stdint.h>

#define KERNEL_CSR_READ(csr)                          \
    ([] {                                             \
        uint64_t value_;                              \
        asm volatile("csrr %0, " csr : "=r"(value_)); \
        return value_;                                \
    }())
#define KERNEL_CSR_WRITE(csr, value) asm volatile("csrw " csr ", %0" : : "r"(static_cast<uint64_t>(value)) : "memory")
#define KERNEL_CSR_SET(csr, bits) asm volatile("csrs " csr ", %0" : : "r"(static_cast<uint64_t>(bits)) : "memory")
#define KERNEL_CSR_CLEAR(csr, bits) asm volatile("csrc " csr ", %0" : : "r"(static_cast<uint64_t>(bits)) : "memory")

#define KERNEL_CSR_MENVCFG "0x30a"
#define KERNEL_CSR_STIMECMP "0x14d"

namespace kernel {

// sstatus ("Supervisor Status Register").
inline constexpr uint64_t kSstatusInterruptsOn = UINT64_C(1) << 1;        // SIE
inline constexpr uint64_t kSstatusInterruptsOnBefore = UINT64_C(1) << 5;  // SPIE
inline constexpr uint64_t kSstatusFromSupervisor = UINT64_C(1) << 8;      // SPP

// sie and scause: the supervisor's interrupts.
inline constexpr uint64_t kCauseInterrupt = UINT64_C(1) << 63;
inline constexpr uint64_t kInterruptSoftware = 1;
inline constexpr uint64_t kInterruptTimer = 5;
inline constexpr uint64_t kInterruptExternal = 9;

// satp in Sv39 mode.
inline constexpr uint64_t kSatpSv39 = UINT64_C(8) << 60;

inline void disable_interrupts() {
    KERNEL_CSR_CLEAR("sstatus", kSstatusInterruptsOn);
}
inline void enable_interrupts() {
    KERNEL_CSR_SET("sstatus", kSstatusInterruptsOn);
}
inline bool interrupts_enabled() {
    return (KERNEL_CSR_READ("sstatus") & kSstatusInterruptsOn) != 0;
}

// Waits until an interrupt is pending, whether or not it will be taken.
inline void wait_for_interrupt() {
    asm volatile("wfi" : : : "memory");
}

// Makes earlier writes to page tables count for every later translation on this hart.
inline void flush_translations() {
    asm volatile("sfence.vma zero, zero" : : : "memory");
}

// Makes earlier writes to memory count for every later instruction fetch on this hart.
inline void flush_instructions() {
    asm volatile("fence.i" : : : "memory");
}

// The number of the hart that executes this. The kernel keeps it in tp; REQUIRES: interrupts are off, or the caller
// does not mind that the thread may move to another hart at once.
inline size_t hart_number() {
    size_t number;
    asm volatile("mv %0, tp" : "=r"(number));
    return number;
}

}  // namespace kernel
