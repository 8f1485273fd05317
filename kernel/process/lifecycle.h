#pragma once
// How processes come, end, and are waited for. All of it on behalf of the current process.

#include "process/process.h"

namespace kernel {

// Makes the first process, which will execute /init: the kernel does that for it, or a small program in the kernel's
// image (config.h). Once, at boot.
void create_init();

// What the first process does before it is in user mode: mounts the file system and (unless it does so itself)
// executes /init. Panics if it cannot.
void run_init();

// A child that goes on where its parent does, with 0 in a0. Returns its pid; -1, with nothing left behind, when the
// table is full or memory is exhausted.
int fork_process();

// Ends the current process; its parent can wait for it. Panics when it is the first process.
[[noreturn]] void exit_process(int status);

// Waits for a child to end, stores its status at `status_address` unless that is 0, and gives back all that it had.
// Returns its pid; -1 when there is no child, when this process was killed, or when the status cannot be stored (the
// child can then be waited for again).
int wait_for_child(VirtAddr status_address);

// Tells the process with `pid` to end. It does so when it next leaves the kernel, or is woken to. -1 when there is
// no such process.
int kill_process(int pid);

}  // namespace kernel
