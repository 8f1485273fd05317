// Files: what is written is read again, by whoever has the file open, for as long as there is a name or a descriptor.

#include "base/memory.h"
#include "user/usertests/tests.h"

namespace user {
namespace {

constexpr int kBlockBytes = 1024;

char buffer[4 * kBlockBytes];

bool write_file(char const* path, char value, int bytes) {
    int const file = open(path, kCreate | kTruncate | kReadWrite);
    fill(buffer, bytes, value);
    bool const good = file >= 0 && write(file, buffer, bytes) == bytes;
    close(file);
    return good;
}

bool file_has(char const* path, char value, int bytes) {
    int const file = open(path, kReadOnly);
    if (file < 0) return false;
    fill(buffer, bytes + 1, 0);
    bool const good = read_all(file, buffer, bytes + 1) == bytes && all_are(buffer, bytes, value);
    close(file);
    return good;
}

int create() {
    if (open("f-create", kReadOnly) != -1) return 1;
    if (!write_file("f-create", 'c', 100)) return 2;
    if (!file_has("f-create", 'c', 100)) return 3;
    FileStatus const status = status_of("f-create");
    if (status.type != 2 || status.links != 1 || status.bytes != 100) return 4;
    if (!write_file("f-create", 'd', 10) || !file_has("f-create", 'd', 10)) return 5;
    return unlink("f-create") == 0 && open("f-create", kReadOnly) == -1 ? 0 : 6;
}

int create_again_keeps() {
    if (!write_file("f-again", 'a', 50)) return 1;
    int const file = open("f-again", kCreate | kReadWrite);
    close(file);
    return file >= 0 && file_has("f-again", 'a', 50) && unlink("f-again") == 0 ? 0 : 2;
}

int truncate() {
    if (!write_file("f-trunc", 't', 3000)) return 1;
    int const file = open("f-trunc", kReadWrite | kTruncate);
    if (file < 0 || status_of("f-trunc").bytes != 0) return 2;
    if (write(file, "new", 3) != 3) return 3;
    close(file);
    return status_of("f-trunc").bytes == 3 && unlink("f-trunc") == 0 ? 0 : 4;
}

int offsets() {
    if (!write_file("f-off", 'o', 10)) return 1;
    int const a = open("f-off", kReadWrite);
    int const b = open("f-off", kReadOnly);
    char got[16] = {};
    if (write(a, "12345", 5) != 5 || read(b, got, 3) != 3) return 2;
    if (got[0] != '1' || got[2] != '3') return 3;
    int const c = dup(b);  // shares b's
    if (read(c, got, 2) != 2 || got[0] != '4' || got[1] != '5') return 4;
    if (read(a, got, 16) != 5 || !all_are(got, 5, 'o')) return 5;
    if (read(a, got, 1) != 0) return 6;
    return unlink("f-off") == 0 ? 0 : 7;
}

// Parent and child write through the same open file, one behind the other.
int shared_offset() {
    int const file = open("f-shared", kCreate | kReadWrite);
    if (file < 0) return 1;
    int const child = fork();
    char const mine = child == 0 ? 'c' : 'p';
    for (int i = 0; i < 50; i++)
        if (write(file, &mine, 1) != 1) exit(2);
    if (child == 0) exit(0);
    if (reap_all() != 1) return 3;
    close(file);
    int const again = open("f-shared", kReadOnly);
    int const bytes = read_all(again, buffer, 200);
    int children = 0;
    for (int i = 0; i < bytes; i++) children += buffer[i] == 'c' ? 1 : 0;
    return bytes == 100 && children == 50 && unlink("f-shared") == 0 ? 0 : 4;
}

int rights_of_opening() {
    if (!write_file("f-rights", 'r', 10)) return 1;
    int const reader = open("f-rights", kReadOnly);
    int const writer = open("f-rights", kWriteOnly);
    char byte;
    if (write(reader, "x", 1) != -1 || read(writer, &byte, 1) != -1) return 2;
    return read(reader, &byte, 1) == 1 && write(writer, "x", 1) == 1 && unlink("f-rights") == 0 ? 0 : 3;
}

int unlinked_but_open() {
    if (!write_file("f-open", 'u', 2000)) return 1;
    int const file = open("f-open", kReadWrite);
    if (unlink("f-open") != 0 || open("f-open", kReadOnly) != -1) return 2;
    if (!write_file("f-open", 'n', 100)) return 3;  // another of that name
    fill(buffer, 2000, 0);
    if (read_all(file, buffer, 2000) != 2000 || !all_are(buffer, 2000, 'u')) return 4;
    if (write(file, "more", 4) != 4) return 5;
    close(file);
    return file_has("f-open", 'n', 100) && unlink("f-open") == 0 ? 0 : 6;
}

// Blocks behind the direct ones, each with a mark of its own.
int many_blocks() {
    constexpr int kBlocks = 40;
    int const file = open("f-blocks", kCreate | kReadWrite);
    for (int i = 0; i < kBlocks; i++) {
        fill(buffer, kBlockBytes, static_cast<char>(i + 1));
        if (write(file, buffer, kBlockBytes) != kBlockBytes) return 1;
    }
    close(file);
    int const again = open("f-blocks", kReadOnly);
    for (int i = 0; i < kBlocks; i++) {
        if (read_all(again, buffer, kBlockBytes) != kBlockBytes) return 2;
        if (!all_are(buffer, kBlockBytes, static_cast<char>(i + 1))) return 3;
    }
    return read(again, buffer, 1) == 0 && unlink("f-blocks") == 0 ? 0 : 4;
}

// As large as a file can be, and not a byte larger. Done twice: the blocks come back.
int largest_file() {
    constexpr int kMostBlocks = 12 + 256;
    for (int round = 0; round < 2; round++) {
        int const file = open("f-large", kCreate | kReadWrite);
        for (int done = 0; done < kMostBlocks; done += 4)
            if (write(file, buffer, 4 * kBlockBytes) != 4 * kBlockBytes) return 1;
        if (write(file, buffer, 1) > 0) return 2;
        close(file);
        if (status_of("f-large").bytes != kMostBlocks * kBlockBytes) return 3;
        if (unlink("f-large") != 0) return 4;
    }
    return 0;
}

// Writes and reads that go over the borders of blocks and pages.
int odd_sizes() {
    int const file = open("f-odd", kCreate | kReadWrite);
    char* const heap = sbrk(2 * kPageBytes);
    int total = 0;
    for (int bytes = 1; bytes < 3000; bytes = bytes * 2 + 3) {
        char* const from = heap + kPageBytes - bytes / 2;
        for (int i = 0; i < bytes; i++) from[i] = static_cast<char>((total + i) % 253);
        if (write(file, from, bytes) != bytes) return 1;
        total += bytes;
    }
    close(file);
    int const again = open("f-odd", kReadOnly);
    int done = 0;
    char* const to = heap + kPageBytes - 300;
    for (int got = read(again, to, 777); got > 0; got = read(again, to, 777))
        for (int i = 0; i < got; i++, done++)
            if (to[i] != static_cast<char>(done % 253)) return 2;
    return done == total && unlink("f-odd") == 0 ? 0 : 3;
}

// From a buffer that is half outside: what lies inside is written, or nothing; the file's size says which.
int write_over_the_break() {
    char* const heap = sbrk(kPageBytes);
    char* const end = sbrk(0);
    if (word(end) % kPageBytes != 0) return 0;
    fill(heap, kPageBytes, 'w');
    int const file = open("f-break", kCreate | kReadWrite);
    int const written = write(file, end - 100, 300);
    if (written > 100) return 1;
    close(file);
    FileStatus const status = status_of("f-break");
    return status.type == 2 && status.bytes <= 100 && unlink("f-break") == 0 ? 0 : 2;
}

// Into pages that parent and child share, from the disk.
int read_into_shared() {
    if (!write_file("f-share", 'd', 2000)) return 1;
    char* const heap = sbrk(2 * kPageBytes);
    fill(heap, 2 * kPageBytes, 'p');
    int const status = status_of_child([heap] {
        int const file = open("f-share", kReadOnly);
        char* const to = heap + kPageBytes - 1000;
        return read_all(file, to, 2000) == 2000 && all_are(to, 2000, 'd') && to[-1] == 'p' && to[2000] == 'p' ? 0 : 2;
    });
    return status == 0 && all_are(heap, 2 * kPageBytes, 'p') && unlink("f-share") == 0 ? 0 : 3;
}

int several_writers() {
    char name[] = "f-writer0";
    for (int w = 0; w < 4; w++) {
        name[8] = static_cast<char>('0' + w);
        if (fork() == 0) {
            for (int round = 0; round < 6; round++) {
                if (!write_file(name, static_cast<char>('a' + w), 1500 + 10 * w)) exit(1);
                if (!file_has(name, static_cast<char>('a' + w), 1500 + 10 * w)) exit(2);
                if (unlink(name) != 0) exit(3);
            }
            exit(0);
        }
    }
    return reap_all() == 4 ? 0 : 1;
}

int killed_writer() {
    int const child = fork();
    if (child == 0)
        for (;;) {
            write_file("f-killed", 'k', 4000);
            unlink("f-killed");
        }
    sleep(1);
    kill(child);
    wait(nullptr);
    unlink("f-killed");
    return write_file("f-killed", 'a', 3000) && file_has("f-killed", 'a', 3000) && unlink("f-killed") == 0 ? 0 : 1;
}

// The disk is full at some time; what was written before stays, and what is removed comes back.
int full_disk() {
    constexpr int kFilesMost = 16;
    char name[] = "f-full0";
    if (!write_file("f-kept", 'k', 1000)) return 1;
    int files = 0;
    bool full = false;
    for (; files < kFilesMost && !full; files++) {
        name[6] = static_cast<char>('a' + files);
        int const file = open(name, kCreate | kReadWrite);
        if (file < 0) break;
        int blocks = 0;
        while (blocks < 268 && write(file, buffer, 2 * kBlockBytes) == 2 * kBlockBytes) blocks += 2;
        full = blocks < 268;
        close(file);
    }
    bool const kept = file_has("f-kept", 'k', 1000);
    for (int i = 0; i < files; i++) {
        name[6] = static_cast<char>('a' + i);
        if (unlink(name) != 0) return 2;
    }
    if (!full || !kept) return 3;
    return write_file("f-full", 'a', 4000) && unlink("f-full") == 0 && unlink("f-kept") == 0 ? 0 : 4;
}

int execute_what_was_written() {
    int const from = open(own_path(), kReadOnly);
    int const to = open("f-copy", kCreate | kReadWrite);
    for (int got = read(from, buffer, 2048); got > 0; got = read(from, buffer, 2048))
        if (write(to, buffer, got) != got) return 1;
    close(from);
    close(to);
    char const* const arguments[] = {"f-copy", "executed", "fresh", nullptr};
    int const status = status_of_child([&arguments] { return exec("f-copy", arguments); });
    return status == 42 && unlink("f-copy") == 0 ? 0 : 2;
}

int console_is_a_device() {
    return status_of("/console").type == 3 ? 0 : 1;
}

constexpr NamedTest kTests[] = {
    {"create", create},
    {"createagain", create_again_keeps},
    {"truncate", truncate},
    {"offsets", offsets},
    {"sharedoffset", shared_offset},
    {"openrights", rights_of_opening},
    {"unlinkedopen", unlinked_but_open},
    {"blocks", many_blocks},
    {"largest", largest_file},
    {"oddsizes", odd_sizes},
    {"writebreak", write_over_the_break},
    {"filetoshared", read_into_shared},
    {"filewriters", several_writers},
    {"killedwriter", killed_writer},
    {"fulldisk", full_disk},
    {"execwritten", execute_what_was_written},
    {"console", console_is_a_device},
};

}  // namespace

constinit TestList const file_tests = list_of(kTests);

}  // namespace user
