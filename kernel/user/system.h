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
inline long call(Call number, uint64_t x = 0, uint64_t y = 0, uint64_t z = 0) {
    return system_call(static_cast<unsigned long>(number), x, y, z);
}

inline int fork() {
    return static_cast<int>(call(Call::fork));
}
[[noreturn]] inline void exit(int status) {
    call(Call::exit, word(status));
    __builtin_unreachable();
}
inline int wait(int* status) {
    return static_cast<int>(call(Call::wait, word(status)));
}
inline int pipe(int* ends) {
    return static_cast<int>(call(Call::pipe, word(ends)));
}
inline int read(int file, void* to, int bytes) {
    return static_cast<int>(call(Call::read, word(file), word(to), word(bytes)));
}
inline int write(int file, void const* from, int bytes) {
    return static_cast<int>(call(Call::write, word(file), word(from), word(bytes)));
}
inline int kill(int pid) {
    return static_cast<int>(call(Call::kill, word(pid)));
}
inline int exec(char const* path, char const* const* arguments) {
    return static_cast<int>(call(Call::exec, word(path), word(arguments)));
}
inline int open(char const* path, int mode) {
    return static_cast<int>(call(Call::open, word(path), word(mode)));
}
inline int close(int file) {
    return static_cast<int>(call(Call::close, word(file)));
}
inline int dup(int file) {
    return static_cast<int>(call(Call::dup, word(file)));
}
inline int fstat(int file, void* status) {
    return static_cast<int>(call(Call::fstat, word(file), word(status)));
}
inline int chdir(char const* path) {
    return static_cast<int>(call(Call::chdir, word(path)));
}
inline int mkdir(char const* path) {
    return static_cast<int>(call(Call::mkdir, word(path)));
}
inline int mknod(char const* path, int major, int minor) {
    return static_cast<int>(call(Call::mknod, word(path), word(major), word(minor)));
}
inline int link(char const* old_path, char const* new_path) {
    return static_cast<int>(call(Call::link, word(old_path), word(new_path)));
}
inline int unlink(char const* path) {
    return static_cast<int>(call(Call::unlink, word(path)));
}
inline int getpid() {
    return static_cast<int>(call(Call::getpid));
}
inline int sleep(int ticks) {
    return static_cast<int>(call(Call::sleep, word(ticks)));
}
inline int uptime() {
    return static_cast<int>(call(Call::uptime));
}

// The old break, where a heap that grows goes on; kNoMemory on failure. Kernels as of 2025 also want to be told when
// to find the memory; others do not look.
inline char* sbrk(int bytes, int mode = kernel::kSbrkLazy) {
    return reinterpret_cast<char*>(call(Call::sbrk, word(bytes), word(mode)));
}
inline char* const kNoMemory = reinterpret_cast<char*>(-1L);

inline constexpr int kReadOnly = 0;
inline constexpr int kWriteOnly = 1;
inline constexpr int kReadWrite = 2;
inline constexpr int kCreate = 0x200;
inline constexpr int kTruncate = 0x400;

}  // namespace user
