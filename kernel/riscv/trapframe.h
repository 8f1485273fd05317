#pragma once
// The page through which user and kernel mode hand over to each other: user registers go in at a trap and come out at
// the return; the kernel's own four words say where a trap continues. One per process, mapped just below the
// trampoline in its address space.

#include "riscv/layout.h"

namespace kernel {

struct Trapframe {
    uint64_t program_counter;  // in the place of x0, which needs none
    uint64_t ra, sp, gp, tp;
    uint64_t t0, t1, t2;
    uint64_t s0, s1;
    uint64_t a[8];
    uint64_t s2_to_s11[10];
    uint64_t t3, t4, t5, t6;

    uint64_t kernel_satp;
    uint64_t kernel_stack;  // its top
    uint64_t kernel_entry;  // user_trap()
    uint64_t kernel_hart;
};
static_assert(offsetof(Trapframe, a) == 8 * 10);
static_assert(offsetof(Trapframe, t6) == 8 * 31);
static_assert(offsetof(Trapframe, kernel_satp) == TRAPFRAME_KERNEL_SATP);
static_assert(offsetof(Trapframe, kernel_stack) == TRAPFRAME_KERNEL_STACK);
static_assert(offsetof(Trapframe, kernel_entry) == TRAPFRAME_KERNEL_ENTRY);
static_assert(offsetof(Trapframe, kernel_hart) == TRAPFRAME_KERNEL_HART);

}  // namespace kernel
