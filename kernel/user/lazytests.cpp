// Heaps with holes: what the lazy allocation lab asks for, on kernels that map pages at their first touch; on those
// that map at once, what is too large must be refused, and the rest must work alike. After each test, as many frames
// must be free as before it. Its last line is "lazytests: N passed, M failed".

#include "base/memory.h"
#include "user/check.h"

using namespace user;

namespace {

constexpr int kMegabyte = 1 << 20;
constexpr int kGigabyte = 1 << 30;
constexpr int kLargest = 0x7fffffff;
constexpr int kEnoughFrames = 4096;  // for all tests but the last, which has all of memory

bool lazy;         // sbrk maps nothing
int memory_pages;  // about what a process can get
int heap_bytes;    // of a large heap that this kernel grants
int stride;        // between the pages of it that are touched

char value_at(int offset) {
    return static_cast<char>(offset / stride + 1);
}

void touch_sparsely(char* heap) {
    for (int at = 0; at < heap_bytes; at += stride) heap[at] = value_at(at);
}

// The touched pages hold what was stored, and the page behind each is zero.
bool sparse_is_right(char const* heap) {
    for (int at = 0; at < heap_bytes; at += stride) {
        if (heap[at] != value_at(at)) return false;
        if (heap[at + kPageBytes] != 0) return false;
    }
    return true;
}

int growth_takes_no_memory() {
    char* const start = sbrk(0);
    char* const heap = sbrk(kGigabyte);
    if (!lazy) return heap == kNoMemory && sbrk(0) == start ? 0 : 1;
    if (heap != start || sbrk(0) - heap != kGigabyte) return 2;
    int const free_now = count_free_frames();
    return memory_pages - free_now < 16 ? 0 : 3;  // a child's tables and stack
}

int sparse() {
    char* const heap = sbrk(heap_bytes);
    if (heap == kNoMemory) return 1;
    touch_sparsely(heap);
    return sparse_is_right(heap) ? 0 : 2;
}

int sparse_given_back() {
    char* const heap = sbrk(heap_bytes);
    touch_sparsely(heap);
    if (sbrk(-heap_bytes) != heap + heap_bytes || sbrk(0) != heap) return 1;
    for (int at = 0; at < heap_bytes; at += 16 * stride)
        if (!kills([heap, at] { load_at(word(heap) + word(at)); })) return 2;
    if (sbrk(heap_bytes) != heap) return 3;
    for (int at = 0; at < heap_bytes; at += stride)
        if (heap[at] != 0) return 4;
    return 0;
}

int shrink_a_little() {
    char* const heap = sbrk(4 * kPageBytes);
    for (int i = 0; i < 4; i++) heap[i * kPageBytes + 10] = static_cast<char>(i + 1);
    sbrk(-kPageBytes - 100);  // into the third page
    if (heap[2 * kPageBytes + 10] != 3) return 1;
    if (!kills([heap] { store_at(word(heap) + 3 * kPageBytes, 1); })) return 2;
    sbrk(kPageBytes + 100);
    return heap[kPageBytes + 10] == 2 && heap[3 * kPageBytes + 10] == 0 ? 0 : 3;
}

int fork_with_holes() {
    char* const heap = sbrk(heap_bytes);
    touch_sparsely(heap);
    int const status = status_of_child([heap] {
        if (!sparse_is_right(heap)) return 10;
        for (int at = 0; at < heap_bytes; at += stride) heap[at] = heap[at + 2 * kPageBytes] = 'c';
        return status_of_child([heap] { return heap[0] == 'c' && heap[heap_bytes - 1] == 0 ? 0 : 11; });
    });
    if (status != 0) return status;
    for (int at = 0; at < heap_bytes; at += stride)
        if (heap[at + 2 * kPageBytes] != 0) return 1;
    return sparse_is_right(heap) ? 0 : 2;
}

// More is touched than there is; who does so is killed, and memory comes back.
int out_of_memory() {
    int const too_much = (memory_pages + 100) * kPageBytes;
    int const status = status_of_child([too_much] {
        char* const heap = sbrk(too_much);
        if (heap == kNoMemory) return 5;
        for (int at = 0; at < too_much; at += kPageBytes) heap[at] = 1;
        return 0;
    });
    return status == (lazy ? -1 : 5) ? 0 : 1;
}

// The same, when it is the kernel that touches.
int out_of_memory_in_a_call() {
    int const much = (memory_pages - 8) * kPageBytes;
    int const status = status_of_child([much] {
        char* const heap = sbrk(much);
        if (heap == kNoMemory) return 5;
        for (int at = 0; at < much; at += kPageBytes) heap[at] = 1;
        int ends[2];
        if (pipe(ends) != 0) return 0;
        for (int i = 0; i < 64; i++) {
            char* const fresh = sbrk(kPageBytes);
            if (fresh == kNoMemory || write(ends[1], "x", 1) != 1) return 0;
            if (read(ends[0], fresh, 1) == -1) return 0;  // refused, and alive
        }
        return 6;
    });
    return status == 0 || status == -1 || (!lazy && status == 5) ? 0 : 1;
}

// To the trapframe, as far as a heap can go, and through it all again by fork and exit.
int large_growth() {
    uint64_t constexpr kTrapframe = 0x3fffffe000;
    int grown = 0;
    while (grown < 200 && sbrk(kLargest) != kNoMemory) grown++;
    if (!lazy) return grown == 0 ? 0 : 1;
    if (word(sbrk(0)) > kTrapframe || grown > 127 || grown < 100) return 2;
    char* const last = sbrk(0) - 1;
    *last = 7;
    int const status = status_of_child([last] { return *last == 7 ? 0 : 10; });
    if (status != 0) return status;
    return sbrk(-kLargest) != kNoMemory && kills([last] { load_at(word(last)); }) ? 0 : 3;
}

// System calls read from and store into pages that nobody has touched.
int calls_at_untouched_pages() {
    char* const heap = sbrk(heap_bytes);
    int at = 0;
    auto const fresh = [heap, &at] { return heap + (at += stride); };
    int ends[2];
    if (pipe(reinterpret_cast<int*>(fresh())) != 0) return 1;
    if (pipe(ends) != 0) return 2;
    if (write(ends[1], fresh(), 3) != 3) return 3;     // three zeros
    char* const read_here = fresh() + kPageBytes - 1;  // over a page border
    *fresh() = 1;
    if (read(ends[0], read_here, 3) != 3 || read_here[0] != 0 || read_here[2] != 0) return 4;
    int const file = open(own_path(), kReadOnly);
    char* const start = fresh() + kPageBytes - 2;
    if (read(file, start, 4) != 4 || start[1] != 'E' || start[2] != 'L') return 5;
    if (fstat(file, fresh()) != 0) return 6;
    int const child = fork();
    if (child == 0) exit(33);
    auto* const status = reinterpret_cast<int*>(fresh());
    if (wait(status) != child || *status != 33) return 7;
    bool const empty_opens = open("", kReadOnly) >= 0;
    if ((open(fresh(), kReadOnly) >= 0) != empty_opens) return 8;  // the empty path, too
    char* const path = fresh() + kPageBytes - 5;                   // its zero is on an untouched page
    memmove(path, "/init", 5);
    return open(path, kReadOnly) >= 0 ? 0 : 9;
}

int touches_out_of_range() {
    char* const heap = sbrk(kPageBytes);
    char* const end = sbrk(0);
    if (!kills([end] { load_at(word(end)); }) || !kills([end] { store_at(word(end), 1); })) return 1;
    int const stack_page = static_cast<int>(word(heap) / kPageBytes) - 1;
    uint64_t const guard = word(stack_page - 1) * kPageBytes;
    if (!kills([guard] { load_at(guard); }) || !kills([guard] { store_at(guard + kPageBytes - 1, 1); })) return 2;
    Pipe const ends;
    write(ends[1], "abcd", 4);
    if (read(ends[0], end, 1) != -1 || read(ends[0], reinterpret_cast<void*>(guard), 1) != -1) return 3;
    return write(ends[1], end, 1) == -1 && open(end, kReadOnly) == -1 ? 0 : 4;
}

int bad_growth() {
    char* const start = sbrk(0);
    if (sbrk(-kLargest - 1) != kNoMemory || sbrk(0) != start) return 1;
    sbrk(kPageBytes);
    if (sbrk(-2 * kPageBytes) != kNoMemory) return 2;
    *start = 1;
    return sbrk(0) == start + kPageBytes && sbrk(-kPageBytes) != kNoMemory && sbrk(0) == start ? 0 : 3;
}

// Where sbrk is told when to find memory (2025), it does so; elsewhere it does not look.
int eager_by_argument() {
    char* const refused = sbrk(kGigabyte, kernel::kSbrkEager);
    if (refused != kNoMemory) return lazy ? 0 : 1;  // always lazy
    constexpr int kPages = 200;
    int const before = count_free_frames();
    char* const heap = sbrk(kPages * kPageBytes, kernel::kSbrkEager);
    if (heap == kNoMemory || before - count_free_frames() < kPages) return 2;
    for (int i = 0; i < kPages; i++)
        if (heap[i * kPageBytes] != 0) return 3;
    return sbrk(-kPages * kPageBytes) == heap + kPages * kPageBytes && count_free_frames() == before ? 0 : 4;
}

// What was reserved before exec is not after it.
int exec_forgets() {
    char const* const arguments[] = {own_path(), "exec-child", nullptr};
    char* const heap = sbrk(heap_bytes);
    touch_sparsely(heap);
    exec(own_path(), arguments);
    return 1;
}

int after_exec() {
    char* const end = sbrk(0);
    return word(end) < kMegabyte && kills([end] { store_at(word(end) + kMegabyte, 1); }) ? 0 : 2;
}

}  // namespace

int main(int argument_count, char** arguments) {
    if (argument_count == 2 && kernel::equal(arguments[1], "exec-child")) return after_exec();
    begin_tests(argument_count, arguments);
    leave_free(kEnoughFrames);
    memory_pages = free_frames();
    lazy = status_of_child([] { return sbrk(kGigabyte) != kNoMemory ? 1 : 0; }) == 1;
    heap_bytes = lazy ? kGigabyte : 4 * kMegabyte;
    stride = heap_bytes / 64;
    print(lazy ? "sbrk maps nothing\n" : "sbrk maps at once\n");
    test("growth: a gigabyte takes no memory, or is refused", growth_takes_no_memory);
    test("sparse: a few pages of a large heap", sparse);
    test("sparse: given back, and zero when it comes again", sparse_given_back);
    test("shrink: into the middle of a page", shrink_a_little);
    test("fork: a heap with holes", fork_with_holes);
    test("memory: who touches more than there is is killed", out_of_memory);
    test("memory: or its system call fails", out_of_memory_in_a_call);
    test("large: up to the trapframe, or not at all", large_growth);
    test("calls: at pages that were never touched", calls_at_untouched_pages);
    test("range: at the break, above it, and the guard page", touches_out_of_range);
    test("range: sbrk below the start", bad_growth);
    test("argument: an eager sbrk where there is one", eager_by_argument);
    test("exec: forgets what was reserved", exec_forgets);
    leave_all_free();
    memory_pages = free_frames();
    test("memory: who touches more than all of it is killed", out_of_memory);
    finish("lazytests");
}
