#pragma once
// The tests of usertests, by what they are about. Each runs in a child of its own, and returns 0, or the number of the
// step that went wrong. Its processes, memory and descriptors need not be tidied up; its files, which have names that
// no other test uses, are removed by itself.

#include "user/check.h"

namespace user {

struct NamedTest {
    char const* name;
    int (*body)();
};
struct TestList {
    NamedTest const* tests;
    int count;
};
template <size_t count>
constexpr TestList list_of(NamedTest const (&tests)[count]) {
    return {tests, static_cast<int>(count)};
}

extern TestList const memory_tests;
extern TestList const sharing_tests;
extern TestList const process_tests;
extern TestList const exec_tests;
extern TestList const pipe_tests;
extern TestList const argument_tests;
extern TestList const file_tests;
extern TestList const directory_tests;

// What a program of ours does that was executed by a test with these arguments: its exit status. -1: not such a one.
int executed_by_a_test(int argument_count, char** arguments);

// Addresses that are never a process's: between the break and the trapframe, those above, the kernel's and devices'.
inline constexpr uint64_t kWildAddresses[] = {
    uint64_t{1} << 30,  uint64_t{1} << 36,  0x3fffffe000,       0x3ffffff000,      uint64_t{1} << 38,
    uint64_t{1} << 39,  0x80000000,         0x80200000,         0x10000000,        uint64_t{1} << 63,
    0xffffffc000000000, 0xffffffff80000000, 0xfffffffffffff000, 0xffffffffffffffff};

// Whether all of the bytes are that value.
inline bool all_are(char const* bytes, int count, char value) {
    for (int i = 0; i < count; i++)
        if (bytes[i] != value) return false;
    return true;
}
inline void fill(char* bytes, int count, char value) {
    for (int i = 0; i < count; i++) bytes[i] = value;
}

// Reads until there is nothing more or the buffer is full.
inline int read_all(int file, char* to, int bytes) {
    int done = 0;
    while (done < bytes) {
        int const got = read(file, to + done, bytes - done);
        if (got <= 0) break;
        done += got;
    }
    return done;
}

}  // namespace user
