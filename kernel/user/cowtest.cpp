// Fork with much memory: what the copy-on-write lab asks for, on kernels that share pages; on those that copy, the same
// programs must fail where memory does not suffice, and lose nothing. After each test, as many frames must be free as
// before it. Its last line is "cowtest: N passed, M failed".

#include "base/memory.h"
#include "user/check.h"

using namespace user;

namespace {

constexpr int kEnoughFrames = 4096;  // for all tests but the last, which has all of memory

int memory_pages;  // about what a process can get
bool fork_shares;  // copy on write; or fork copies

// One page each, so that each is shared or copied by itself.
struct alignas(kPageBytes) Page {
    char bytes[kPageBytes];
};
Page buffers[4];

// A tag at the start and one at the end of each page, so that half a copy shows.
void tag(char* heap, int from, int to, int seed) {
    for (int i = from; i < to; i++) {
        heap[i * kPageBytes] = static_cast<char>(i + seed);
        heap[(i + 1) * kPageBytes - 1] = static_cast<char>(i ^ seed);
    }
}

bool tagged(char const* heap, int from, int to, int seed) {
    for (int i = from; i < to; i++) {
        if (heap[i * kPageBytes] != static_cast<char>(i + seed)) return false;
        if (heap[(i + 1) * kPageBytes - 1] != static_cast<char>(i ^ seed)) return false;
    }
    return true;
}

// A fork shares pages if a sleeping child makes the free frames fewer by far less than the parent's pages.
bool find_whether_fork_shares() {
    constexpr int kPages = 256;
    return status_of_child([] {
               char* const heap = sbrk(kPages * kPageBytes);
               tag(heap, 0, kPages, 1);
               int const before = count_free_frames();
               Partner partner([] { return 0; });
               int const after = count_free_frames();
               partner.status();
               return before - after < kPages / 2 ? 1 : 0;
           }) == 1;
}

int fork_more_than_half() {
    int const pages = memory_pages / 3 * 2;
    char* const heap = sbrk(pages * kPageBytes);
    if (heap == kNoMemory) return 1;
    tag(heap, 0, pages, 3);
    int const child = fork();
    if (child == 0) exit(tagged(heap, 0, pages, 3) ? 0 : 1);
    if (!fork_shares) return child == -1 && tagged(heap, 0, pages, 3) ? 0 : 2;
    int status = -2;
    if (child < 0 || wait(&status) != child || status != 0) return 3;
    tag(heap, 0, pages, 4);  // the last owner needs no memory for that
    return tagged(heap, 0, pages, 4) ? 0 : 4;
}

// Parent, child and grandchild, each with stores of its own to a part of what they share.
int three_generations() {
    int const pages = memory_pages / 5;
    char* const heap = sbrk(pages * kPageBytes);
    if (heap == kNoMemory) return 1;
    tag(heap, 0, pages, 10);
    Partner child([heap, pages] {
        Partner grandchild([heap, pages] {
            if (!tagged(heap, 0, pages, 10)) return 10;
            tag(heap, pages / 2, pages, 12);
            return tagged(heap, 0, pages / 2, 10) && tagged(heap, pages / 2, pages, 12) ? 0 : 11;
        });
        if (!grandchild.forked()) return 12;
        tag(heap, 0, pages / 3, 11);
        int const status = grandchild.status();
        return tagged(heap, 0, pages / 3, 11) && tagged(heap, pages / 3, pages, 10) ? status : 13;
    });
    if (!child.forked()) return 2;
    tag(heap, 0, pages, 13);
    int const status = child.status();
    return tagged(heap, 0, pages, 13) ? status : 3;
}

// The kernel stores into shared pages on behalf of four children, whose parent must not see it.
int read_into_shared_pages() {
    int const file = open(own_path(), kReadOnly);
    for (int i = 0; i < 4; i++) {
        Page& buffer = buffers[i];
        buffer.bytes[0] = static_cast<char>(i + 1);
        Partner child([&buffer, file, i] {
            Pipe const ends;
            char const sent = static_cast<char>(i + 50);
            write(ends[1], &sent, 1);
            if (read(ends[0], buffer.bytes, 1) != 1 || buffer.bytes[0] != sent) return 10;
            return read(file, buffer.bytes, 4) == 4 ? 0 : 11;
        });
        if (buffer.bytes[0] != i + 1) return 1;
        if (int const status = child.status()) return status;
        if (buffer.bytes[0] != i + 1) return 2;
    }
    return 0;
}

// The other calls that store; the result of each goes over the border of two shared pages.
int results_into_shared_pages() {
    char* const border = buffers[1].bytes;
    char const zeros[sizeof(FileStatus)] = {};
    memmove(border - 4, zeros, sizeof zeros);
    int const status = status_of_child([border] {
        if (fstat(open(own_path(), kReadOnly), border - 4) != 0) return 1;
        int const grandchild = fork();
        if (grandchild == 0) exit(0x01020304);
        if (wait(reinterpret_cast<int*>(border - 2)) != grandchild || border[-2] != 4 || border[1] != 1) return 2;
        return pipe(reinterpret_cast<int*>(border - 4)) == 0 && border[-4] != 0 && border[0] != 0 ? 0 : 3;
    });
    if (status != 0) return status;
    for (size_t i = 0; i < sizeof zeros; i++)
        if (border[i - 4] != 0) return 4;
    return 0;
}

int many_children() {
    constexpr int kPages = 30;
    constexpr int kChildren = 40;
    char* const heap = sbrk(kPages * kPageBytes);
    tag(heap, 0, kPages, 1);
    for (int i = 0; i < kChildren; i++)
        if (fork() == 0) {
            sleep(1);  // until all are there, and every page is shared by all
            bool const before = tagged(heap, 0, kPages, 1);
            tag(heap, 0, kPages, i);
            exit(before && tagged(heap, 0, kPages, i) ? 0 : 1);
        }
    return reap_all() == kChildren && tagged(heap, 0, kPages, 1) ? 0 : 1;
}

// Two processes that share more than half of memory, and one stores to all of it: it cannot get that many copies.
int copies_without_memory() {
    if (!fork_shares) return 0;
    int const pages = memory_pages / 3 * 2;
    char* const heap = sbrk(pages * kPageBytes);
    if (heap == kNoMemory) return 1;
    tag(heap, 0, pages, 5);
    int const killed = status_of_child([heap, pages] {
        tag(heap, 0, pages, 6);
        return 0;
    });
    if (killed != -1) return 2;
    if (!tagged(heap, 0, pages, 5)) return 3;
    tag(heap, 0, pages, 7);
    return tagged(heap, 0, pages, 7) ? 0 : 4;
}

// The parent ends first; what is left belongs to its children alone.
int parent_ends_first() {
    constexpr int kPages = 100;
    char* const heap = sbrk(kPages * kPageBytes);
    tag(heap, 0, kPages, 1);
    Pipe const ends;
    int const parent = fork();
    if (parent == 0) {
        for (int i = 0; i < 2; i++) {
            tag(heap, 0, kPages, 2);
            if (fork() != 0) continue;
            sleep(1);
            bool const before = tagged(heap, 0, kPages, 2);
            tag(heap, 0, kPages, i);
            write(ends[1], before && tagged(heap, 0, kPages, i) ? "y" : "n", 1);
            exit(0);
        }
        exit(0);
    }
    wait(nullptr);
    close(ends[1]);
    char told[2] = {};
    int got = 0;
    while (got < 2 && read(ends[0], told + got, 1) == 1) got++;
    return got == 2 && told[0] == 'y' && told[1] == 'y' && tagged(heap, 0, kPages, 1) ? 0 : 1;
}

int text_stays_as_it_is() {
    if (!kills([] { store_at(4, 1); }))
        return 0;  // all pages of this kernel's processes can be written (xv6 up to 2021)
    return status_of_child([] {
        int const file = open(own_path(), kReadOnly);
        if (read(file, reinterpret_cast<void*>(4), 4) != -1) return 1;
        return kills([] { store_at(4, 1); }) ? 0 : 2;
    });
}

}  // namespace

int main(int argument_count, char** arguments) {
    begin_tests(argument_count, arguments);
    leave_free(kEnoughFrames);
    memory_pages = free_frames();
    fork_shares = find_whether_fork_shares();
    print(fork_shares ? "fork shares pages\n" : "fork copies pages\n");
    test("simple: more than half of memory is forked, or fork fails", fork_more_than_half);
    test("simple, once more", fork_more_than_half);
    test("three: three generations keep their own stores", three_generations);
    test("three, once more", three_generations);
    test("three, a third time", three_generations);
    test("file: read stores into shared pages, for the reader alone", read_into_shared_pages);
    test("results: fstat, wait and pipe do too, over page borders", results_into_shared_pages);
    test("many: forty children share pages", many_children);
    test("parent: it ends before its children", parent_ends_first);
    test("memory: one who cannot get its copies is killed alone", copies_without_memory);
    test("text: it cannot be written after fork", text_stays_as_it_is);
    leave_all_free();
    memory_pages = free_frames();
    test("simple, with all of memory", fork_more_than_half);
    finish("cowtest");
}
