#pragma once
// System calls, as a program sees them. Each returns -1 when it fails.

#include "syscall/numbers.h"

#include <stddef.h>
#include <stdint.h>

namespace user {

inline long system_call(unsigned long number, uint64_t x = 0, uint64_t y = 0, uint64_t z = 0) {
    register uint64_t a0 asm("a0") = x;
    register uint64_t a1 asm("a1") = y;
    register uint64_t a2 asm("a2") = z;
    register uint64_t a7 asm("a7") = number;
    asm volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
    return static_cast<long>(a0);
}

using Call = kernel::SystemCall;

inline uint64_t word(void const* pointer) {
    return reinterpret_cast<uint64_t>(pointer);
}
inline uint64_t word(int number) {
    return static_cast<uint64_t>(number);
}

// A system call as a function: its number, and what it takes.
template <Call number, class... Parameters>
struct Function {
    int operator()(Parameters... parameters) const {
        return static_cast<int>(system_call(static_cast<unsigned long>(number), word(parameters)...));
    }
};
inline constexpr Function<Call::fork> fork;
inline constexpr Function<Call::wait, int*> wait;                             // where the status goes, or null
inline constexpr Function<Call::pipe, int*> pipe;                             // two files
inline constexpr Function<Call::read, int, void*, int> read;                  // file, to, bytes
inline constexpr Function<Call::write, int, void const*, int> write;          // file, from, bytes
inline constexpr Function<Call::kill, int> kill;                              // pid
inline constexpr Function<Call::exec, char const*, char const* const*> exec;  // path, arguments
inline constexpr Function<Call::open, char const*, int> open;                 // path, mode
inline constexpr Function<Call::close, int> close;                            // file
inline constexpr Function<Call::dup, int> dup;                                // file
inline constexpr Function<Call::fstat, int, void*> fstat;                     // file, FileStatus
inline constexpr Function<Call::chdir, char const*> chdir;
inline constexpr Function<Call::mkdir, char const*> mkdir;
inline constexpr Function<Call::mknod, char const*, int, int> mknod;   // path, major, minor
inline constexpr Function<Call::link, char const*, char const*> link;  // old path, new path
inline constexpr Function<Call::unlink, char const*> unlink;
inline constexpr Function<Call::getpid> getpid;
inline constexpr Function<Call::sleep, int> sleep;  // ticks
inline constexpr Function<Call::uptime> uptime;

[[noreturn]] inline void exit(int status) {
    system_call(static_cast<unsigned long>(Call::exit), word(status));
    __builtin_unreachable();
}

// The old break, where a heap that grows goes on; kNoMemory on failure. Kernels as of 2025 also want to be told when
// to find the memory; others do not look.
inline char* sbrk(int bytes, int mode = kernel::kSbrkLazy) {
    return reinterpret_cast<char*>(system_call(static_cast<unsigned long>(Call::sbrk), word(bytes), word(mode)));
}
inline char* const kNoMemory = reinterpret_cast<char*>(-1L);

// What fstat stores.
struct FileStatus {
    int device;
    unsigned inode;
    short type;  // 1: a directory, 2: a file, 3: a device
    short links;
    unsigned long bytes;
};

inline constexpr int kReadOnly = 0;
inline constexpr int kWriteOnly = 1;
inline constexpr int kReadWrite = 2;
inline constexpr int kCreate = 0x200;
inline constexpr int kTruncate = 0x400;

}  // namespace user
