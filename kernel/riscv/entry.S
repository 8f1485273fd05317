/* The first instructions. Every hart arrives here in machine mode (QEMU with -bios none jumps to the ELF entry) and goes
   on to start_machine() on a boot stack of its own; harts that there is no stack for sleep for good. */

#include "riscv/layout.h"

.section .text.entry, "ax"
.globl _entry
.type _entry, @function
_entry:
        csrr    tp, mhartid
        li      t0, LAYOUT_HARTS_MAX
        bgeu    tp, t0, park
        la      sp, boot_stacks
        addi    t0, tp, 1
        slli    t0, t0, 13
        add     sp, sp, t0
        li      s0, 0                   /* the end of the chain of frame pointers */
        call    start_machine
park:
        wfi
        j       park
.size _entry, . - _entry

.section .bss
.balign 4096
boot_stacks:
        .space  (1 << 13) * LAYOUT_HARTS_MAX
