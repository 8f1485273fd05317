// Kernels that do their worst before they ever reach user mode, one for each name that the build defines. Each goes on
// for ever: the board's budget is what ends it.
//
// They have a memset, as kernels of the xv6 family do, and so get the budget of those.

#define CLINT_COMPARE 0x02004000
#define UART 0x10000000
#define DISK 0x10001000
#define RINGS 0x80200000    // descriptors; the available and the used ring are the next two pages

#define QUEUE_SIZE 1024

    .section .text
    .globl _start
_start:
    la      sp, stack_end
    la      t0, machine_trap
    csrw    mtvec, t0

#if defined(PRINT_FOR_EVER)
    li      t0, UART
    li      t1, 0x1b            // escape: the terminal must not see it
1:  sb      t1, 0(t0)
    j       1b

#elif defined(WILD_RINGS) || defined(LEGACY_WILD_RINGS)
    // Queues at each of these places, one after the other, for ever.
1:  la      s0, wild_places
    la      s1, wild_places_end
2:  ld      a0, 0(s0)
    li      a1, 0
    call    set_up_queue
    call    notify
    addi    s0, s0, 8
    bne     s0, s1, 2b
    j       1b

#elif defined(WILD_SEGMENTS)
    // Requests whose data lies at each of these places, with each of these lengths.
1:  la      s0, wild_places
    la      s1, wild_places_end
2:  la      s2, wild_lengths
    la      s3, wild_lengths_end
3:  li      a0, RINGS
    li      a1, 1
    call    set_up_queue
    ld      a0, 0(s0)
    lwu     a1, 0(s2)
    li      a2, 0               // read from sector 0 to there
    call    request
    addi    s2, s2, 4
    bne     s2, s3, 3b
    addi    s0, s0, 8
    bne     s0, s1, 2b
    j       1b

#elif defined(WILD_SECTORS)
1:  li      a0, RINGS
    li      a1, 1
    call    set_up_queue
    li      a0, RINGS + 0x4000
    li      a1, 512
    li      a2, 1 << 60
    call    request
    li      a0, RINGS
    li      a1, 1
    call    set_up_queue
    li      a0, RINGS + 0x4000
    li      a1, 512
    li      a2, -1
    call    request
    j       1b

#elif defined(CHAIN_LOOP)
    // A chain whose every descriptor goes on with the next one, and the last with the first.
1:  li      a0, RINGS
    li      a1, 1
    call    set_up_queue
    call    long_chain
    li      t1, 1               // flags: goes on; next: 0
    li      t0, RINGS + QUEUE_SIZE * 16 - 4
    sw      t1, 0(t0)
    call    notify
    j       1b

#elif defined(LONGEST_CHAINS)
    // As many requests as fit, each as long as can be, and none of them well formed: much to follow, nothing to move.
    li      a0, RINGS
    li      a1, QUEUE_SIZE
    call    set_up_queue
    call    long_chain
1:  call    notify
    li      t0, RINGS + 0x4002
    lhu     t1, 0(t0)
    addi    t1, t1, QUEUE_SIZE / 2
    addi    t1, t1, QUEUE_SIZE / 2
    sh      t1, 0(t0)
    j       1b

#elif defined(REWRITE_CODE)
    // Changes an instruction, and the page after it, and executes it, for ever.
    la      t0, changing
    la      t1, changing_other
    lw      t2, 0(t0)
    lw      t3, 0(t1)
1:  sw      t3, 0(t0)
    fence.i
    call    changing
    sw      t2, 0(t0)
    fence.i
    call    changing
    j       1b
    .balign 4
changing:
    .option push
    .option norvc
    addi    s0, s0, 1
    ret
changing_other:
    addi    s0, s0, 2
    .option pop

#elif defined(SATP_OUTSIDE_RAM)
    li      a0, (8 << 60) | 0xfffffffffff
    j       to_supervisor
#elif defined(SATP_RESERVED_MODE)
    li      a0, (13 << 60) | 0x80000
    j       to_supervisor
#elif defined(TABLE_LOOP)
    // A root whose every entry points to the root itself.
    la      t0, page
    srli    t1, t0, 12
    slli    t1, t1, 10
    ori     t1, t1, 1
    li      t2, 512
1:  sd      t1, 0(t0)
    addi    t0, t0, 8
    addi    t2, t2, -1
    bnez    t2, 1b
    la      a0, page
    srli    a0, a0, 12
    li      t0, 8 << 60
    or      a0, a0, t0
    j       to_supervisor
#elif defined(WILD_TRAP_VECTOR)
    // The first trap goes where nothing is, which is the next trap.
    li      a0, 0
    li      t0, 0x0123456789abcdec
    csrw    stvec, t0
    j       to_supervisor

#elif defined(FLUSH_FOR_EVER)
    // No translation lives longer than one access.
1:  sfence.vma
    ld      t0, 0(sp)
    sfence.vma
    sd      t0, -2048(sp)
    j       1b

#elif defined(INTERRUPT_STORM)
    // The timer is always due, and its handler does nothing about it.
    li      t0, CLINT_COMPARE
    sd      zero, 0(t0)
    li      t0, 1 << 7
    csrw    mie, t0
    csrsi   mstatus, 8
1:  j       1b
#elif defined(WAIT_FOR_NOTHING)
    csrw    mie, zero
    csrci   mstatus, 8
1:  wfi
    j       1b
#elif defined(WAIT_FOR_MASKED_TIMER)
    // The timer wakes the hart, which may not take the interrupt and waits again.
    li      t0, CLINT_COMPARE
    sd      zero, 0(t0)
    li      t0, 1 << 7
    csrw    mie, t0
    csrci   mstatus, 8
1:  wfi
    j       1b
#elif defined(MANY_SATP_WRITES)
    // Each such instruction is one that the board keeps an eye on.
1:  j       1b
    .rept   1 << 18
    csrw    satp, zero
    .endr
#else
#error "which of them?"
#endif

    .balign 4
machine_trap:
    mret

// S-mode with satp = a0, all exceptions delegated.
to_supervisor:
    li      t0, -1
    csrw    pmpaddr0, t0
    li      t0, 0xf
    csrw    pmpcfg0, t0
    li      t0, 0xffff
    csrw    medeleg, t0
    li      t0, 3 << 11
    csrc    mstatus, t0
    li      t0, 1 << 11
    csrs    mstatus, t0
    la      t0, 1f
    csrw    mepc, t0
    mret
1:  csrw    satp, a0
    sfence.vma
    .word   0
2:  j       2b

// Queue 0 with its three parts at a0, a0 + 0x4000 and a0 + 0x8000; a1 requests are waiting.
set_up_queue:
    li      t0, DISK
    sw      zero, 0x70(t0)
    li      t1, 15
    sw      t1, 0x70(t0)
    sw      zero, 0x30(t0)
    li      t1, QUEUE_SIZE
    sw      t1, 0x38(t0)
#if defined(LEGACY_WILD_RINGS)
    li      t1, 0xfffff000
    sw      t1, 0x28(t0)        // bytes in a page
    li      t1, 0x80000000
    sw      t1, 0x3c(t0)        // alignment
    sw      a0, 0x40(t0)
#else
    mv      t1, a0
    sw      t1, 0x80(t0)
    srli    t1, t1, 32
    sw      t1, 0x84(t0)
    li      t1, 0x4000
    add     t1, a0, t1
    sw      t1, 0x90(t0)
    srli    t1, t1, 32
    sw      t1, 0x94(t0)
    li      t1, 0x8000
    add     t1, a0, t1
    sw      t1, 0xa0(t0)
    srli    t1, t1, 32
    sw      t1, 0xa4(t0)
    li      t1, 1
    sw      t1, 0x44(t0)
#endif
    li      t0, RINGS + 0x4000
    sh      a1, 2(t0)
    ret

notify:
    li      t0, DISK
    sw      zero, 0x50(t0)
    ret

// A request that reads a1 bytes from sector a2 on to a0.
request:
    li      t0, RINGS
    li      t1, RINGS + 0x10000
    sw      zero, 0(t1)
    sd      a2, 8(t1)
    sd      t1, 0(t0)
    li      t2, 16 | (1 << 32) | (1 << 48)
    sd      t2, 8(t0)
    sd      a0, 16(t0)
    sw      a1, 24(t0)
    li      t2, 3 | (2 << 16)
    sw      t2, 28(t0)
    addi    t1, t1, 16
    sd      t1, 32(t0)
    li      t2, 1 | (2 << 32)
    sd      t2, 40(t0)
    j       notify

// Descriptors of no bytes, each followed by the next.
long_chain:
    li      t0, RINGS
    mv      t1, t0
    li      t2, 1
    li      t3, QUEUE_SIZE
1:  li      t4, 0x80300000
    sd      t4, 0(t1)
    sw      zero, 8(t1)
    li      t4, 1
    bne     t2, t3, 2f
    li      t4, 0
2:  sh      t4, 12(t1)
    sh      t2, 14(t1)
    addi    t1, t1, 16
    addi    t2, t2, 1
    bleu    t2, t3, 1b
    ret

    .globl  memset
    .type   memset, @function
memset:
    ret
    .size   memset, . - memset

    .balign 8
wild_places:
    .dword  0, UART, DISK, 0x7ffffff8, 0x87fffff8, 0x88000000, 0xfffffffffffffff8, 0xffffffff00000000, 0x8000000080000000
wild_places_end:
wild_lengths:
    .word   0, 512, 0x80000000, 0xfffffe00, 0xffffffff
wild_lengths_end:

    .balign 4096
page:
    .zero   4096
stack:
    .zero   8192
stack_end:
