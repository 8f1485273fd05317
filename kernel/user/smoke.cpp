// A first program for a kernel, installed as /init: one check for each thing that programs rely on. Its last line is
// "smoke: N passed, M failed". It needs no host's help, so it runs on QEMU as on the board.

#include "base/memory.h"
#include "user/check.h"

using namespace user;

namespace {

constexpr char kText[] = "constant";
int volatile data = 1;
char far_apart[3 * kPageBytes];  // so that what lies in the middle shares no page with other things

int volatile& in_a_page_of_its_own() {
    return *reinterpret_cast<int volatile*>(far_apart + kPageBytes);
}

void check_fork_and_wait() {
    int const child = fork();
    if (child == 0) exit(getpid() % 100);
    int status = -1;
    check("fork returns the child's pid", child > 1);
    check("wait returns the pid and the status of the child", wait(&status) == child && status == child % 100);
    check("wait without a child fails", wait(nullptr) == -1);
}

void check_isolation() {
    data = 1;
    in_a_page_of_its_own() = 10;
    int const status = status_of_child([] {
        data = 2;
        in_a_page_of_its_own() = in_a_page_of_its_own() + 1;
        return in_a_page_of_its_own();
    });
    check("a child's stores are its own", status == 11 && data == 1 && in_a_page_of_its_own() == 10);

    Partner const child([] { return in_a_page_of_its_own(); });
    in_a_page_of_its_own() = 99;
    check("a parent's stores after fork are its own", child.status() == 10 && in_a_page_of_its_own() == 99);
}

void check_heap() {
    char* const start = sbrk(0);
    char* const heap = sbrk(3 * kPageBytes + 100);
    check("sbrk returns the old break", heap == start && sbrk(0) == start + 3 * kPageBytes + 100);
    bool zero = true;
    for (int i = 0; i < 3 * kPageBytes + 100; i++) zero = zero && heap[i] == 0;
    check("new heap is zero", zero);
    for (int i = 0; i < 3; i++) heap[i * kPageBytes] = static_cast<char>(i + 1);
    check("heap keeps what is stored", heap[0] == 1 && heap[kPageBytes] == 2 && heap[2 * kPageBytes] == 3);
    check("a child inherits the heap", status_of_child([heap] { return heap[2 * kPageBytes]; }) == 3);
    sbrk(-2 * kPageBytes);
    check("a store to heap given back kills", kills([heap] { store_at(word(heap) + 3 * kPageBytes, 1); }));
    sbrk(2 * kPageBytes);
    check("heap that comes back is zero", heap[0] == 1 && heap[2 * kPageBytes] == 0);
    sbrk(static_cast<int>(start - sbrk(0)));
    check("the heap can be given back whole", sbrk(0) == start);
    check("the break cannot go below the heap", sbrk(-(1 << 30)) == kNoMemory && sbrk(0) == start);
}

void check_wild_accesses() {
    uint64_t const end = word(sbrk(0));
    check("a store at the break kills", kills([end] { store_at(end, 1); }));
    check("a load or a store in the guard page kills",
          kills([end] { load_at(end - kPageBytes - 1); }) && kills([end] { store_at(end - kPageBytes - 1, 1); }));
    check("a load from the kernel kills", kills([] { load_at(0x80000000); }));
    check("a load from the top of the user range kills", kills([] { load_at(0x3ffffff000); }));
    check("a load above the user range kills", kills([] { load_at(0x4000000000); }));
    int* const nowhere = reinterpret_cast<int*>(0x4000000000);
    check("a system call with a wild pointer fails", write(1, nowhere, 1) == -1 && pipe(nowhere) == -1);
}

// Each page has the rights that its segment asks for; or, as in xv6 up to 2021, all pages have all rights.
void check_segment_rights() {
    int* const in_text = reinterpret_cast<int*>(8);
    constexpr int kReturn = 0x00008067;  // the instruction `ret`
    auto const run_data = [] {
        in_a_page_of_its_own() = kReturn;
        asm volatile("fence.i" : : : "memory");
        reinterpret_cast<void (*)()>(word(far_apart) + kPageBytes)();
    };
    if (!kills([] { store_at(word(kText), 1); })) {
        check("where constants can be stored to, so can text, and data can be run",
              !kills([] { store_at(4, 1); }) && !kills(run_data));
        return;
    }
    check("a store to text kills", kills([] { store_at(4, 1); }));
    check("a jump to data kills", kills(run_data));
    check("a system call does not store into text", pipe(in_text) == -1);
}

void check_pipe() {
    int ends[2];
    check("pipe gives two files", pipe(ends) == 0 && ends[0] >= 3 && ends[1] > ends[0]);
    Child const child([&ends] {
        close(ends[0]);
        char chunk[100];
        for (int round = 0; round < 20; round++) {  // 2,000 bytes: the pipe holds 512
            for (char& byte : chunk) byte = static_cast<char>(round);
            if (write(ends[1], chunk, sizeof chunk) != sizeof chunk) return 1;
        }
        return 0;
    });
    close(ends[1]);
    int total = 0;
    bool in_order = true;
    char buffer[64];
    for (int got = read(ends[0], buffer, sizeof buffer); got > 0; got = read(ends[0], buffer, sizeof buffer))
        for (int i = 0; i < got; i++, total++) in_order = in_order && buffer[i] == total / 100;
    close(ends[0]);
    int status = child.status();
    check("a pipe carries all bytes in order, and then ends", status == 0 && total == 2000 && in_order);

    // The kernel stores into memory that the child shares (copy on write), or that it has never touched (lazy).
    pipe(ends);
    write(ends[1], "abcd", 4);
    in_a_page_of_its_own() = 7;
    char* const heap = sbrk(kPageBytes);
    status = status_of_child([&ends, heap] {
        char* const mine = const_cast<char*>(reinterpret_cast<char volatile*>(&in_a_page_of_its_own()));
        return read(ends[0], mine, 2) == 2 && read(ends[0], heap, 2) == 2 && mine[0] == 'a' && heap[1] == 'd' ? 0 : 1;
    });
    check("read stores into shared and untouched pages", status == 0);
    check("and the other process does not see it", in_a_page_of_its_own() == 7 && heap[1] == 0);
    sbrk(-kPageBytes);
    close(ends[0]);
    check("a pipe that nobody can read cannot be written", write(ends[1], "x", 1) == -1);
    close(ends[1]);
}

void check_kill() {
    int const spinning = fork();
    if (spinning == 0)
        for (;;) continue;
    int const sleeping = fork();
    if (sleeping == 0) sleep(1'000'000);
    sleep(1);
    check("kill accepts a pid and refuses what is none", kill(spinning) == 0 && kill(sleeping) == 0 && kill(0) == -1);
    check("the killed end with -1, running or asleep", reap_all(-1) == 2);
}

void check_files() {
    int const file = open("/init", kReadOnly);
    char start[4] = {};
    check("open and read a file", file >= 3 && read(file, start, 4) == 4 && start[1] == 'E' && start[2] == 'L');
    int const again = dup(file);
    char next = 0;
    check("dup shares the offset", again > file && read(again, &next, 1) == 1 && next == 2);
    FileStatus status = {};
    check("fstat says what it is", fstat(file, &status) == 0 && status.type == 2 && status.bytes > 4096);
    close(file);
    close(again);
    check("a closed file is closed", read(file, start, 1) == -1 && close(again) == -1);
    check("what is not there cannot be opened", open("/no-such-file", kReadOnly) == -1);
    check("a directory cannot be opened for writing", open("/", kReadWrite) == -1);
}

void check_exec() {
    char const* const arguments[] = {"init", "exec-child", "third", nullptr};
    int const status = status_of_child([&arguments] { return exec("/init", arguments); });
    check("exec runs a program with its arguments", status == 42);
    char const* const none[] = {nullptr};
    check("exec of what is no program fails",
          status_of_child([&none] { return exec("/no-such-file", none) == -1 && exec("/", none) == -1 ? 5 : 6; }) == 5);
    check("exec with bad arguments fails", exec("/init", reinterpret_cast<char const* const*>(0x4000000000)) == -1);
}

void check_others() {
    int const before = uptime();
    sleep(2);
    check("sleep lets time pass", uptime() - before >= 2);
    check("an unknown system call fails", system_call(1000) == -1 && system_call(0) == -1);
}

}  // namespace

int main(int argument_count, char** arguments) {
    if (argument_count == 3 && kernel::equal(arguments[1], "exec-child") && kernel::equal(arguments[2], "third") &&
        arguments[3] == nullptr)
        return 42;
    open_console();
    check_fork_and_wait();
    check_isolation();
    check_heap();
    check_wild_accesses();
    check_segment_rights();
    check_pipe();
    check_kill();
    check_files();
    check_exec();
    check_others();
    finish("smoke");
}
