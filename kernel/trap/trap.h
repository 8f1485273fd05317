#pragma once
// Traps: system calls, page faults, interrupts, and whatever else a process or the kernel does wrong.

namespace kernel {

// Lets this hart take traps. Once on each hart, at boot.
void initialize_traps();

// Goes to user mode, as the current process's trapframe says.
[[noreturn]] void return_to_user();

}  // namespace kernel
