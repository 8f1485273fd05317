#include "devices/timer.h"

#include "process/scheduler.h"

namespace kernel {
namespace {

struct Clock {
    SpinLock lock;
    uint32_t ticks = 0;
};
constinit Clock clock;

void ask_for_next_tick() {
    if constexpr (kTimerSource == TimerSource::clint) {
        // Machine mode has asked already (riscv/machine_timer.S); its message to us has arrived.
        KERNEL_CSR_CLEAR("sip", UINT64_C(1) << kInterruptSoftware);
    } else {
        KERNEL_CSR_WRITE(KERNEL_CSR_STIMECMP, KERNEL_CSR_READ("time") + kTimerTicksPerInterrupt);
    }
}

}  // namespace

void initialize_timer() {
    ask_for_next_tick();
}

void timer_interrupt() {
    ask_for_next_tick();
    if (hart_number() != 0) return;  // one hart counts for all
    SpinGuard guard(clock.lock);
    clock.ticks++;
    wake_all(&clock);
}

uint32_t uptime() {
    SpinGuard guard(clock.lock);
    return clock.ticks;
}

bool sleep_ticks(uint32_t ticks) {
    SpinGuard guard(clock.lock);
    for (uint32_t const begin = clock.ticks; clock.ticks - begin < ticks;) {
        if (is_killed(current_process())) return false;
        sleep_on(&clock, clock.lock);
    }
    return true;
}

}  // namespace kernel
