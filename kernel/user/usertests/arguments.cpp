// System calls with arguments that nobody should give them.

#include "base/memory.h"
#include "user/usertests/tests.h"

namespace user {
namespace {

template <class T = void>
T* at(uint64_t address) {
    return reinterpret_cast<T*>(address);
}

int bad_descriptors() {
    char byte = 0;
    constexpr int kBad[] = {-1, 3, 15, 16, 17, 1000, 0x7fffffff, -0x7fffffff};
    for (int const file : kBad) {
        if (read(file, &byte, 1) != -1 || write(file, &byte, 1) != -1) return 1;
        if (close(file) != -1 || dup(file) != -1) return 2;
        char status[64];
        if (fstat(file, status) != -1) return 3;
    }
    return 0;
}

int closed_descriptor() {
    int const file = dup(1);
    if (close(file) != 0) return 1;
    char byte = 0;
    return close(file) == -1 && write(file, &byte, 1) == -1 && read(file, &byte, 1) == -1 ? 0 : 2;
}

int wild_read_buffers() {
    Pipe const ends;
    for (uint64_t const address : kWildAddresses) {
        write(ends[1], "abcd", 4);
        if (read(ends[0], at(address), 4) > 0) return 2;
        char rest[8];
        write(ends[1], "e", 1);  // so that there is something in any case
        read(ends[0], rest, sizeof rest);
    }
    return 0;
}

int wild_write_buffers() {
    Pipe const ends;
    for (uint64_t const address : kWildAddresses)
        if (write(ends[1], at(address), 4) > 0) return 2;
    return 0;
}

int text_as_a_buffer() {
    if (!kills([] { store_at(4, 1); })) return 0;  // every page of this kernel's programs can be written
    Pipe const ends;
    char const before = load_at(4);
    write(ends[1], "abcd", 4);
    if (read(ends[0], at(4), 4) > 0) return 2;
    return load_at(4) == before ? 0 : 3;
}

int guard_as_a_buffer() {
    uint64_t const guard = (word(sbrk(0)) / kPageBytes - 2) * kPageBytes;
    Pipe const ends;
    write(ends[1], "abcd", 4);
    if (read(ends[0], at(guard + 16), 4) > 0) return 2;
    return write(ends[1], at(guard + 16), 4) > 0 ? 3 : 0;
}

// A buffer that is half inside: what lies inside is moved, or nothing.
int buffers_over_the_break() {
    char* const heap = sbrk(kPageBytes);
    char* const end = sbrk(0);
    if (word(end) % kPageBytes != 0) return 0;
    fill(heap, kPageBytes, 'h');
    Pipe const ends;
    int const written = write(ends[1], end - 4, 8);
    if (written > 4) return 2;
    write(ends[1], "12345678", 8);
    char rest[32];
    if (written > 0) read(ends[0], rest, written);
    int const got = read(ends[0], end - 4, 8);
    return got > 4 || !all_are(heap, kPageBytes - 4, 'h') ? 3 : 0;
}

int negative_counts() {
    Pipe const ends;
    char byte = 0;
    if (write(ends[1], &byte, -1) > 0 || write(ends[1], &byte, -0x7fffffff) > 0) return 2;
    write(ends[1], "x", 1);
    return read(ends[0], &byte, -1) > 0 ? 3 : 0;
}

int huge_counts() {
    Pipe const ends;
    write(ends[1], "abc", 3);
    char got[8] = {};
    if (read(ends[0], got, 0x7fffffff) != 3) return 2;  // what there is, where it was asked for
    return got[0] == 'a' && got[3] == 0 ? 0 : 3;
}

int wild_pipes() {
    for (uint64_t const address : kWildAddresses)
        if (pipe(at<int>(address)) != -1) return 1;
    int ends[2];
    return pipe(ends) == 0 && ends[0] == 3 && ends[1] == 4 ? 0 : 2;  // no descriptor was kept
}

int wild_paths() {
    for (uint64_t const address : kWildAddresses) {
        auto const* const path = at<char const>(address);
        if (open(path, kReadOnly) != -1 || chdir(path) != -1 || mkdir(path) != -1 || unlink(path) != -1) return 1;
        if (link(path, "x") != -1 || link("x", path) != -1 || mknod(path, 1, 1) != -1) return 2;
    }
    return 0;
}

int wild_statuses() {
    int const file = open(own_path(), kReadOnly);
    if (file < 0) return 1;
    for (uint64_t const address : kWildAddresses)
        if (fstat(file, at(address)) != -1) return 2;
    return 0;
}

int endless_path() {
    char* const heap = sbrk(kPageBytes);
    fill(heap, kPageBytes, 'p');
    return open(heap, kReadOnly) == -1 && unlink(heap) == -1 && mkdir(heap) == -1 ? 0 : 1;
}

// A string whose last byte is the last of the heap; with its zero it is a path, without it is none.
int path_at_the_break() {
    char* const heap = sbrk(kPageBytes);
    char* const end = sbrk(0);
    if (word(end) % kPageBytes != 0) return 0;
    (void)heap;
    fill(end - 3, 3, '/');
    if (open(end - 3, kReadOnly) != -1) return 1;
    end[-1] = 0;
    int const root = open(end - 3, kReadOnly);
    return root >= 0 && close(root) == 0 ? 0 : 2;
}

// A string over the border of two pages.
int path_over_a_border() {
    char* const heap = sbrk(2 * kPageBytes);
    char* const path = heap + kPageBytes - 2;
    path[0] = '/';
    path[1] = '.';
    path[2] = '/';
    path[3] = '.';
    path[4] = 0;
    int const root = open(path, kReadOnly);
    return root >= 0 ? 0 : 1;
}

int unknown_calls() {
    constexpr unsigned long kUnknown[] = {0, 31, 64, 1000, 1UL << 32, ~0UL};
    for (unsigned long const number : kUnknown)
        if (system_call(number) != -1) return 1;
    return getpid() > 0 ? 0 : 2;
}

constexpr NamedTest kTests[] = {
    {"badfiles", bad_descriptors},
    {"closedfile", closed_descriptor},
    {"wildreads", wild_read_buffers},
    {"wildwrites", wild_write_buffers},
    {"readtext", text_as_a_buffer},
    {"readguard", guard_as_a_buffer},
    {"overthebreak", buffers_over_the_break},
    {"negative", negative_counts},
    {"huge", huge_counts},
    {"wildpipes", wild_pipes},
    {"wildpaths", wild_paths},
    {"wildstats", wild_statuses},
    {"endlesspath", endless_path},
    {"pathatbreak", path_at_the_break},
    {"pathborder", path_over_a_border},
    {"unknowncalls", unknown_calls},
};

}  // namespace

constinit TestList const argument_tests = list_of(kTests);

}  // namespace user
