#pragma once
// System call numbers of xv6-riscv (kernel/syscall.h; the same in every vintage), as far as steps need them.

#include <cstdint>

namespace vmcheck::syscalls {

inline constexpr std::uint64_t kFork = 1, kExit = 2, kWait = 3, kPipe = 4, kRead = 5, kKill = 6, kExec = 7, kFstat = 8,
                               kSbrk = 12, kOpen = 15, kWrite = 16, kClose = 21;

// The second argument of sbrk in the 2025 tree (user/user.h); other kernels ignore it.
inline constexpr std::uint64_t kSbrkEager = 1, kSbrkLazy = 2;

inline constexpr std::uint64_t kReadOnly = 0;  // O_RDONLY (kernel/fcntl.h)

}  // namespace vmcheck::syscalls
