#pragma once
// System call numbers and constants: those of xv6-riscv (its syscall.h, fcntl.h), so that programs for it run here.
// Shared with user programs (user/system.h).

namespace kernel {

enum class SystemCall : unsigned long {
    fork = 1,
    exit = 2,
    wait = 3,
    pipe = 4,
    read = 5,
    kill = 6,
    exec = 7,
    fstat = 8,
    chdir = 9,
    dup = 10,
    getpid = 11,
    sbrk = 12,
    sleep = 13,
    uptime = 14,
    open = 15,
    write = 16,
    mknod = 17,
    unlink = 18,
    link = 19,
    mkdir = 20,
    close = 21,
};

// The second argument of sbrk in xv6-riscv of 2025 (its vm.h).
inline constexpr int kSbrkEager = 1;
inline constexpr int kSbrkLazy = 2;

inline constexpr int kConsoleMajor = 1;  // of its device node

inline constexpr unsigned kOpenForWriting = 0x001;
inline constexpr unsigned kOpenForBoth = 0x002;
inline constexpr unsigned kOpenCreate = 0x200;
inline constexpr unsigned kOpenTruncate = 0x400;

}  // namespace kernel
