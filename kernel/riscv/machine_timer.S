/* mtvec points here where the timer is the CLINT's, whose interrupt only machine mode can take: asks for the next one,
   and passes this one on to supervisor mode as a software interrupt. It may come between any two instructions, so
   every register is left as it was. mscratch holds the address of this hart's struct MachineTimer
   (start_machine.cpp). */

#include "riscv/layout.h"

.section .text, "ax"
.balign 4
.globl machine_timer_vector
.type machine_timer_vector, @function
machine_timer_vector:
        csrrw   a0, mscratch, a0
        sd      a1, MACHINE_TIMER_SAVED(a0)
        sd      a2, MACHINE_TIMER_SAVED + 8(a0)

        ld      a1, MACHINE_TIMER_NOW(a0)
        ld      a1, 0(a1)
        ld      a2, MACHINE_TIMER_INTERVAL(a0)
        add     a2, a2, a1
        ld      a1, MACHINE_TIMER_COMPARE(a0)
        sd      a2, 0(a1)
        li      a1, 1 << 1              /* SSIP */
        csrs    mip, a1

        ld      a1, MACHINE_TIMER_SAVED(a0)
        ld      a2, MACHINE_TIMER_SAVED + 8(a0)
        csrrw   a0, mscratch, a0
        mret
.size machine_timer_vector, . - machine_timer_vector
