// The first process on the disks of `vmcheck run`: opens the console, starts the one program that the command file
// names, and tells the board how it ended (impl/abi/launcher_abi.h). Needs nothing but what xv6 of any year has.

#include "impl/abi/agent_abi.h"
#include "impl/abi/launcher_abi.h"

// xv6 kernel/syscall.h, kernel/fcntl.h
enum {
    kFork = 1,
    kExit = 2,
    kWait = 3,
    kRead = 5,
    kExec = 7,
    kDup = 10,
    kGetpid = 11,
    kSleep = 13,
    kOpen = 15,
    kMknod = 17,
    kClose = 21
};
enum { kReadOnly = 0, kReadWrite = 2, kConsoleMajor = 1, kUntold = 0x7ffffffe };

static long call(long number, long a, long b, long c) {
    register long a0 __asm__("a0") = a;
    register long a1 __asm__("a1") = b;
    register long a2 __asm__("a2") = c;
    register long a7 __asm__("a7") = number;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
    return a0;
}

static void tell(long word, long value) {
    call(VMCHECK_HYPERCALL, word, value, 0);
}

static char command[VMCHECK_LAUNCHER_BYTES_MAX];
static char *words[VMCHECK_LAUNCHER_WORDS_MAX + 1];

static int read_command(void) {
    long const file = call(kOpen, (long)VMCHECK_LAUNCHER_FILE, kReadOnly, 0);
    long const bytes = file < 0 ? -1 : call(kRead, file, (long)command, sizeof command);
    int count = 0;
    call(kClose, file, 0, 0);
    for (long start = 0, at = 0; at < bytes && count < VMCHECK_LAUNCHER_WORDS_MAX; at++)
        if (command[at] == 0) {
            words[count++] = command + start;
            start = at + 1;
        }
    return count;
}

static void start_and_wait(void) {
    int status = kUntold;
    long const child = call(kFork, 0, 0, 0);
    long ended;
    if (child < 0) {
        tell(VMCHECK_LAUNCHER_NO_FORK, 0);
        return;
    }
    if (child == 0) {
        call(kExec, (long)words[0], (long)words, 0);
        tell(VMCHECK_LAUNCHER_NO_EXEC, 0);
        call(kExit, 127, 0, 0);
    }
    do
        ended = call(kWait, (long)&status, 0, 0);
    while (ended > 0 && ended != child);
    if (ended == child && status != kUntold)
        tell(VMCHECK_LAUNCHER_ENDED, status);
    else
        tell(VMCHECK_LAUNCHER_LOST, 0);
}

void _start(void) {
    if (call(kGetpid, 0, 0, 0) != 1) call(kExit, 126, 0, 0);  // somebody runs /init for a test
    if (call(kOpen, (long)"console", kReadWrite, 0) < 0) {
        call(kMknod, (long)"console", kConsoleMajor, 0);
        call(kOpen, (long)"console", kReadWrite, 0);
    }
    call(kDup, 0, 0, 0);
    call(kDup, 0, 0, 0);
    tell(VMCHECK_LAUNCHER_STARTED, 0);
    if (read_command() > 0)
        start_and_wait();
    else
        tell(VMCHECK_LAUNCHER_NO_COMMAND, 0);
    for (;;)  // the first process must not end; it may go on collecting orphans
        if (call(kWait, 0, 0, 0) < 0) call(kSleep, 100, 0, 0);
}
