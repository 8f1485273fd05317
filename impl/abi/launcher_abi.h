#pragma once
// The contract between the launcher (impl/program/guest/launcher.c, /init on the disks of `vmcheck run`) and the board.
//
// The launcher executes `ecall` with a7 = VMCHECK_HYPERCALL, a0 = one of the words below and a1 = its value. The board
// notes it and goes on after the ecall. On other machines the kernel sees a system call that it does not know; the
// launcher does not mind.
//
// Used by C++ and by C, hence macros.

#define VMCHECK_LAUNCHER_STARTED 1    /* user mode has been reached */
#define VMCHECK_LAUNCHER_NO_COMMAND 2 /* the file with the command cannot be read */
#define VMCHECK_LAUNCHER_NO_FORK 3    /* fork failed */
#define VMCHECK_LAUNCHER_NO_EXEC 4    /* exec returned */
#define VMCHECK_LAUNCHER_ENDED 5      /* a1: the program's exit status; -1 when it was killed */
#define VMCHECK_LAUNCHER_LOST 6       /* wait says that there is no child, or stored no status */

/* Where the command is: its words, each closed by a zero byte. */
#define VMCHECK_LAUNCHER_FILE "vmcheck.cmd"
#define VMCHECK_LAUNCHER_BYTES_MAX 1024
#define VMCHECK_LAUNCHER_WORDS_MAX 30
