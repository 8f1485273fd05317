# Where exec begins a program: a0 and a1 are argc and argv already. What main returns is the exit status.
        .section .text.start, "ax"
        .globl _start
        nop                             # some kernels take no program that starts at 0
_start:
        call    main
        li      a7, 2                   # exit
        ecall
