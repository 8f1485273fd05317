#include "user/check.h"

#include "base/memory.h"

namespace user {
namespace {

int passed_count = 0;
int failed_count = 0;
int free_before = -1;  // frames, before the next test
int free_at_first = -1;
int keeper = -1;  // the process of leave_free()
char const* path = "";

constexpr char kKeep[] = "keep-memory";

// In the first process: the program as a child of it, and orphans, for as long as there are any.
[[noreturn]] void be_init(char** arguments) {
    int const child = fork();
    if (child == 0) {
        exec(path, arguments);
        print("it cannot be executed as a child\n");
        exit(1);
    }
    for (int status = 0;;) {
        int const ended = wait(&status);
        if (ended == child && status != 0) print("the test program ended with an error\n");
        if (ended < 0) sleep(1000);
    }
}

// The keeper: is told over a pipe how much to take, says when it has it, and waits for a word that never comes.
[[noreturn]] void keep_memory(int from, int to) {
    int frames = 0;
    read(from, &frames, sizeof frames);
    int chunk = 64;
    for (int kept = 0; kept < frames;) {
        char* const heap = sbrk(chunk * kPageBytes);
        if (heap == kNoMemory) break;
        for (int i = 0; i < chunk; i++) heap[i * kPageBytes] = 1;
        kept += chunk;
    }
    write(to, "k", 1);
    char never;
    read(from, &never, 1);
    exit(0);
}

// What is free now; where that differs from what was, asks again a little later, since what has ended may not have been
// waited for yet.
int settled_free_frames() {
    int now = count_free_frames(free_before);
    for (int i = 0; i < 3 && now != free_before; i++) {
        sleep(1);
        now = count_free_frames(free_before);
    }
    return now;
}

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

int reap_all(int wanted) {
    int reaped = 0;
    for (int status = 0; wait(&status) > 0;) reaped += status == wanted ? 1 : 0;
    return reaped;
}

bool exists(char const* path) {
    return status_of(path).links >= 0;
}

FileStatus status_of(char const* path) {
    FileStatus status{};
    int const file = open(path, kReadOnly);
    if (file < 0 || fstat(file, &status) != 0) status.type = status.links = -1;
    close(file);
    return status;
}

int number_in(char const* text) {
    int number = 0;
    for (; *text >= '0' && *text <= '9'; text++) number = number * 10 + (*text - '0');
    return number;
}

void check(char const* what, bool passed) {
    (passed ? passed_count : failed_count)++;
    print(passed ? "pass  " : "FAIL  ", what, "\n");
}

void begin_tests(int argument_count, char** arguments) {
    if (argument_count == 4 && kernel::equal(arguments[1], kKeep)) keep_memory(*arguments[2], *arguments[3]);
    open_console();
    path = argument_count > 0 ? arguments[0] : "/init";
    if (getpid() == 1) be_init(arguments);
    free_at_first = free_before = count_free_frames();
    print("free frames: ", free_before, "\n");
}

char const* own_path() {
    return path;
}

void leave_free(int frames) {
    int const excess = free_before - frames;
    int down[2];
    int up[2];
    if (excess <= 0 || pipe(down) != 0 || pipe(up) != 0) return;
    keeper = fork();
    if (keeper == 0) {
        // An image of its own, so that it shares no page with the tests. Descriptors are characters: below 16, never 0.
        char const from[] = {static_cast<char>(down[0]), 0};
        char const to[] = {static_cast<char>(up[1]), 0};
        char const* const arguments[] = {path, kKeep, from, to, nullptr};
        exec(path, arguments);
        exit(1);
    }
    close(up[1]);
    write(down[1], &excess, sizeof excess);
    char kept;
    read(up[0], &kept, 1);
    close(down[0]);
    close(down[1]);
    close(up[0]);
    free_before = count_free_frames(frames - frames / 4);
    print("from here on: ", free_before, "\n");
}

void leave_all_free() {
    if (keeper < 0) return;
    kill(keeper);
    wait(nullptr);
    keeper = -1;
    free_before = free_at_first;
}

int free_frames() {
    return free_before;
}

void judge(char const* what, int status) {
    int const before = free_before;
    free_before = settled_free_frames();
    check(what, status == 0 && free_before == before);
    if (status != 0) print("      its status: ", status, "\n");
    if (free_before != before) print("      free frames: ", before, " before, ", free_before, " after\n");
}

void finish(char const* program) {
    leave_all_free();
    print(program, ": ", passed_count, " passed, ", failed_count, " failed\n");
    if (getpid() != 1) exit(failed_count < kFailuresMax ? failed_count : kFailuresMax);
    for (;;) sleep(1000);
}

void open_console() {
    int const open_already = dup(0);
    if (open_already >= 0) {
        close(open_already);
        return;
    }
    if (open("console", kReadWrite) < 0) {
        mknod("console", kernel::kConsoleMajor, 0);
        open("console", kReadWrite);
    }
    dup(0);
    dup(0);
}

namespace {

// Takes page after page until it is killed or refused, and says over `to` when it has one more. Of the first `silent`
// pages it says so once for all.
void take_pages(int silent, int to) {
    int taken = 0;
    for (int pages = 64; pages > 0;) {
        char* const heap = sbrk(pages * kPageBytes);
        if (heap == kNoMemory) pages /= 64;  // then page by page, and then no more
        for (int i = 0; heap != kNoMemory && i < pages; i++) {
            heap[i * kPageBytes] = 1;
            if (++taken >= silent) write(to, heap, 1);
        }
    }
}

// How many pages a child can take, if it is at least `silent`; 0 if it is fewer.
int count_pages(int silent) {
    int ends[2];
    if (pipe(ends) < 0) return -1;
    int const child = fork();
    if (child == 0) {
        close(ends[0]);
        take_pages(silent, ends[1]);
        exit(0);
    }
    close(ends[1]);
    int said = 0;
    char buffer[64];
    for (int got = read(ends[0], buffer, sizeof buffer); got > 0; got = read(ends[0], buffer, sizeof buffer))
        said += got;
    close(ends[0]);
    while (child > 0 && wait(nullptr) != child) continue;
    return said == 0 ? 0 : silent + said - 1;
}

}  // namespace

int count_free_frames(int likely) {
    constexpr int kMargin = 64;
    int const count = likely > kMargin ? count_pages(likely - kMargin) : 0;
    return count > 0 ? count : count_pages(1);
}

}  // namespace user
