// The file system: what becomes of files, names and directories, at the borders of what they can be; and that a disk on
// which everything was removed is as empty as before. As /init, on a disk that it may fill.

#include "base/memory.h"
#include "user/check.h"

using namespace user;

namespace {

constexpr int kBlockBytes = 1024;
constexpr int kFileBlocksMax = 12 + 256;

char buffer[kBlockBytes];

char pattern(int seed, int at) {
    return static_cast<char>(seed + at * 7 + at / 256);
}

// Writes `bytes` bytes of a pattern, `step` at a time; returns how many could be written.
int write_pattern(int file, int seed, int bytes, int step) {
    int done = 0;
    while (done < bytes) {
        int const chunk = bytes - done < step ? bytes - done : step;
        for (int i = 0; i < chunk; i++) buffer[i] = pattern(seed, done + i);
        int const written = write(file, buffer, chunk);
        if (written > 0) done += written;
        if (written != chunk) break;
    }
    return done;
}

// Whether the file holds exactly that much of the pattern from its offset on.
bool reads_pattern(int file, int seed, int bytes) {
    int done = 0;
    for (int got = read(file, buffer, 1000); got > 0; got = read(file, buffer, 1000))
        for (int i = 0; i < got; i++, done++)
            if (done >= bytes || buffer[i] != pattern(seed, done)) return false;
    return done == bytes;
}

bool holds_pattern(char const* path, int seed, int bytes) {
    int const file = open(path, kReadOnly);
    bool const holds = file >= 0 && reads_pattern(file, seed, bytes);
    close(file);
    return holds;
}

bool make_file(char const* path, int seed, int bytes, int step = kBlockBytes) {
    int const file = open(path, kCreate | kWriteOnly | kTruncate);
    bool const made = file >= 0 && write_pattern(file, seed, bytes, step) == bytes;
    close(file);
    return made;
}

struct NumberedName {
    char text[5] = {'n', '0', '0', '0', 0};

    explicit NumberedName(int number) {
        for (int i = 3; i > 0; i--, number /= 10) text[i] = static_cast<char>('0' + number % 10);
    }
};

int contents_at_every_border() {
    constexpr int kSizes[] = {0, 1, 1023, 1024, 1025, 12 * 1024, 12 * 1024 + 1, 13 * 1024 - 1, 20'000};
    constexpr int kSteps[] = {1000, kBlockBytes};
    for (int const step : kSteps)
        for (int const size : kSizes)
            if (!make_file("border", size, size, step) || !holds_pattern("border", size, size)) return size + 1;
    return unlink("border") == 0 ? 0 : 1;
}

int longest_file() {
    int const file = open("long", kCreate | kReadWrite);
    int const bytes = kFileBlocksMax * kBlockBytes;
    if (write_pattern(file, 1, bytes + 10, 1000) != bytes) return 1;
    if (write(file, buffer, 1) != -1 || status_of("long").bytes != static_cast<unsigned long>(bytes)) return 2;
    close(file);
    if (!holds_pattern("long", 1, bytes)) return 3;
    return unlink("long") == 0 ? 0 : 4;
}

// All at once, where the log takes a part at a time.
int one_large_write() {
    char* const large = sbrk(60 * kBlockBytes);
    for (int i = 0; i < 60 * kBlockBytes; i++) large[i] = pattern(3, i);
    int const file = open("large", kCreate | kWriteOnly);
    if (write(file, large, 60 * kBlockBytes) != 60 * kBlockBytes) return 1;
    close(file);
    if (!holds_pattern("large", 3, 60 * kBlockBytes)) return 2;
    return unlink("large") == 0 ? 0 : 3;
}

int truncation() {
    make_file("cut", 1, 5000);
    int const before = open("cut", kReadWrite);
    read(before, buffer, 100);
    int const cut = open("cut", kWriteOnly | kTruncate);
    if (cut < 0 || status_of("cut").bytes != 0) return 1;
    if (read(before, buffer, 1) != 0) return 2;
    if (write(before, "x", 1) != -1) return 3;  // behind the end: files have no holes
    if (write(cut, "abc", 3) != 3 || status_of("cut").bytes != 3) return 4;
    close(before);
    close(cut);
    if (open("cut", kReadOnly | kTruncate) < 0 || status_of("cut").bytes != 0) return 5;
    return unlink("cut") == 0 ? 0 : 6;
}

int file_without_a_name() {
    int const file = open("open", kCreate | kReadWrite);
    if (unlink("open") != 0 || exists("open")) return 1;
    if (write_pattern(file, 5, 3000, kBlockBytes) != 3000) return 2;
    FileStatus status = {};
    if (fstat(file, &status) != 0 || status.links != 0 || status.bytes != 3000) return 3;
    int const other = open("open", kCreate | kReadWrite);  // the same name, another file
    FileStatus others = {};
    if (fstat(other, &others) != 0 || others.inode == status.inode || others.bytes != 0) return 4;
    close(other);
    return unlink("open") == 0 ? 0 : 5;
}

int links() {
    make_file("one", 1, 2000);
    if (link("one", "two") != 0 || link("one", "two") != -1 || link("none", "three") != -1) return 1;
    if (status_of("one").links != 2 || status_of("one").inode != status_of("two").inode) return 2;
    if (unlink("one") != 0 || exists("one") || !holds_pattern("two", 1, 2000)) return 3;
    if (status_of("two").links != 1 || link("/", "root") != -1 || link("two", "no/where") != -1) return 4;
    return unlink("two") == 0 && unlink("two") == -1 ? 0 : 5;
}

int long_names() {
    if (mkdir("12345678901234") != 0) return 1;
    if (mkdir("123456789012345") != -1) return 2;  // the same name, since 14 bytes count
    if (!make_file("12345678901234/abcdefghijklmnop", 1, 10)) return 3;
    if (!exists("123456789012349/abcdefghijklmn") || exists("12345678901234/abcdefghijklm")) return 4;
    return unlink("12345678901234/abcdefghijklmn") == 0 && unlink("12345678901234") == 0 ? 0 : 5;
}

int directories() {
    if (mkdir("d") != 0 || mkdir("d") != -1 || mkdir("d/e") != 0 || mkdir("x/y") != -1) return 1;
    if (status_of("d").type != 1 || status_of("d").links != 2 || status_of("d/e").links != 1) return 2;
    if (chdir("d/e") != 0 || !make_file("f", 1, 10) || !exists("/d/e/f") || !exists("../../d/./e/f")) return 3;
    if (chdir("f") != -1 || chdir("none") != -1) return 4;
    if (unlink(".") != -1 || unlink("..") != -1 || unlink("/d") != -1 || unlink("/d/e") != -1) return 5;
    if (open(".", kReadWrite) != -1 || open("..", kCreate) != -1 || exists("f/g")) return 6;
    if (unlink("f") != 0 || chdir("..") != 0 || unlink("e") != 0 || status_of(".").links != 1) return 7;
    return chdir("/") == 0 && unlink("d") == 0 && chdir("..") == 0 && exists("init") ? 0 : 8;
}

int removed_current_directory() {
    if (mkdir("gone") != 0 || chdir("gone") != 0 || unlink("../gone") != 0) return 1;
    if (open("f", kCreate) != -1 || mkdir("g") != -1 || link("/init", "h") != -1) return 2;
    return exists(".") && chdir("/") == 0 && !exists("gone") ? 0 : 3;
}

int many_names() {
    constexpr int kNames = 100;  // more than the entries of a block
    mkdir("many");
    chdir("many");
    for (int i = 0; i < kNames; i++)
        if (!make_file(NumberedName(i).text, i, 10)) return 1;
    for (int i = 0; i < kNames; i += 2)
        if (unlink(NumberedName(i).text) != 0) return 2;
    for (int i = 0; i < kNames; i++)
        if (exists(NumberedName(i).text) != (i % 2 == 1)) return 3;
    for (int i = 0; i < kNames; i += 2)
        if (link(NumberedName(1).text, NumberedName(i).text) != 0) return 4;  // into the room of the old ones
    if (status_of(".").bytes != (kNames + 2) * 16) return 5;
    for (int i = 0; i < kNames; i++)
        if (unlink(NumberedName(i).text) != 0) return 6;
    return chdir("/") == 0 && unlink("many") == 0 ? 0 : 7;
}

int devices() {
    if (mknod("device", 7, 3) != 0 || mknod("device", 7, 3) != -1 || status_of("device").type != 3) return 1;
    int const device = open("device", kReadWrite);
    if (device < 0 || read(device, buffer, 1) != -1 || write(device, buffer, 1) != -1) return 2;
    if (mknod("terminal", kernel::kConsoleMajor, 0) != 0) return 3;
    int const terminal = open("terminal", kWriteOnly);
    if (write(terminal, "", 0) != 0) return 4;
    if (mknod("wild", 99, 0) != 0 || open("wild", kReadOnly) != -1) return 5;
    return unlink("device") == 0 && unlink("terminal") == 0 && unlink("wild") == 0 ? 0 : 6;
}

int bad_arguments() {
    char* const nowhere = reinterpret_cast<char*>(0x4000000000);
    if (open(nowhere, kCreate) != -1 || mkdir(nowhere) != -1 || unlink(nowhere) != -1 || chdir(nowhere) != -1) return 1;
    if (link("/init", nowhere) != -1 || link(nowhere, "x") != -1 || mknod(nowhere, 1, 1) != -1) return 2;
    if (mkdir("") != -1 || mkdir("/") != -1 || open("", kCreate) != -1 || unlink("/") != -1) return 3;
    char path[200] = {};
    for (int i = 0; i < 199; i++) path[i] = 'a';
    if (open(path, kCreate) != -1 || mkdir(path) != -1) return 4;
    int const file = open("bad", kCreate | kReadWrite);
    if (write(file, nowhere, 10) != -1 || status_of("bad").bytes != 0) return 5;
    char* const end = sbrk(0);
    sbrk(static_cast<int>(4096 - reinterpret_cast<uint64_t>(end) % 4096));
    if (write(file, sbrk(0) - 5, 10) != 5 || status_of("bad").bytes != 5) return 6;  // what can be read is written
    return unlink("bad") == 0 ? 0 : 7;
}

constexpr int kLongestFile = kFileBlocksMax * kBlockBytes;

// Fills the disk with one long file after the other; returns the bytes that it took, -1 if it had no end.
int fill() {
    constexpr int kFilesMax = 100;
    for (int i = 0; i < kFilesMax; i++) {
        int const file = open(NumberedName(i).text, kCreate | kWriteOnly);
        int const written = write_pattern(file, i, kLongestFile, kBlockBytes);
        bool const full = written < kLongestFile && write(file, buffer, 1) == -1;
        close(file);
        if (full) return i * kLongestFile + (written > 0 ? written : 0);
    }
    return -1;
}

int full_disk() {
    int first = 0;
    for (int round = 0; round < 2; round++) {
        int const total = fill();
        if (total <= 0) return 1;
        if (round == 0) first = total;
        if (total != first) return 2;  // something was not given back
        if (mkdir("no-room") != -1 || exists("no-room")) return 3;
        for (int i = 0; i <= total / kLongestFile; i++) {
            int const left = total - i * kLongestFile;
            if (!holds_pattern(NumberedName(i).text, i, left < kLongestFile ? left : kLongestFile)) return 4;
            if (unlink(NumberedName(i).text) != 0) return 5;
        }
    }
    return 0;
}

int no_inodes_left() {
    int first = 0;
    for (int round = 0; round < 2; round++) {
        int count = 0;
        for (int file = 0; file >= 0; count++) {
            file = open(NumberedName(count).text, kCreate);
            close(file);
        }
        if (round == 0) first = count;
        if (count < 10 || count != first || mkdir("no-room") != -1 || mknod("no-room", 1, 1) != -1) return 1;
        for (int i = 0; i < count - 1; i++)
            if (unlink(NumberedName(i).text) != 0) return 2;
    }
    return 0;
}

int writers_at_the_same_time() {
    constexpr int kWriters = 4;
    constexpr int kBytes = 15'000;
    for (int i = 0; i < kWriters; i++) {
        if (fork() != 0) continue;
        for (int round = 0; round < 5; round++) {
            if (!make_file(NumberedName(i).text, i + round, kBytes, 300)) exit(1);
            if (!holds_pattern(NumberedName(i).text, i + round, kBytes)) exit(2);
            if (unlink(NumberedName(i).text) != 0) exit(3);
        }
        exit(0);
    }
    return kWriters - reap_all();
}

// Several processes write through one open file: each write is there once, and whole.
int shared_offset() {
    constexpr int kWriters = 3;
    constexpr int kWrites = 40;
    int const file = open("shared", kCreate | kWriteOnly);
    for (int i = 0; i < kWriters; i++) {
        if (fork() != 0) continue;
        char record[10];
        for (char& byte : record) byte = static_cast<char>('a' + i);
        for (int j = 0; j < kWrites; j++)
            if (write(file, record, sizeof record) != sizeof record) exit(1);
        exit(0);
    }
    reap_all();
    close(file);
    int counts[kWriters] = {};
    int const written = open("shared", kReadOnly);
    for (char record[10]; read(written, record, sizeof record) == sizeof record;) {
        for (char const byte : record)
            if (byte != record[0]) return 1;
        counts[record[0] - 'a']++;
    }
    close(written);
    for (int const count : counts)
        if (count != kWrites) return 2;
    return unlink("shared") == 0 ? 0 : 3;
}

// Counting the free frames takes longer than most of these tests: it is done once, for all.
void run(char const* what, int (*body)()) {
    int const status = status_of_child(body);
    check(what, status == 0);
    if (status != 0) print("      its status: ", status, "\n");
}

}  // namespace

int main(int argument_count, char** arguments) {
    begin_tests(argument_count, arguments);
    run("a file holds what was written, at every border of its blocks", contents_at_every_border);
    run("a file ends at its 268th block", longest_file);
    run("a large write arrives whole", one_large_write);
    run("truncation empties a file, and nothing is written behind its end", truncation);
    run("a file without a name is there while it is open", file_without_a_name);
    run("a file has as many links as names", links);
    run("names are cut at 14 bytes", long_names);
    run("directories, their dots, and paths", directories);
    run("a removed current directory takes no names", removed_current_directory);
    run("a directory of more names than a block holds", many_names);
    run("device nodes", devices);
    run("bad arguments fail", bad_arguments);
    run("a full disk refuses, keeps what it has, and can be emptied", full_disk);
    run("so does one without inodes", no_inodes_left);
    run("several write at the same time", writers_at_the_same_time);
    run("several write through one open file", shared_offset);
    judge("as many frames are free as before", 0);
    finish("filetest");
}
