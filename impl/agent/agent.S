// The agent: the user program that does each step for real. It runs as /init and, by fork, as every other process.
//
// It asks the board for its next order with an ecall that the kernel never sees (impl/abi/agent_abi.h), does it, and
// asks again. All its state is in registers, so programs under test may damage any memory but its one code page.
// Beside that page lie victim pages of each kind: read-execute, read-only, initialised and zero-filled read-write.

#include "impl/abi/agent_abi.h"

    .option norvc               // each order below fits one 16-byte slot

    .section .agent, "ax"
    .globl _start
    nop                         // some kernels take no program that starts at 0
_start:
    li      a0, VMCHECK_AGENT_FRESH
ask:
    li      a7, VMCHECK_HYPERCALL
    ecall
    slli    t0, t0, 4           // order number -> slot
1:  auipc   t1, %pcrel_hi(orders)
    addi    t1, t1, %pcrel_lo(1b)
    add     t0, t0, t1
    jr      t0

    .balign 16
orders:
    ecall                       // VMCHECK_ORDER_SYSCALL
    j       ask
    .balign 16
    lbu     a0, 0(a1)           // VMCHECK_ORDER_LOAD_1
    j       ask
    .balign 16
    lhu     a0, 0(a1)
    j       ask
    .balign 16
    lwu     a0, 0(a1)
    j       ask
    .balign 16
    ld      a0, 0(a1)
    j       ask
    .balign 16
    sb      a2, 0(a1)           // VMCHECK_ORDER_STORE_1
    li      a0, 0
    j       ask
    .balign 16
    sh      a2, 0(a1)
    li      a0, 0
    j       ask
    .balign 16
    sw      a2, 0(a1)
    li      a0, 0
    j       ask
    .balign 16
    sd      a2, 0(a1)
    li      a0, 0
    j       ask
    .balign 16
    mv      sp, a1              // VMCHECK_ORDER_SET_SP
    li      a0, 0
    j       ask
    .balign 16
    li      a0, 0               // VMCHECK_ORDER_JUMP
    jalr    ra, 0(a1)
    j       ask

// What the agent's own calls need lies beside its code: a kernel that loads but code and data right still comes up.
    .balign 1024
own_path_data:
    .asciz "/data"
    .balign 16
    .asciz "/init"
    .balign 16
    .asciz "/large"
    .balign 16
    .asciz "/broken"
    .balign 16
    .dword 0

// Victim page of code: nothing but returns, so that a jump to any even offset of the filled part comes straight back.
    .section .victim_text, "ax"
    .globl victim_text
victim_text:
    .rept 128
    .half 0x8082                // c.jr ra
    .endr

// Victim page of constants. Its start doubles as paths for open() through a read-only page.
    .section .rodata, "a"
    .globl victim_rodata, path_data, path_init, no_arguments
victim_rodata:
path_data:
    .asciz "/data"
    .balign 16
path_init:
    .asciz "/init"
    .balign 16
no_arguments:
    .dword 0
    .balign 64
    .rept 24
    .dword 0x6f6e6c7972656164   // a pattern that is no small number and no pointer
    .endr

    .section .data, "aw"
    .globl victim_data
victim_data:
    .asciz "/data"              // a path in writable memory, for open() through a shared page
    .balign 64
    .rept 24
    .dword 0x6d7574617461626c
    .endr
    .dword victim_data, path_data, 0    // arguments for exec, beginning in writable memory

    .section .bss, "aw", @nobits
    .globl victim_bss
victim_bss:
    .space 4096

// What /large has beside that. More than a page of text, so that one segment takes two; data; and with its bss more
// than a process has mapped whose heap is small.
    .section .more_text, "ax"
    .rept 2048 + 32
    .half 0x8082
    .endr

    .section .more_data, "aw"
    .rept 8
    .dword 0x6567726c20736920
    .endr

    .section .more_bss, "aw", @nobits
    .space 0x9000 - 64
