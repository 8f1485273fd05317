#pragma once
// The contract between the agent (a user program inside the guest) and the board that hosts it.
//
// The agent executes `ecall` with a7 = kHypercall. The board answers that ecall itself; the kernel never sees it.
// At the ecall the agent hands over, and the board replies by writing registers and continuing after the ecall:
//
//     agent -> board   a0   the result of the order just done, or kAgentFresh when the agent has only just started
//                      s11  the identity that the board last wrote there (0 in a fresh agent)
//     board -> agent   t0   the order (below)      a0...a5, a7  its arguments
//                      s11  the identity to keep: it survives system calls, and fork hands it to the child as well
//
// Used by C++ and by assembly, hence macros. This header is all that kernel-side code and host code share.

#define VMCHECK_HYPERCALL 0x766d63       /* "vmc" */
#define VMCHECK_AGENT_FRESH 0x6672657368 /* "fresh" */

#define VMCHECK_ORDER_SYSCALL 0 /* ecall with a7, a0...a5 as given; result a0 */
#define VMCHECK_ORDER_LOAD_1 1  /* zero-extending load of 1 byte at a1; result the value */
#define VMCHECK_ORDER_LOAD_2 2
#define VMCHECK_ORDER_LOAD_4 3
#define VMCHECK_ORDER_LOAD_8 4
#define VMCHECK_ORDER_STORE_1 5 /* store the low byte of a2 at a1; result 0 */
#define VMCHECK_ORDER_STORE_2 6
#define VMCHECK_ORDER_STORE_4 7
#define VMCHECK_ORDER_STORE_8 8
#define VMCHECK_ORDER_SET_SP 9 /* sp = a1; result 0 */
#define VMCHECK_ORDER_JUMP 10  /* call a1; result a0 as the code there left it */
