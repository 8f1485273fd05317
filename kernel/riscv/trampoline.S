/* The way between user and kernel mode. This page is mapped at the same address in every address space, the kernel's
   included, so that the instruction after a switch of page tables is where it was before.

   One sfence.vma after each write of satp: all tables share ASID 0, so what was cached of the table left behind must
   go. This is also the fence for every change that the kernel makes to a user table: the kernel runs on its own table
   and reaches user memory by physical address, so a changed entry cannot be used before user_return has fenced. */

#include "riscv/layout.h"

.section .text.trampoline, "ax"
.balign 4096
.globl trampoline_start
trampoline_start:

/* stvec points here while user code runs. */
.globl user_entry
.type user_entry, @function
user_entry:
        csrw    sscratch, a0
        li      a0, LAYOUT_TRAPFRAME
        .irp    n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        sd      x\n, 8*\n(a0)
        .endr
        csrr    t0, sscratch
        sd      t0, 8*10(a0)

        ld      sp, TRAPFRAME_KERNEL_STACK(a0)
        ld      tp, TRAPFRAME_KERNEL_HART(a0)
        ld      t0, TRAPFRAME_KERNEL_ENTRY(a0)
        ld      t1, TRAPFRAME_KERNEL_SATP(a0)
        li      s0, 0                   /* the end of the chain of frame pointers */
        csrw    satp, t1
        sfence.vma zero, zero
        jr      t0
.size user_entry, . - user_entry

/* user_return(a0 = satp of the process): the rest of the way back. sepc and sstatus are set already. */
.globl user_return
.type user_return, @function
user_return:
        csrw    satp, a0
        sfence.vma zero, zero
        li      a0, LAYOUT_TRAPFRAME
        .irp    n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        ld      x\n, 8*\n(a0)
        .endr
        ld      a0, 8*10(a0)
        sret
.size user_return, . - user_return

.balign 4096
