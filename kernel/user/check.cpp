#include "user/check.h"

#include "base/memory.h"

namespace user {
namespace {

int passed_count = 0;
int failed_count = 0;
int free_at_first = -1;  // frames, before the first test

}  // namespace

void print(char const* text) {
    write(1, text, static_cast<int>(kernel::length_of(text)));
}

void print(int number) {
    char digits[12];
    char* at = digits + sizeof digits;
    *--at = 0;
    unsigned rest = static_cast<unsigned>(number < 0 ? -number : number);
    do {
        *--at = static_cast<char>('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (number < 0) *--at = '-';
    print(at);
}

void check(char const* what, bool passed) {
    (passed ? passed_count : failed_count)++;
    print(passed ? "pass  " : "FAIL  ");
    print(what);
    print("\n");
}

void begin_tests() {
    open_console();
    free_at_first = count_free_frames();
    print("free frames: ");
    print(free_at_first);
    print("\n");
}

void judge(char const* what, int status) {
    while (wait(nullptr) > 0) continue;  // for orphans of the test's
    int const free_now = count_free_frames();
    check(what, status == 0 && free_now == free_at_first);
    if (status != 0) {
        print("      its status: ");
        print(status);
        print("\n");
    }
    if (free_now != free_at_first) {
        print("      free frames: ");
        print(free_now);
        print("\n");
    }
}

void finish(char const* program) {
    print(program);
    print(": ");
    print(passed_count);
    print(" passed, ");
    print(failed_count);
    print(" failed\n");
    for (;;) sleep(1000);
}

void open_console() {
    if (open("console", kReadWrite) < 0) {
        mknod("console", kernel::kConsoleMajor, 0);
        open("console", kReadWrite);
    }
    dup(0);
    dup(0);
}

// The child says over a pipe when it has touched one page more; that it is killed, or refused, ends the count.
int count_free_frames() {
    int ends[2];
    if (pipe(ends) < 0) return -1;
    int const child = fork();
    if (child == 0) {
        close(ends[0]);
        for (int pages = 64; pages > 0;) {
            char* const heap = sbrk(pages * kPageBytes);
            if (heap == kNoMemory) pages /= 64;  // then page by page, and then no more
            for (int i = 0; heap != kNoMemory && i < pages; i++) {
                heap[i * kPageBytes] = 1;
                write(ends[1], heap, 1);
            }
        }
        exit(0);
    }
    close(ends[1]);
    int count = 0;
    char buffer[64];
    for (int got = read(ends[0], buffer, sizeof buffer); got > 0; got = read(ends[0], buffer, sizeof buffer))
        count += got;
    close(ends[0]);
    wait(nullptr);
    return count;
}

}  // namespace user
