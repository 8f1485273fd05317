#pragma once
// The kernel's own address space (drawn in riscv/layout.h): everything at its physical address, with no more rights
// than it needs, and a hole below each kernel stack.

#include <stdint.h>

namespace kernel {

// Builds it; once, at boot. Panics when memory is exhausted.
void initialize_kernel_table();

// Lets this hart run on it.
void enter_kernel_table();

// The value of satp that selects it.
uint64_t kernel_satp();

}  // namespace kernel
