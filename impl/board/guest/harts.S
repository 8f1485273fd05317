// Scenarios of several harts, in M-mode: included by scenarios.S. What they share lies at GUEST_SHARED_AT.
#define CLINT_MSIP 0x02000000
#define SHARED_COUNT 0
#define SHARED_FLAG 8
#define SHARED_LOCK 16
#define SHARED_COUNT_LOCKED 24

// Hart 0 reserves a word, is busy elsewhere for long, and tries to store. The others store what is there already.
// a0 = the result of sc at the end.
reservation:
    li t0, GUEST_SHARED_AT
    bnez a0, 3f
    lr.d t1, (t0)
    li t2, 2000
1:  addi t2, t2, -1
    bnez t2, 1b
    sc.d a0, t1, (t0)
    finish
3:  sd zero, SHARED_COUNT(t0)
    j 3b

// Each hart counts, a2 times in each of three ways: by amoadd and by lr/sc in one place, by load and store under a lock
// in another. The last one to be done ends.
count_together:
    li t0, GUEST_SHARED_AT
    addi t3, t0, SHARED_LOCK
    li t1, 1
    mv s0, a2
1:  amoadd.d zero, t1, (t0)
2:  lr.d t2, (t0)
    addi t2, t2, 1
    sc.d t4, t2, (t0)
    bnez t4, 2b
3:  amoswap.d.aq t4, t1, (t3)
    bnez t4, 3b
    ld t2, SHARED_COUNT_LOCKED(t0)
    call add_one
    sd t2, SHARED_COUNT_LOCKED(t0)
    amoswap.d.rl zero, zero, (t3)
    addi s0, s0, -1
    bnez s0, 1b
    addi t0, t0, SHARED_FLAG
    amoadd.d t2, t1, (t0)
    addi t2, t2, 1
    beq t2, a3, 4f
5:  j 5b
4:  finish
add_one:                    // a block of its own, so that a turn may end between the load and the store
    addi t2, t2, 1
    ret

// Each hart counts a2 times in one word, without a lock, by a load and a store with nothing but an addition between. The
// last one to be done ends.
count_alone:
    li t0, GUEST_SHARED_AT
    li t1, 1
1:  ld t2, SHARED_COUNT(t0)
    addi t2, t2, 1
    sd t2, SHARED_COUNT(t0)
    addi a2, a2, -1
    bnez a2, 1b
    addi t0, t0, SHARED_FLAG
    amoadd.d t2, t1, (t0)
    addi t2, t2, 1
    beq t2, a3, 2f
3:  j 3b
2:  finish

// Hart 1 rewrites a function, hart 0 calls it; they take turns, a2 times, by a flag that each waits for.
// t0 of hart 0 = the sum of its results.
pass_code:
    li t5, GUEST_SHARED_AT
    la t3, passed_code
    li s0, 0                // round
    li t0, 0
    bnez a0, 4f
1:  ld t1, SHARED_FLAG(t5)
    beq t1, s0, 1b
    fence.i
    jalr ra, t3
    add t0, t0, a0
    addi s0, s0, 1
    sd s0, SHARED_COUNT(t5)
    bne s0, a2, 1b
    finish
4:  addi s0, s0, 1
    slli t1, s0, 20         // addi a0, zero, round; the immediate is in bits 31:20
    li t2, 0x00000513
    or t1, t1, t2
    sw t1, 0(t3)
    fence
    sd s0, SHARED_FLAG(t5)
5:  ld t1, SHARED_COUNT(t5)
    bne t1, s0, 5b
    j 4b
    .balign 4096
passed_code:
    .word 0x00000513
    .option push
    .option norvc
    ret
    .option pop
    .balign 4096

// Hart 0 waits for software interrupts that hart 1 raises, and answers each; a2 times. Both count in SHARED_COUNT.
wake_up:
    li t0, GUEST_SHARED_AT
    li t1, CLINT_MSIP
    li t2, 8                // MSIE; taken never, since mstatus.MIE is 0
    li s0, 0
    bnez a0, 4f
    csrw mie, t2
1:  wfi
    lw t2, 0(t1)
    beqz t2, 1b
    sw zero, 0(t1)
    addi s0, s0, 1
    sd s0, SHARED_COUNT(t0)
    bne s0, a2, 1b
    finish
4:  addi s0, s0, 1
    li t2, 1
    sw t2, 0(t1)
5:  ld t2, SHARED_COUNT(t0)
    bne t2, s0, 5b
    j 4b

// Each hart sets its own CLINT timer, hart h to fire (h + 1) * 100 units from now, and notes when it came.
own_timers:
    la t0, own_timer
    csrw mtvec, t0
    li t0, CLINT_MTIME
    ld t1, 0(t0)
    addi t2, a0, 1
    li t3, 100
    mul t2, t2, t3
    add t1, t1, t2
    li t0, CLINT_MTIMECMP
    slli t2, a0, 3
    add t0, t0, t2
    sd t1, 0(t0)
    li t0, 0x80
    csrw mie, t0
    csrsi mstatus, 8
1:  wfi
    j 1b
    .balign 4
own_timer:                  // mie becomes 0, so it comes once
    csrw mie, zero
    li t0, GUEST_HARTS_AT
    slli t1, a0, 3
    add t0, t0, t1
    li t1, CLINT_MTIME
    ld t1, 0(t1)
    sd t1, 0(t0)
    mret
