/* switch_context(Context* from, Context const* to): leaves one kernel thread and continues another, where that one
   once called switch_context itself. To the compiler it is a call like any other: only callee-saved registers live
   across it. struct Context (process/process.h) is ra, sp, s0...s11. */

.section .text, "ax"
.balign 4
.globl switch_context
.type switch_context, @function
switch_context:
        sd      ra, 0(a0)
        sd      sp, 8(a0)
        .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11
        sd      s\n, 8*(2+\n)(a0)
        .endr
        ld      ra, 0(a1)
        ld      sp, 8(a1)
        .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11
        ld      s\n, 8*(2+\n)(a1)
        .endr
        ret
.size switch_context, . - switch_context
