/* What the first process begins with in kernels that are built so (KERNEL_FIRST_PROCESS=small_program): one page of
   code, copied to address 0, which executes /init. It reaches its data relative to the program counter, so it runs
   wherever it is copied to. */

.section .rodata
.balign 8
.globl first_program_start
first_program_start:
        lla     a0, path
        lla     a1, arguments
        li      a7, 7                   /* exec */
        ecall
1:      li      a0, 1                   /* not reached, unless there is no /init */
        li      a7, 2                   /* exit */
        ecall
        j       1b
path:
        .asciz  "/init"
.balign 8
arguments:
        .dword  path - first_program_start, 0
.globl first_program_end
first_program_end:
