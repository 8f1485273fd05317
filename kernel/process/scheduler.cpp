#include "process/scheduler.h"

#include "base/panic.h"
#include "process/lifecycle.h"
#include "trap/trap.h"

extern "C" void switch_context(kernel::Context* from, kernel::Context const* to);

namespace kernel {
namespace {

constinit Hart harts[kHartsMax];

// REQUIRES: interrupts are off.
Hart& this_hart() {
    return harts[hart_number()];
}

// The runnable process that has waited longest by round robin; null when there is none.
Process* next_runnable() {
    Process* const begin = process_table.slots;
    Process* const end = begin + kProcessesMax;
    Process* const last = process_table.last_run != nullptr ? process_table.last_run : begin;
    for (Process* process = last + 1; process < end; process++)
        if (process->state == ProcessState::runnable) return process;
    for (Process* process = begin; process <= last; process++)
        if (process->state == ProcessState::runnable) return process;
    return nullptr;
}

}  // namespace

Process& current_process() {
    InterruptsOff guard;
    return *this_hart().current;
}

bool process_is_running() {
    InterruptsOff guard;
    return this_hart().current != nullptr;
}

void switch_away() {
    if (!process_table.lock.held()) panic("scheduler: switch without the lock");
    Hart& hart = this_hart();
    Process* const self = hart.current;
    Process* const next = next_runnable();
    if (next != nullptr) {
        next->state = ProcessState::running;
        process_table.last_run = next;
    }
    if (next == self) return;
    hart.current = next;
    switch_context(self != nullptr ? &self->context : &hart.idle, next != nullptr ? &next->context : &hart.idle);
}

void yield() {
    SpinGuard guard(process_table.lock);
    this_hart().current->state = ProcessState::runnable;
    switch_away();
}

void sleep_on(void const* channel, SpinLock& lock) {
    // The table's lock is taken before `lock` is let go, so that no wake_all() can fall in between.
    bool const other_lock = &lock != &process_table.lock;
    if (other_lock) {
        process_table.lock.acquire();
        lock.release();
    }
    Process& self = *this_hart().current;
    self.channel = channel;
    self.state = ProcessState::sleeping;
    switch_away();
    self.channel = nullptr;
    if (other_lock) {
        process_table.lock.release();
        lock.acquire();
    }
}

void wake_all(void const* channel) {
    SpinGuard guard(process_table.lock);
    wake_all_locked(channel);
}

void wake_all_locked(void const* channel) {
    for (Process& process : process_table.slots)
        if (process.state == ProcessState::sleeping && process.channel == channel)
            process.state = ProcessState::runnable;
}

void process_begin() {
    process_table.lock.release();  // taken by the thread that switched here
    enable_interrupts();
    if (&current_process() == process_table.init) run_init();
    return_to_user();
}

void idle() {
    for (;;) {
        {
            SpinGuard guard(process_table.lock);
            switch_away();
        }
        // Nothing is runnable. Interrupts are still off, so that one which comes now ends the wait and is not served,
        // and its sleeper overlooked, before the wait has begun.
        wait_for_interrupt();
        enable_interrupts();
        disable_interrupts();
    }
}

}  // namespace kernel
