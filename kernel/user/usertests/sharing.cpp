// Memory after fork: whose store is seen by whom.

#include "user/usertests/tests.h"

namespace user {
namespace {

struct alignas(kPageBytes) Page {
    char bytes[kPageBytes];
};
Page pages[4];
int number = 5;  // .data

int data_is_private() {
    number = 6;
    pages[0].bytes[10] = 'p';
    int const status = status_of_child([] {
        if (number != 6 || pages[0].bytes[10] != 'p') return 1;
        number = 7;
        pages[0].bytes[10] = 'c';
        return number == 7 && pages[0].bytes[10] == 'c' ? 0 : 2;
    });
    if (status != 0) return status;
    return number == 6 && pages[0].bytes[10] == 'p' ? 0 : 3;
}

int heap_is_private() {
    char* const heap = sbrk(5 * kPageBytes);
    fill(heap, 5 * kPageBytes, 'p');
    int const status = status_of_child([heap] {
        if (!all_are(heap, 5 * kPageBytes, 'p')) return 1;
        fill(heap, 5 * kPageBytes, 'c');
        return all_are(heap, 5 * kPageBytes, 'c') ? 0 : 2;
    });
    if (status != 0) return status;
    return all_are(heap, 5 * kPageBytes, 'p') ? 0 : 3;
}

int stack_is_private() {
    int volatile local[100];
    for (int i = 0; i < 100; i++) local[i] = i;
    int const status = status_of_child([&local] {
        for (int i = 0; i < 100; i++) {
            if (local[i] != i) return 1;
            local[i] = -i;
        }
        return 0;
    });
    for (int i = 0; i < 100; i++)
        if (local[i] != i) return 2;
    return status;
}

// What the parent stores after fork is not the child's, who looks later.
int parents_store() {
    fill(pages[0].bytes, kPageBytes, 'a');
    Partner const child([] { return all_are(pages[0].bytes, kPageBytes, 'a') ? 0 : 1; });
    fill(pages[0].bytes, kPageBytes, 'b');
    if (child.status() != 0) return 2;
    return all_are(pages[0].bytes, kPageBytes, 'b') ? 0 : 3;
}

// Eight generations; each adds a page of its own and must see those of all before.
int generation(char* heap, int depth) {
    for (int i = 0; i < depth; i++)
        if (!all_are(heap + i * kPageBytes, kPageBytes, static_cast<char>(i + 1))) return 1;
    if (depth == 8) return 0;
    fill(heap + depth * kPageBytes, kPageBytes, static_cast<char>(depth + 1));
    int const status = status_of_child([heap, depth] { return generation(heap, depth + 1); });
    for (int i = depth + 1; i < 8; i++)
        if (!all_are(heap + i * kPageBytes, kPageBytes, 0)) return 2;
    return status;
}

int generations() {
    return generation(sbrk(8 * kPageBytes), 0);
}

int many_sharers() {
    constexpr int kChildren = 20;
    Gate const gate;
    for (Page& page : pages) fill(page.bytes, kPageBytes, 's');
    for (int i = 0; i < kChildren; i++)
        if (fork() == 0) {
            gate.pass();
            Page& mine = pages[i % 4];
            bool const before = all_are(mine.bytes, kPageBytes, 's');
            fill(mine.bytes, kPageBytes, static_cast<char>(i));
            exit(before && all_are(mine.bytes, kPageBytes, static_cast<char>(i)) ? 0 : 1);
        }
    for (int i = 0; i < kChildren; i++) gate.open();
    if (reap_all() != kChildren) return 2;
    for (Page const& page : pages)
        if (!all_are(page.bytes, kPageBytes, 's')) return 3;
    return 0;
}

// Stores that go over the border of two pages.
int stores_over_a_border() {
    char* const border = pages[1].bytes;
    fill(border - 8, 16, 'b');
    int const status = status_of_child([border] {
        asm volatile("sb %0, -1(%1)\n\tsb %0, 0(%1)" : : "r"('c'), "r"(border) : "memory");
        return border[-1] == 'c' && border[0] == 'c' && border[-2] == 'b' && border[1] == 'b' ? 0 : 1;
    });
    return status == 0 && all_are(border - 8, 16, 'b') ? 0 : 1 + status;
}

// The kernel stores on a child's behalf; the parent sees nothing of it.
int read_into_shared() {
    Pipe const ends;
    char* const border = pages[2].bytes;
    fill(border - 4, 8, 'p');
    int const status = status_of_child([&ends, border] {
        write(ends[1], "12345678", 8);
        if (read(ends[0], border - 4, 8) != 8) return 1;
        return border[-4] == '1' && border[-1] == '4' && border[0] == '5' && border[3] == '8' ? 0 : 2;
    });
    return status == 0 && all_are(border - 4, 8, 'p') ? 0 : 2 + status;
}

// And on the parent's, while the child still shares.
int read_by_the_parent() {
    Pipe const ends;
    fill(pages[3].bytes, 64, 'x');
    Partner const child([] { return all_are(pages[3].bytes, 64, 'x') ? 0 : 1; });
    write(ends[1], "hello", 5);
    if (read(ends[0], pages[3].bytes, 5) != 5) return 2;
    return child.status() == 0 && pages[3].bytes[0] == 'h' && pages[3].bytes[5] == 'x' ? 0 : 3;
}

int status_into_shared() {
    auto* const there = reinterpret_cast<int*>(pages[0].bytes);
    *there = 1234;
    int const status = status_of_child([there] {
        int const child = fork();
        if (child == 0) exit(99);
        return wait(there) == child && *there == 99 ? 0 : 1;
    });
    return status == 0 && *there == 1234 ? 0 : 1;
}

int child_shrinks() {
    char* const heap = sbrk(4 * kPageBytes);
    fill(heap, 4 * kPageBytes, 'p');
    int const status = status_of_child([heap] {
        if (sbrk(-4 * kPageBytes) == kNoMemory) return 1;
        char* const again = sbrk(4 * kPageBytes);
        return again == heap && all_are(again, 4 * kPageBytes, 0) ? 0 : 2;
    });
    return status == 0 && all_are(heap, 4 * kPageBytes, 'p') ? 0 : 3;
}

int child_grows() {
    char* const end = sbrk(0);
    int const status = status_of_child([] {
        char* const heap = sbrk(2 * kPageBytes);
        fill(heap, 2 * kPageBytes, 'c');
        return 0;
    });
    return status == 0 && sbrk(0) == end && kills([end] { load_at(word(end) + kPageBytes); }) ? 0 : 1;
}

int parent_shrinks() {
    char* const heap = sbrk(4 * kPageBytes);
    fill(heap, 4 * kPageBytes, 'p');
    Partner const child([heap] { return all_are(heap, 4 * kPageBytes, 'p') ? 0 : 1; });
    sbrk(-4 * kPageBytes);
    sbrk(4 * kPageBytes);
    fill(heap, 4 * kPageBytes, 'n');
    return child.status() == 0 ? 0 : 2;
}

// Fork of what was reserved and never touched.
int untouched_is_inherited() {
    char* const heap = sbrk(6 * kPageBytes);
    heap[0] = heap[4 * kPageBytes] = 'p';
    int const status = status_of_child([heap] {
        if (heap[kPageBytes] != 0 || heap[4 * kPageBytes] != 'p') return 1;
        heap[2 * kPageBytes] = 'c';
        return 0;
    });
    return status == 0 && heap[2 * kPageBytes] == 0 && heap[0] == 'p' ? 0 : 2;
}

int siblings() {
    char* const heap = sbrk(kPageBytes);
    *heap = 0;
    for (int i = 1; i <= 10; i++)
        if (fork() == 0) {
            *heap = static_cast<char>(i);
            int const status = status_of_child([heap, i] { return *heap == i ? 0 : 1; });
            exit(status == 0 && *heap == i ? 0 : 1);
        }
    return reap_all() == 10 && *heap == 0 ? 0 : 1;
}

constexpr NamedTest kTests[] = {
    {"data", data_is_private},
    {"heap", heap_is_private},
    {"stackfork", stack_is_private},
    {"parentstores", parents_store},
    {"generations", generations},
    {"sharers", many_sharers},
    {"border", stores_over_a_border},
    {"readshared", read_into_shared},
    {"readparent", read_by_the_parent},
    {"waitshared", status_into_shared},
    {"childshrinks", child_shrinks},
    {"childgrows", child_grows},
    {"parentshrinks", parent_shrinks},
    {"untouched", untouched_is_inherited},
    {"siblings", siblings},
};

}  // namespace

constinit TestList const sharing_tests = list_of(kTests);

}  // namespace user
