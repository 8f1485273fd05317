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

TestList memory_tests();
TestList sharing_tests();
TestList process_tests();
TestList exec_tests();
TestList pipe_tests();
TestList argument_tests();
TestList file_tests();
TestList directory_tests();

// What a program of ours does that was executed by a test with these arguments: its exit status. -1: not such a one.
int executed_by_a_test(int argument_count, char** arguments);

// Addresses that are never a process's: between the break and the trapframe, those above, the kernel's and devices'.
inline constexpr uint64_t kWildAddresses[] = {
    uint64_t{1} << 30,  uint64_t{1} << 36,  0x3fffffe000,       0x3ffffff000,      uint64_t{1} << 38,
    uint64_t{1} << 39,  0x80000000,         0x80200000,         0x10000000,        uint64_t{1} << 63,
    0xffffffc000000000, 0xffffffff80000000, 0xfffffffffffff000, 0xffffffffffffffff};

// A child that is told to go on, so that a test decides what comes first.
class Gate {
  public:
    bool make() { return pipe(ends_) == 0; }
    void open() const { write(ends_[1], "g", 1); }
    void pass() const {
        char go;
        read(ends_[0], &go, 1);
    }

  private:
    int ends_[2] = {-1, -1};
};

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

// Waits for all children; how many ended with 0.
inline int reap_all() {
    int good = 0;
    for (int status = 0; wait(&status) > 0;) good += status == 0 ? 1 : 0;
    return good;
}

}  // namespace user
