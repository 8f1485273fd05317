// Machine mode, once at boot: gives the supervisor all of memory, all traps and the timer, and drops into it.

#include "riscv/csr.h"

namespace kernel {

[[noreturn]] void kernel_main();

}  // namespace kernel

extern "C" [[noreturn]] void start_machine() {
    constexpr uint64_t kPreviousModeMask = UINT64_C(3) << 11;  // mstatus.MPP
    constexpr uint64_t kPreviousModeSupervisor = UINT64_C(1) << 11;
    constexpr uint64_t kAllTraps = 0xffff;
    constexpr uint64_t kTopOfRange = 0xf;                       // pmpcfg: A = TOR, X, W, R
    constexpr uint64_t kAllOfMemory = (UINT64_C(1) << 54) - 1;  // pmpaddr holds bits 55:2 of an address
    constexpr uint64_t kSupervisorTimer = UINT64_C(1) << 63;    // menvcfg.STCE: stimecmp works
    constexpr uint64_t kTimeRegister = 1 << 1;                  // mcounteren.TM: supervisor may read `time`

    uint64_t const status = KERNEL_CSR_READ("mstatus");
    KERNEL_CSR_WRITE("mstatus", (status & ~kPreviousModeMask) | kPreviousModeSupervisor);
    KERNEL_CSR_WRITE("mepc", reinterpret_cast<uint64_t>(&kernel::kernel_main));
    KERNEL_CSR_WRITE("satp", 0);

    KERNEL_CSR_WRITE("medeleg", kAllTraps);
    KERNEL_CSR_WRITE("mideleg", kAllTraps);

    KERNEL_CSR_WRITE("pmpaddr0", kAllOfMemory);
    KERNEL_CSR_WRITE("pmpcfg0", kTopOfRange);

    KERNEL_CSR_WRITE(KERNEL_CSR_MENVCFG, KERNEL_CSR_READ(KERNEL_CSR_MENVCFG) | kSupervisorTimer);
    KERNEL_CSR_WRITE("mcounteren", KERNEL_CSR_READ("mcounteren") | kTimeRegister);

    asm volatile("mret");
    __builtin_unreachable();
}
