#pragma once
// Who runs: round robin over the process table, one process at a time per hart, and the hart's idle thread when there
// is nothing to run. Threads hand over to each other directly; the process table's lock is held across each switch and
// is released by the thread that comes up.

#include "process/process.h"

namespace kernel {

// What a hart has of its own.
struct Hart {
    Process* current = nullptr;  // null while the idle thread runs
    Context idle;
};

// Whether a process runs on this hart, rather than the idle thread.
bool process_is_running();

// Lets the others run; returns when it is this process's turn again.
void yield();

// Sleeps until wake_all(channel), with `lock` released meanwhile. It may also return for no reason, or because the
// process was killed: call it in a loop that looks again. REQUIRES: `lock` is held by a SpinGuard, and is the only
// spin lock held.
void sleep_on(void const* channel, SpinLock& lock);

// Makes everyone who sleeps on `channel` runnable.
void wake_all(void const* channel);

// The same. REQUIRES: the process table is locked.
void wake_all_locked(void const* channel);

// Leaves this thread for the next runnable process. REQUIRES: the process table is locked, by the only spin lock held,
// and the state of the current process says what becomes of it.
void switch_away();

// Where a new process begins: its first return to user mode.
[[noreturn]] void process_begin();

// The idle thread of this hart: what the boot path ends in.
[[noreturn]] void idle();

}  // namespace kernel
