#pragma once
// Time: a tick every 100 ms, by which processes are preempted, sleep, and measure uptime. It comes from the hart's own
// supervisor timer (Sstc extension), or from machine mode, which has the CLINT's timer and passes each tick on as a
// software interrupt (riscv/machine_timer.S).

#include "config.h"
#include "riscv/csr.h"

namespace kernel {

// As what a tick interrupts us (in sie, sip and scause).
inline constexpr uint64_t kTickInterrupt = kTimerSource == TimerSource::clint ? kInterruptSoftware : kInterruptTimer;

// Asks for this hart's first tick. Once on each hart, at boot.
void initialize_timer();

// Counts the tick that came, and asks for the next.
void timer_interrupt();

// Ticks since boot. It wraps, as xv6's does.
uint32_t uptime();

// Sleeps for that many ticks; false when the current process was killed meanwhile.
bool sleep_ticks(uint32_t ticks);

}  // namespace kernel
