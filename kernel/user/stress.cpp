// Drives a kernel to its limits, installed as /init: full process table, full memory, full descriptor table, calls that
// fail half-way, kills at any moment. After each, exactly as many frames must be free as at the beginning. Its last
// line is "stress: N passed, M failed".

#include "base/memory.h"
#include "user/check.h"

using namespace user;

namespace {

constexpr int kProcessesMax = 64;
constexpr int kPages = 40;
constexpr int kForever = 1'000'000;
constexpr uint64_t kNowhere = 0x4000000000;

char pages[kPages * kPageBytes];
int free_at_start;

void fill(char* start, int count, int seed) {
    for (int i = 0; i < count; i++) start[i * kPageBytes] = static_cast<char>(i + seed);
}

bool holds(char const* start, int count, int seed) {
    for (int i = 0; i < count; i++)
        if (start[i * kPageBytes] != static_cast<char>(i + seed)) return false;
    return true;
}

void check_nothing_lost(char const* after_what) {
    int const now = count_free_frames();
    if (now != free_at_start) print("      free frames: ", free_at_start, " before, ", now, " now\n");
    check(after_what, now == free_at_start);
}

void full_process_table() {
    int pids[kProcessesMax];
    int forked = 0;
    for (int& pid : pids) {
        pid = fork();
        if (pid == 0) {
            fill(pages, kPages, forked);
            sleep(kForever);
        }
        if (pid < 0) break;
        forked++;
    }
    check("fork fails when the process table is full, and not before", forked == kProcessesMax - 1);
    for (int i = 0; i < forked; i++) kill(pids[i]);
    check("all of them can be killed and waited for", reap_all(-1) == forked);
    check_nothing_lost("a full process table leaves nothing behind");
}

// In a child with `spare` free frames or so: everything that needs memory, in turn. Returns 0 when each either
// succeeded or failed cleanly.
int use_what_is_left(int spare) {
    int const mine = free_at_start - spare;
    char* const heap = sbrk(mine * kPageBytes);
    if (heap == kNoMemory) return 0;
    fill(heap, mine, spare);
    int ends[2];
    if (pipe(ends) == 0) {
        // The kernel stores into a page that may not be had.
        write(ends[1], "x", 1);
        char* const fresh = sbrk(kPageBytes);
        if (fresh != kNoMemory) read(ends[0], fresh, 1);
        close(ends[0]);
        close(ends[1]);
    }
    int const child = fork();
    if (child == 0) {
        fill(heap, mine, spare + 1);  // killed, under copy on write: there is no memory for that
        exit(holds(heap, mine, spare + 1) ? 0 : 1);
    }
    int status = 0;
    if (child > 0 && (wait(&status) != child || status == 1)) return 2;
    if (wait(nullptr) != -1) return 3;
    if (!holds(heap, mine, spare)) return 4;
    char const* const arguments[] = {"init", "exec-child", nullptr};
    exec("/init", arguments);
    return 0;
}

void full_memory() {
    bool good = true;
    for (int spare = -2; spare < 24; spare++) {
        int const status = status_of_child([spare] { return use_what_is_left(spare); });
        // 42: exec succeeded. Killed (-1): it wanted more pages than there are.
        if (status == 0 || status == 42 || (status == -1 && spare <= 4)) continue;
        good = false;
        print("      with spare frames ", spare, ": status ", status, "\n");
    }
    check("with memory full, calls fail and the data stays", good);
    check_nothing_lost("full memory leaves nothing behind");
}

// Returns 0 when a heap with holes of megabytes works, and is inherited.
int use_sparse_heap() {
    constexpr int kBytes = 1 << 30;
    constexpr int kStride = 1 << 26;
    char* const heap = sbrk(kBytes);
    if (heap == kNoMemory) return 0;  // eager sbrk: there is not so much
    for (int at = 0; at < kBytes; at += kStride) heap[at] = 5;
    int const status = status_of_child([heap] {
        for (int at = 0; at < kBytes; at += kStride) {
            if (heap[at] != 5 || heap[at + kPageBytes] != 0) return 1;
            heap[at] = 6;
        }
        return 0;
    });
    if (status != 0) return 1;
    for (int at = 0; at < kBytes; at += kStride)
        if (heap[at] != 5) return 2;
    sbrk(-kBytes);
    sbrk(kBytes);
    return heap[0] == 0 && heap[kBytes - 1] == 0 ? 0 : 3;
}

void sparse_heap() {
    check("a heap with holes of megabytes is inherited, and given back", status_of_child(use_sparse_heap) == 0);
    check("sbrk refuses what is out of range", sbrk(-2147483647 - 1) == kNoMemory);
    int const status = status_of_child([] {
        int grown = 0;
        while (grown < 200 && sbrk(2147483647) != kNoMemory) grown++;
        return grown;
    });
    check("sbrk stops at the trapframe, if not before", status < 128);
    check_nothing_lost("sparse heaps leave nothing behind");
}

void full_descriptor_table() {
    int const status = status_of_child([] {
        int ends[2];
        int opened = 0;
        while (pipe(ends) == 0) opened++;
        if (opened != 6 || dup(0) != 15 || dup(0) != -1 || pipe(ends) != -1) return 1;  // 16, less the console's 3
        if (close(15) != 0 || pipe(ends) != -1 || dup(0) != 15) return 2;
        return 0;
    });
    check("calls fail when all descriptors are used", status == 0);
    int ends[2];
    bool const refused = pipe(reinterpret_cast<int*>(kNowhere)) == -1 && pipe(nullptr) == -1;
    check("a pipe whose ends cannot be told is not made", refused && pipe(ends) == 0 && ends[0] == 3);
    close(ends[0]);
    close(ends[1]);
    check_nothing_lost("descriptors leave nothing behind");
}

void bad_exec() {
    static char huge[2 * kPageBytes];
    static char const* many[40];
    for (char& byte : huge) byte = 'x';
    for (char const*& argument : many) argument = "x";
    char const* const too_long[] = {huge, nullptr};
    char const* const wild[] = {"x", reinterpret_cast<char const*>(kNowhere), nullptr};
    char const* const fine[] = {"init", nullptr};
    check("exec refuses arguments that are too long, too many or wild",
          exec("/init", too_long) == -1 && exec("/init", many) == -1 && exec("/init", wild) == -1);
    check("exec refuses paths that are too long or wild",
          exec(huge, fine) == -1 && exec(reinterpret_cast<char const*>(kNowhere), fine) == -1);
    check_nothing_lost("failed execs leave nothing behind");
}

void orphans() {
    int const status = status_of_child([] {
        for (int i = 0; i < 3; i++)
            if (fork() == 0) {
                sleep(1);
                exit(3);
            }
        return 9;
    });
    int sum = 0;
    for (int each = 0; wait(&each) > 0;) sum += each;
    check("init gets the orphans", status == 9 && sum == 9);
    int const child = fork();
    if (child == 0) exit(4);
    int again = 0;
    bool const failed = wait(reinterpret_cast<int*>(kNowhere)) == -1;
    check("a wait that cannot store the status can be repeated", failed && wait(&again) == child && again == 4);
    check_nothing_lost("orphans leave nothing behind");
}

// Several families at once, preempted at any instruction, each sure of its own data; half of them killed at work.
void families() {
    int pids[8];
    for (int& pid : pids) {
        pid = fork();
        if (pid != 0) continue;
        int const seed = getpid();
        int const until = uptime() + 6;
        while (uptime() < until) {
            fill(pages, kPages, seed);
            int const status = status_of_child([seed] {
                if (!holds(pages, kPages, seed)) return 1;
                fill(pages, kPages / 2, seed + 7);
                char* const heap = sbrk(8 * kPageBytes);
                fill(heap, 8, seed);
                return holds(pages, kPages / 2, seed + 7) && holds(heap, 8, seed) ? 0 : 2;
            });
            if (status != 0 || !holds(pages, kPages, seed)) exit(1);
        }
        exit(0);
    }
    sleep(3);
    for (int i = 0; i < 8; i += 2) kill(pids[i]);
    int killed = 0;
    int fine = 0;
    for (int status = 0, pid = wait(&status); pid > 0; pid = wait(&status)) {
        bool const of_ours = [&pids, pid] {
            for (int each : pids)
                if (each == pid) return true;
            return false;
        }();
        if (of_ours) (status == -1 ? killed : fine) += status == -1 || status == 0 ? 1 : 0;
    }
    check("families at work at once keep their data", killed == 4 && fine == 4);
    check_nothing_lost("families leave nothing behind");
}

}  // namespace

int main(int argument_count, char** arguments) {
    if (argument_count == 2 && kernel::equal(arguments[1], "exec-child")) return 42;
    open_console();
    free_at_start = count_free_frames();
    check("memory can be counted", free_at_start > 1000);
    check_nothing_lost("and counts the same again");
    full_process_table();
    full_descriptor_table();
    bad_exec();
    orphans();
    sparse_heap();
    families();
    full_memory();
    finish("stress");
}
