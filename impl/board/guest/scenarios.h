#pragma once
// What the test guest (scenarios.S) can do: the number goes to a1, parameters to a2 and a3. Used by C++ and assembly.
// A scenario that comes to an end says so by an ecall in M- or S-mode that nobody handles: a MachineTrap stop.

#define SCENARIO_HYPERCALLS 0   /* U-mode: hypercalls for ever; after each, t0 += a0 */
#define SCENARIO_SSTC_TIMER 1   /* the same, with a stimecmp timer that counts in kTicksAt */
#define SCENARIO_CLINT_TIMER 2  /* the same, with a CLINT timer, an M-mode vector and SSIP */
#define SCENARIO_ILLEGAL_IN_M 3 /* an illegal instruction in M-mode, no M-mode vector */
#define SCENARIO_LOOP_IN_M 4    /* jumps to itself */
#define SCENARIO_LOOP_IN_U 5
#define SCENARIO_FETCH_TRAP_LOOP 6   /* S-mode, stvec where nothing is */
#define SCENARIO_ILLEGAL_TRAP_LOOP 7 /* S-mode, stvec at an illegal instruction */
#define SCENARIO_WAIT_FOR_NOTHING 8  /* S-mode: wfi in a loop, interrupts off, no timer */
#define SCENARIO_WAIT_FOR_TIMER 9    /* S-mode: wfi in a loop, interrupts off, stimecmp set anew each time; counts */
#define SCENARIO_MODIFY_CODE 10      /* M-mode: rewrites and calls a function 100 times; t0 = the sum of its results */
#define SCENARIO_PRINT_FOR_EVER 11
#define SCENARIO_DEVICE_WRITES 12  /* M-mode: a3 pairs (address, value) of doublewords at a2, stored as words */
#define SCENARIO_SATP 13           /* S-mode: satp = a2, then goes on there; an exception loops to stvec */
#define SCENARIO_MEMORY_CALLS 14   /* S-mode under satp = a2: a series of memset, memmove and memcpy calls */
#define SCENARIO_ECHO 15           /* S-mode: sends back what is typed, by PLIC interrupts */
#define SCENARIO_SCRIBBLE 16       /* U-mode: hypercall; then writes a0 all over 16 pages and prints; for ever */
#define SCENARIO_CALL_AT 17        /* S-mode under satp = a2: calls a3, then ends */
#define SCENARIO_LOAD_IN_U 18      /* U-mode under satp = a2: hypercall; then loads from a0; for ever */
#define SCENARIO_STORE_IN_U 19     /* U-mode under satp = a2: hypercall; then stores a1 to a0; for ever */
#define SCENARIO_EBREAK_IN_U 20    /* U-mode: ebreak; the handler ends */
#define SCENARIO_READ_HART 21      /* M-mode: stores mhartid + 1 at kHartsAt + 8 * mhartid, then loops */
#define SCENARIO_CALL_USER_CODE 22 /* U-mode: hypercall; then calls a0, which returns a number in a0; for ever */
#define SCENARIO_READ_TIME 23      /* S-mode: rdtime into t0, ends */
#define SCENARIO_SWITCH_SATP \
    24 /* S-mode: t0 = the doubleword at 0x1000 under satp a2, t1 = the same under a3; no sfence */

/* Of several harts, in harts.S */
#define SCENARIO_RESERVATION 25    /* a0 of hart 0 = what sc said after the others had stored */
#define SCENARIO_COUNT_TOGETHER 26 /* at GUEST_SHARED_AT 2 * a2, and 24 bytes further a2, for each of a3 harts */
#define SCENARIO_PASS_CODE 27      /* t0 of hart 0 = 1 + 2 + ... + a2 */
#define SCENARIO_WAKE_UP 28        /* hart 0 is woken a2 times */
#define SCENARIO_OWN_TIMERS 29     /* mtime at GUEST_HARTS_AT + 8 * hart, when its timer had fired */
#define SCENARIO_COUNT_ALONE 30    /* at GUEST_SHARED_AT a2 for each of a3 harts, or less */

/* Where scenarios keep numbers that tests look at. */
#define GUEST_TICKS_AT 0x80010000
#define GUEST_CAUSE_AT 0x80010008 /* of the last trap to the S-mode handler: scause, sepc, stval */
#define GUEST_HARTS_AT 0x80010100
#define GUEST_SHARED_AT 0x80020000
#define GUEST_SCRIBBLE_AT 0x80040000
#define GUEST_BUFFERS_AT 0x80080000
