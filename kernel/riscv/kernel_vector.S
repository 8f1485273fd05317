/* stvec points here while kernel code runs: an interrupt, or a defect of the kernel's own. It is served on the stack
   of the thread that was interrupted. Only what a C++ function may change is saved; it saves the rest itself.
   tp is left alone: the thread may have moved to another hart when this returns. */

.section .text, "ax"
.balign 4
.globl kernel_vector
.type kernel_vector, @function
kernel_vector:
        addi    sp, sp, -16 * 8
        sd      ra, 0(sp)
        .irp    n, 0,1,2,3,4,5,6,7
        sd      a\n, 8*(1+\n)(sp)
        .endr
        .irp    n, 0,1,2,3,4,5,6
        sd      t\n, 8*(9+\n)(sp)
        .endr
        call    kernel_trap
        ld      ra, 0(sp)
        .irp    n, 0,1,2,3,4,5,6,7
        ld      a\n, 8*(1+\n)(sp)
        .endr
        .irp    n, 0,1,2,3,4,5,6
        ld      t\n, 8*(9+\n)(sp)
        .endr
        addi    sp, sp, 16 * 8
        sret
.size kernel_vector, . - kernel_vector
