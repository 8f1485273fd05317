#pragma once
// Time: a tick every 100 ms, by which processes are preempted, sleep, and measure uptime. The hart's own supervisor
// timer (Sstc extension) gives it; what lies behind this interface is all that would change with another timer.

#include <stdint.h>

namespace kernel {

// Asks for this hart's first tick. Once on each hart, at boot.
void initialize_timer();

// Counts the tick that came, and asks for the next.
void timer_interrupt();

// Ticks since boot. It wraps, as xv6's does.
uint32_t uptime();

// Sleeps for that many ticks; false when the current process was killed meanwhile.
bool sleep_ticks(uint32_t ticks);

}  // namespace kernel
