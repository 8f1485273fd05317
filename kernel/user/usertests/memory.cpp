// Memory of one process: heap, stack, and what is neither.

#include "user/usertests/tests.h"

namespace user {
namespace {

constexpr int kLargest = 0x7fffffff;

char zeros[3 * kPageBytes];  // .bss
char const constant[] = "constant";
using Code = int (*)();

int grow() {
    char* const start = sbrk(0);
    if (sbrk(3 * kPageBytes) != start || sbrk(0) != start + 3 * kPageBytes) return 1;
    if (!all_are(start, 3 * kPageBytes, 0)) return 2;
    fill(start, 3 * kPageBytes, 'x');
    return all_are(start, 3 * kPageBytes, 'x') ? 0 : 3;
}

int grow_by_bytes() {
    char* const start = sbrk(0);
    for (int i = 0; i < 2 * kPageBytes + 10; i++) {
        char* const at = sbrk(1);
        if (at != start + i) return 1;
        if (*at != 0) return 2;
        *at = static_cast<char>(i);
    }
    for (int i = 0; i < 2 * kPageBytes + 10; i++)
        if (start[i] != static_cast<char>(i)) return 3;
    return 0;
}

int grow_in_steps() {
    char* const start = sbrk(0);
    int grown = 0;
    for (int step = 1; step < 6 * kPageBytes; step = step * 3 + 1) {
        if (sbrk(step) != start + grown) return 1;
        grown += step;
        start[grown - 1] = static_cast<char>(step);
    }
    return sbrk(-grown) == start + grown && sbrk(0) == start ? 0 : 2;
}

int shrink() {
    char* const start = sbrk(4 * kPageBytes);
    fill(start, 4 * kPageBytes, 'x');
    if (sbrk(-2 * kPageBytes) != start + 4 * kPageBytes) return 1;
    if (!all_are(start, 2 * kPageBytes, 'x')) return 2;
    if (!kills([start] { load_at(word(start) + 2 * kPageBytes); })) return 3;
    return kills([start] { store_at(word(start) + 3 * kPageBytes, 1); }) ? 0 : 4;
}

int regrow_is_zero() {
    char* const start = sbrk(2 * kPageBytes);
    fill(start, 2 * kPageBytes, 'x');
    sbrk(-2 * kPageBytes);
    if (sbrk(2 * kPageBytes) != start) return 1;
    return all_are(start, 2 * kPageBytes, 0) ? 0 : 2;
}

int shrink_within_a_page() {
    char* const start = sbrk(kPageBytes + 1000);
    fill(start, kPageBytes + 1000, 'x');
    sbrk(-900);
    if (!all_are(start, kPageBytes + 100, 'x')) return 1;
    sbrk(-100);  // the second page is gone
    if (!kills([start] { store_at(word(start) + kPageBytes, 1); })) return 2;
    sbrk(1);
    return start[kPageBytes] == 0 ? 0 : 3;
}

int break_edge() {
    char* const start = sbrk(kPageBytes);
    start[kPageBytes - 1] = 'e';
    char* const end = sbrk(0);
    if (word(end) % kPageBytes != 0) return 0;  // the heap does not begin at a page
    if (!kills([end] { load_at(word(end)); })) return 1;
    if (!kills([end] { store_at(word(end), 1); })) return 2;
    return start[kPageBytes - 1] == 'e' ? 0 : 3;
}

int refused_growth() {
    char* const start = sbrk(kPageBytes);
    *start = 'k';
    if (sbrk(-kLargest - 1) != kNoMemory) return 1;
    if (sbrk(-kLargest) != kNoMemory) return 2;
    if (sbrk(-2 * kPageBytes) != kNoMemory) return 3;  // below where the heap began
    return sbrk(0) == start + kPageBytes && *start == 'k' ? 0 : 4;
}

int much_growth() {
    char* const start = sbrk(kPageBytes);
    *start = 'k';
    int grown = 0;
    while (grown < 140 && sbrk(kLargest) != kNoMemory) grown++;
    if (grown > 127) return 1;  // an address space is 2^38 bytes
    return *start == 'k' && getpid() > 0 ? 0 : 2;
}

int breathe() {
    char* const start = sbrk(0);
    for (int round = 0; round < 30; round++) {
        if (sbrk(8 * kPageBytes) != start) return 1;
        for (int i = 0; i < 8; i++) {
            if (start[i * kPageBytes] != 0) return 2;
            start[i * kPageBytes] = static_cast<char>(round + 1);
        }
        if (sbrk(-8 * kPageBytes) == kNoMemory) return 3;
    }
    return 0;
}

int sparse_heap() {
    constexpr int kBytes = 1 << 28;
    constexpr int kStride = 1 << 22;
    char* const heap = sbrk(kBytes);
    if (heap == kNoMemory) return 0;  // this kernel finds the memory at once, and has not as much
    for (int at = 0; at < kBytes; at += kStride) heap[at] = static_cast<char>(at / kStride + 1);
    for (int at = 0; at < kBytes; at += kStride)
        if (heap[at] != static_cast<char>(at / kStride + 1) || heap[at + kPageBytes] != 0) return 1;
    return sbrk(-kBytes) == heap + kBytes ? 0 : 2;
}

int bss_is_zero() {
    return all_are(zeros, static_cast<int>(sizeof zeros), 0) ? 0 : 1;
}

int stack_is_usable() {
    char volatile local[2500];
    for (unsigned i = 0; i < sizeof local; i++) local[i] = static_cast<char>(i);
    for (unsigned i = 0; i < sizeof local; i++)
        if (local[i] != static_cast<char>(i)) return 1;
    return 0;
}

int guard_page() {
    uint64_t const stack_page = word(sbrk(0)) / kPageBytes - 1;  // the heap is empty yet
    uint64_t const guard = (stack_page - 1) * kPageBytes;
    if (!kills([guard] { load_at(guard); })) return 1;
    if (!kills([guard] { store_at(guard + kPageBytes - 1, 1); })) return 2;
    return kills([guard] { store_at(guard + 8, 1); }) ? 0 : 3;
}

int stack_overflow() {
    bool const killed = kills([] {
        uint64_t const near = word(__builtin_frame_address(0));
        for (int pages = 0; pages < 3; pages++) store_at(near - static_cast<uint64_t>(pages) * kPageBytes, 1);
    });
    return killed ? 0 : 1;
}

// Kernels up to 2021 map every page of a program with all rights; those have nothing to protect here.
bool rights_by_segment() {
    return kills([] { store_at(word(constant), 'X'); });
}

int text_and_constants() {
    if (!rights_by_segment()) return 0;
    if (!kills([] { store_at(4, 1); })) return 1;
    return constant[0] == 'c' ? 0 : 2;
}

int heap_is_no_code() {
    if (!rights_by_segment()) return 0;
    char* const heap = sbrk(kPageBytes);
    *reinterpret_cast<unsigned*>(heap) = 0x00008067;  // ret
    if (!kills([heap] { reinterpret_cast<Code>(word(heap))(); })) return 1;
    return kills([] { reinterpret_cast<Code>(word(zeros))(); }) ? 0 : 2;
}

int wild_loads() {
    for (uint64_t const at : kWildAddresses)
        if (!kills([at] { load_at(at); })) return 1;
    return 0;
}

int wild_stores() {
    for (uint64_t const at : kWildAddresses)
        if (!kills([at] { store_at(at, 1); })) return 1;
    return 0;
}

int wild_jumps() {
    for (uint64_t const at : kWildAddresses)
        if (!kills([at] { reinterpret_cast<Code>(at)(); })) return 1;
    return 0;
}

int bad_instructions() {
    if (!kills([] { asm volatile(".word 0"); })) return 1;
    if (!kills([] { asm volatile("csrr t0, satp" : : : "t0"); })) return 2;
    if (!kills([] { asm volatile("sret"); })) return 3;
    return kills([] { asm volatile("ebreak"); }) ? 0 : 4;
}

// All memory is taken, by a child that then ends or is killed; afterwards there is as much as before.
int memory_full() {
    for (int round = 0; round < 2; round++) {
        int const status = status_of_child([] {
            for (char* page = sbrk(kPageBytes); page != kNoMemory; page = sbrk(kPageBytes)) *page = 1;
            return 0;
        });
        if (status != 0 && status != -1) return 1;
    }
    char* const page = sbrk(kPageBytes);
    if (page == kNoMemory) return 2;
    *page = 1;
    return status_of_child([] { return 7; }) == 7 ? 0 : 3;
}

// With `frames` or so left, everything that needs memory works or fails, and loses nothing.
int with_little(int frames) {
    int const mine = free_frames() - frames;
    char* const heap = sbrk(mine * kPageBytes);
    if (heap == kNoMemory) return 0;
    for (int i = 0; i < mine; i++) heap[i * kPageBytes] = static_cast<char>(i);
    int ends[2];
    if (pipe(ends) == 0) {
        close(ends[0]);
        close(ends[1]);
    }
    int const child = fork();
    if (child == 0) exit(0);
    int status = 1;
    if (child > 0 && (wait(&status) != child || (status != 0 && status != -1))) return 1;
    if (wait(nullptr) != -1) return 2;
    for (int i = 0; i < mine; i++)
        if (heap[i * kPageBytes] != static_cast<char>(i)) return 3;
    return 0;
}

int little_memory() {
    for (int frames = 0; frames < 14; frames += 2) {
        int const status = status_of_child([frames] { return with_little(frames); });
        if (status != 0 && status != -1) return 10 * frames + status;
    }
    return 0;
}

constexpr NamedTest kTests[] = {
    {"grow", grow},
    {"growbybytes", grow_by_bytes},
    {"growinsteps", grow_in_steps},
    {"shrink", shrink},
    {"regrow", regrow_is_zero},
    {"shrinkinpage", shrink_within_a_page},
    {"breakedge", break_edge},
    {"badgrowth", refused_growth},
    {"muchgrowth", much_growth},
    {"breathe", breathe},
    {"sparse", sparse_heap},
    {"bss", bss_is_zero},
    {"stack", stack_is_usable},
    {"guard", guard_page},
    {"overflow", stack_overflow},
    {"text", text_and_constants},
    {"heapcode", heap_is_no_code},
    {"wildloads", wild_loads},
    {"wildstores", wild_stores},
    {"wildjumps", wild_jumps},
    {"badcode", bad_instructions},
    {"memoryfull", memory_full},
    {"littlememory", little_memory},
};

}  // namespace

constinit TestList const memory_tests = list_of(kTests);

}  // namespace user
