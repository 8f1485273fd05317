// Machine mode, once at boot: gives the supervisor all of memory, all traps and a timer, and drops into it.

#include "config.h"
#include "riscv/csr.h"
#include "riscv/layout.h"

extern "C" {
extern char machine_timer_vector[];
[[noreturn]] void start_machine();
}

namespace kernel {

[[noreturn]] void kernel_main();

namespace {

// What machine_timer.S works with; one for each hart.
struct MachineTimer {
    uint64_t saved[2];
    uint64_t volatile* now;      // the CLINT's mtime
    uint64_t volatile* compare;  // this hart's mtimecmp
    uint64_t interval;
};
static_assert(offsetof(MachineTimer, saved) == MACHINE_TIMER_SAVED);
static_assert(offsetof(MachineTimer, now) == MACHINE_TIMER_NOW);
static_assert(offsetof(MachineTimer, compare) == MACHINE_TIMER_COMPARE);
static_assert(offsetof(MachineTimer, interval) == MACHINE_TIMER_INTERVAL);
constinit MachineTimer machine_timers[kHartsMax] = {};

// The CLINT (QEMU, hw/intc/riscv_aclint.c): mtimecmp of each hart from 0x4000 on, mtime at 0xbff8.
void start_clint_timer() {
    constexpr uint64_t kMachineTimerInterrupt = 1 << 7;  // mie.MTIE

    size_t const hart = hart_number();
    MachineTimer& timer = machine_timers[hart];
    timer.now = pointer_to<uint64_t volatile>(kClint + 0xbff8);
    timer.compare = pointer_to<uint64_t volatile>(kClint + 0x4000 + 8 * hart);
    timer.interval = kTimerTicksPerInterrupt;
    *timer.compare = *timer.now + timer.interval;
    KERNEL_CSR_WRITE("mscratch", reinterpret_cast<uint64_t>(&timer));
    KERNEL_CSR_WRITE("mtvec", reinterpret_cast<uint64_t>(machine_timer_vector));
    KERNEL_CSR_SET("mie", kMachineTimerInterrupt);
}

void allow_supervisor_timer() {
    constexpr uint64_t kSupervisorTimer = UINT64_C(1) << 63;  // menvcfg.STCE: stimecmp works
    constexpr uint64_t kTimeRegister = 1 << 1;                // mcounteren.TM: supervisor may read `time`

    KERNEL_CSR_WRITE(KERNEL_CSR_MENVCFG, KERNEL_CSR_READ(KERNEL_CSR_MENVCFG) | kSupervisorTimer);
    KERNEL_CSR_WRITE("mcounteren", KERNEL_CSR_READ("mcounteren") | kTimeRegister);
}

// Without this, a hart that has physical memory protection refuses everything to the supervisor. Kernels of 2020 were
// written for machines that have none.
void open_physical_memory() {
    constexpr uint64_t kTopOfRange = 0xf;                       // pmpcfg: A = TOR, X, W, R
    constexpr uint64_t kAllOfMemory = (UINT64_C(1) << 54) - 1;  // pmpaddr holds bits 55:2 of an address

    KERNEL_CSR_WRITE("pmpaddr0", kAllOfMemory);
    KERNEL_CSR_WRITE("pmpcfg0", kTopOfRange);
}

}  // namespace
}  // namespace kernel

void start_machine() {
    using namespace kernel;
    constexpr uint64_t kPreviousModeMask = UINT64_C(3) << 11;  // mstatus.MPP
    constexpr uint64_t kPreviousModeSupervisor = UINT64_C(1) << 11;
    constexpr uint64_t kAllTraps = 0xffff;

    uint64_t const status = KERNEL_CSR_READ("mstatus");
    KERNEL_CSR_WRITE("mstatus", (status & ~kPreviousModeMask) | kPreviousModeSupervisor);
    KERNEL_CSR_WRITE("mepc", reinterpret_cast<uint64_t>(&kernel_main));
    KERNEL_CSR_WRITE("satp", 0);

    KERNEL_CSR_WRITE("medeleg", kAllTraps);
    KERNEL_CSR_WRITE("mideleg", kAllTraps);

    if constexpr (kMemoryProtection == MemoryProtection::opened) open_physical_memory();
    if constexpr (kTimerSource == TimerSource::clint) {
        start_clint_timer();
    } else {
        allow_supervisor_timer();
    }

    asm volatile("mret");
    __builtin_unreachable();
}
