/* The first instructions. Every hart arrives here in machine mode (QEMU with -bios none jumps to the ELF entry).
   Hart 0 goes on to start_machine() on the boot stack; the others sleep for good, as the kernel runs on one hart. */

.section .text.entry, "ax"
.globl _entry
.type _entry, @function
_entry:
        csrr    tp, mhartid
        bnez    tp, park
        la      sp, boot_stack_top
        li      s0, 0                   /* the end of the chain of frame pointers */
        call    start_machine
park:
        wfi
        j       park
.size _entry, . - _entry

.section .bss
.balign 4096
boot_stack:
        .space  4096 * 2
boot_stack_top:
