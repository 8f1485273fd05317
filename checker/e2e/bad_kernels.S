// Three kernels that never reach user mode, chosen by the build: one loops; one first writes where no memory is; one wants
// a disk with virtio's legacy registers, as those of 2020 and 2021, and dies once it has found it.
    .section .text
    .globl _start
_start:
#ifdef WILD
    li      t0, 0x40000000      // nothing lies there on QEMU's virt machine
    sd      t0, 0(t0)
#endif
#ifdef LATE
    li      t0, 0x10001000      // the disk's registers
    lw      t1, 4(t0)           // Version
    li      t2, 1
    la      a0, no_disk
    bne     t1, t2, panic
    li      t0, 100
2:  addi    t0, t0, -1
    bnez    t0, 2b
    la      a0, late
    .globl panic
    .type panic, @function
panic:
#endif
1:  j       1b
#ifdef LATE
    .section .rodata
no_disk:
    .asciz "could not find virtio disk"
late:
    .asciz "kvmmap of the trampoline"
#endif
