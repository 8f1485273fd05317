// Two kernels that never reach user mode, chosen by the build: one loops, one first writes where no memory is.
    .section .text
    .globl _start
_start:
#ifdef WRITES_WILD
    li      t0, 0x40000000      // nothing lies there on QEMU's virt machine
    sd      t0, 0(t0)
#endif
1:  j       1b
