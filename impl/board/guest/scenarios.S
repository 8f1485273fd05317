// A guest for the board's tests: see scenarios.h. Position: 0x80000000, entered in M-mode with the scenario in a1.
#include "impl/abi/agent_abi.h"
#include "impl/board/guest/scenarios.h"

#define UART 0x10000000
#define PLIC 0x0c000000
#define CLINT_MTIMECMP 0x02004000
#define CLINT_MTIME 0x0200bff8
#define MSTATUS_MPP 0x1800
#define MSTATUS_MPP_S 0x800
#define STIMECMP 0x14d
#define MENVCFG 0x30a
#define INTERVAL 10000

    .option norelax
    .section .text
    .globl _start
_start:
    la sp, stack_top
    la t0, table
    slli t1, a1, 3
    add t0, t0, t1
    ld t0, 0(t0)
    li t1, 0
    jr t0

    .balign 8
table:
    .dword hypercalls, sstc_timer, clint_timer, illegal_in_m, loop_in_m, loop_in_u, fetch_trap_loop
    .dword illegal_trap_loop, wait_for_nothing, wait_for_timer, modify_code, print_for_ever, device_writes
    .dword satp, memory_calls, echo, scribble, call_at, load_in_u, store_in_u, ebreak_in_u, read_hart
    .dword call_user_code, read_time, switch_satp, reservation, count_together, pass_code, wake_up, own_timers, count_alone

// Goes on in S-mode (bare) or U-mode at `target`. Delegated: all S-mode interrupts, and all exceptions but the ecalls
// from S- and M-mode.
    .macro enter_supervisor target
    la t6, \target
    li t5, MSTATUS_MPP_S
    j enter
    .endm
    .macro enter_user target
    la t6, \target
    li t5, 0
    j enter
    .endm
enter:
    csrw mepc, t6
    li t6, MSTATUS_MPP
    csrc mstatus, t6
    csrs mstatus, t5
    li t6, 0xf5ff
    csrw medeleg, t6
    li t6, 0x222
    csrw mideleg, t6
    la t6, handler
    csrw stvec, t6
    mret

    .macro finish
    ecall
    j .
    .endm

// --- U-mode and hypercalls -------------------------------------------------------------------------
hypercalls:
    li t0, 0
    enter_user hypercall_loop
hypercall_loop:
    li a7, VMCHECK_HYPERCALL
    ecall
    add t0, t0, a0
    j hypercall_loop

sstc_timer:
    li t0, 2
    csrw mcounteren, t0
    li t0, 1
    slli t0, t0, 63
    csrs MENVCFG, t0
    csrr t0, time
    li t1, INTERVAL
    add t0, t0, t1
    csrw STIMECMP, t0
    li t0, 0x20
    csrw mie, t0
    li t0, 0
    enter_user hypercall_loop

clint_timer:
    la t0, machine_timer
    csrw mtvec, t0
    li t0, CLINT_MTIME
    ld t1, 0(t0)
    li t2, INTERVAL
    add t1, t1, t2
    li t0, CLINT_MTIMECMP
    sd t1, 0(t0)
    li t0, 0x82
    csrw mie, t0
    li t0, 0
    enter_user hypercall_loop

    .balign 4
machine_timer:
    csrw mscratch, t1
    csrw sscratch, t2
    li t1, CLINT_MTIMECMP
    ld t2, 0(t1)
    addi t2, t2, 2047
    addi t2, t2, 2047
    sd t2, 0(t1)
    li t1, 2
    csrs mip, t1
    csrr t1, mscratch
    csrr t2, sscratch
    mret

// The S-mode handler: counts interrupts, notes exceptions. Keeps all registers but s2...s4.
    .balign 4
handler:
    csrr s2, scause
    li s3, GUEST_CAUSE_AT
    bltz s2, interrupt
    sd s2, 0(s3)
    csrr s2, sepc
    sd s2, 8(s3)
    csrr s2, stval
    sd s2, 16(s3)
    finish
interrupt:
    andi s2, s2, 0xf
    li s4, 9
    beq s2, s4, external
    li s3, GUEST_TICKS_AT
    ld s4, 0(s3)
    addi s4, s4, 1
    sd s4, 0(s3)
    li s4, 1
    beq s2, s4, software
    csrr s4, time
    li s3, INTERVAL
    add s4, s4, s3
    csrw STIMECMP, s4
    sret
software:
    csrci sip, 2
    sret
external:
    li s3, PLIC + 0x201004
    lw s2, 0(s3)
    li s4, UART
    lbu s5, 0(s4)
    sb s5, 0(s4)
    sw s2, 0(s3)
    sret

// --- traps, loops, waiting -----------------------------------------------------------------------
illegal_in_m:
    .word 0
    j .

loop_in_m:
    j loop_in_m

loop_in_u:
    enter_user loop_in_m

fetch_trap_loop:
    enter_supervisor fetch_trap_loop_in_s
fetch_trap_loop_in_s:
    csrw stvec, zero
    jr zero

illegal_trap_loop:
    enter_supervisor illegal_trap_loop_in_s
illegal_trap_loop_in_s:
    la t0, illegal_here
    csrw stvec, t0
    .balign 4
illegal_here:
    .word 0

wait_for_nothing:
    enter_supervisor wait_loop
wait_loop:
    wfi
    j wait_loop

wait_for_timer:
    li t0, 2
    csrw mcounteren, t0
    li t0, 1
    slli t0, t0, 63
    csrs MENVCFG, t0
    li t0, 0x20
    csrw mie, t0
    enter_supervisor wait_for_timer_in_s
wait_for_timer_in_s:
    li s3, GUEST_TICKS_AT
1:  csrr t0, time
    li t1, 1000000
    add t0, t0, t1
    csrw STIMECMP, t0
2:  wfi
    csrr t1, time
    bltu t1, t0, 2b
    ld s4, 0(s3)
    addi s4, s4, 1
    sd s4, 0(s3)
    j 1b

ebreak_in_u:
    enter_user ebreak_here
ebreak_here:
    nop
    c.ebreak
    j .

read_time:
    li t0, 2
    csrw mcounteren, t0
    enter_supervisor read_time_in_s
read_time_in_s:
    csrr t0, time
    finish

// --- code ----------------------------------------------------------------------------------------
modify_code:
    li t0, 0            // sum
    li t1, 0            // round
    li t2, 100
    la t3, patched
1:  slli t4, t1, 20     // addi a0, zero, round; the immediate is in bits 31:20
    li t5, 0x00000513
    or t4, t4, t5
    sw t4, 0(t3)
    fence.i
    jalr ra, t3
    add t0, t0, a0
    addi t1, t1, 1
    blt t1, t2, 1b
    finish
    .balign 4
patched:
    .word 0x00000513
    .option push
    .option norvc
    ret
    .option pop

call_user_code:
    enter_user call_user_code_loop
call_user_code_loop:
    li a7, VMCHECK_HYPERCALL
    ecall
    jalr ra, a0
    j call_user_code_loop

// --- devices -------------------------------------------------------------------------------------
print_for_ever:
    li t0, UART
    li t1, 'x'
1:  sb t1, 0(t0)
    j 1b

device_writes:
    beqz a3, 1f
    ld t0, 0(a2)
    ld t1, 8(a2)
    sw t1, 0(t0)
    addi a2, a2, 16
    addi a3, a3, -1
    j device_writes
1:  finish

echo:
    li t0, PLIC
    li t1, 1
    sw t1, 40(t0)            // priority of source 10
    li t0, PLIC + 0x2080
    li t1, 1 << 10
    sw t1, 0(t0)             // enabled for S-mode of hart 0
    li t0, UART
    li t1, 1
    sb t1, 1(t0)             // interrupt on received data
    li t0, 0x200
    csrw mie, t0
    enter_supervisor echo_in_s
echo_in_s:
    csrsi sstatus, 2
1:  wfi
    j 1b

// --- memory --------------------------------------------------------------------------------------
satp:
    enter_supervisor satp_in_s
satp_in_s:
    la t0, 1f
    csrw satp, a2
    sfence.vma
    jr t0                 // what follows an sfence.vma in its block has been fetched already
1:  finish

switch_satp:
    enter_supervisor switch_satp_in_s
switch_satp_in_s:
    li t2, 0x1000
    csrw satp, a2
    sfence.vma
    ld t0, 0(t2)
    csrw satp, a3
    ld t1, 0(t2)
    finish

call_at:
    enter_supervisor call_at_in_s
call_at_in_s:
    csrw satp, a2
    sfence.vma
    jalr ra, a3
    finish

load_in_u:
    csrw satp, a2
    sfence.vma
    enter_user load_loop
    .balign 4096          // the pages from here on are the user's too
load_loop:
    li a7, VMCHECK_HYPERCALL
    ecall
load_here:
    ld a1, 0(a0)
    j load_loop

store_in_u:
    csrw satp, a2
    sfence.vma
    enter_user store_loop
store_loop:
    li a7, VMCHECK_HYPERCALL
    ecall
store_here:
    sd a1, 0(a0)
    j store_loop
    .balign 4096

read_hart:
    csrr t2, mhartid
    li t0, GUEST_HARTS_AT
    slli t1, t2, 3
    add t0, t0, t1
    addi t2, t2, 1
    sd t2, 0(t0)
    csrr t1, mhartid
    j .

scribble:
    enter_user scribble_loop
scribble_loop:
    li a7, VMCHECK_HYPERCALL
    ecall
    li t0, GUEST_SCRIBBLE_AT
    li t1, 16
    li t3, 4096
1:  sd a0, 0(t0)
    sd a0, 2040(t0)
    add t0, t0, t3
    addi t1, t1, -1
    bnez t1, 1b
    li t0, UART
    andi t1, a0, 0xf
    addi t1, t1, 'a'
    sb t1, 0(t0)
    j scribble_loop

// Calls of many sizes, alignments, and overlaps in both directions; some cross pages.
memory_calls:
    enter_supervisor memory_calls_in_s
memory_calls_in_s:
    csrw satp, a2
    sfence.vma
    li s0, GUEST_BUFFERS_AT
    li s1, 1
1:  mv a0, s0              // memset(buffer + 3 * i, i, 97 * i)
    slli t0, s1, 1
    add t0, t0, s1
    add a0, a0, t0
    mv a1, s1
    li t0, 97
    mul a2, s1, t0
    call guest_memset
    mv a0, s0              // memmove(buffer + 4096 + 5 * i, buffer + 2 * i, 97 * i)
    li t0, 4096
    add a0, a0, t0
    slli t0, s1, 2
    add t0, t0, s1
    add a0, a0, t0
    slli a1, s1, 1
    add a1, a1, s0
    li t0, 97
    mul a2, s1, t0
    call guest_memmove
    mv a0, s0              // memmove(buffer + i, buffer + 7, 2000): overlapping, forwards and backwards
    add a0, a0, s1
    addi a1, s0, 7
    li a2, 2000
    call guest_memmove
    mv a0, s0              // memcpy(buffer + 65536, buffer, 50 * i)
    li t0, 65536
    add a0, a0, t0
    mv a1, s0
    li t0, 50
    mul a2, s1, t0
    call guest_memcpy
    addi s1, s1, 1
    li t0, 60
    blt s1, t0, 1b
    finish

    .balign 16
guest_memset:              // at kGuestMemset
    mv t0, a0
    add t1, a0, a2
1:  beq t0, t1, 2f
    sb a1, 0(t0)
    addi t0, t0, 1
    j 1b
2:  ret

guest_memcpy:
guest_memmove:
    beqz a2, 3f
    bltu a1, a0, 2f
    mv t0, a0
    add t1, a0, a2
1:  lbu t2, 0(a1)
    sb t2, 0(t0)
    addi a1, a1, 1
    addi t0, t0, 1
    bne t0, t1, 1b
    ret
2:  add t0, a0, a2
    add a1, a1, a2
4:  addi a1, a1, -1
    addi t0, t0, -1
    lbu t2, 0(a1)
    sb t2, 0(t0)
    bne t0, a0, 4b
3:  ret

#include "impl/board/guest/harts.S"

    .section .bss
    .balign 4096
    .skip 4096
stack_top:
