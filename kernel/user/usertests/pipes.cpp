// Pipes, and descriptors in general.

#include "user/usertests/tests.h"

namespace user {
namespace {

constexpr int kFilesMax = 16;

char buffer[2 * kPageBytes];

int small() {
    Pipe const ends;
    if (write(ends[1], "abc", 3) != 3) return 2;
    char got[8] = {};
    if (read(ends[0], got, sizeof got) != 3) return 3;
    return got[0] == 'a' && got[2] == 'c' && got[3] == 0 ? 0 : 4;
}

// More than a pipe holds, in pieces whose sizes do not fit each other.
int stream() {
    constexpr int kBytes = 10'000;
    Pipe const ends;
    Child const child([&ends] {
        close(ends[0]);
        for (int done = 0; done < kBytes;) {
            char piece[77];
            int const length = kBytes - done < 77 ? kBytes - done : 77;
            for (int i = 0; i < length; i++) piece[i] = static_cast<char>((done + i) % 251);
            if (write(ends[1], piece, length) != length) return 1;
            done += length;
        }
        return 0;
    });
    close(ends[1]);
    int done = 0;
    for (int got = read(ends[0], buffer, 1000); got > 0; got = read(ends[0], buffer, 1000))
        for (int i = 0; i < got; i++, done++)
            if (buffer[i] != static_cast<char>(done % 251)) return 2;
    return done == kBytes && child.status() == 0 ? 0 : 3;
}

// One write of more than it holds waits for its reader.
int large_write() {
    Pipe const ends;
    Child const child([&ends] {
        fill(buffer, 5000, 'L');
        return write(ends[1], buffer, 5000) == 5000 ? 0 : 1;
    });
    close(ends[1]);
    fill(buffer, 5000, 0);
    if (read_all(ends[0], buffer, 6000) != 5000 || !all_are(buffer, 5000, 'L')) return 2;
    return child.status();
}

int end_of_file() {
    Pipe const ends;
    write(ends[1], "z", 1);
    close(ends[1]);
    char got = 0;
    return read(ends[0], &got, 1) == 1 && got == 'z' && read(ends[0], &got, 1) == 0 && read(ends[0], &got, 1) == 0 ? 0
                                                                                                                   : 2;
}

int no_reader() {
    Pipe const ends;
    close(ends[0]);
    return write(ends[1], "x", 1) == -1 ? 0 : 2;
}

int reader_leaves() {
    Pipe const ends;
    Child const child([&ends] {
        close(ends[0]);
        for (int i = 0; i < 100'000; i++)
            if (write(ends[1], buffer, 100) == -1) return 0;
        return 1;
    });
    close(ends[1]);
    read(ends[0], buffer + 200, 10);
    close(ends[0]);
    return child.status();
}

int wrong_end() {
    Pipe const ends;
    char got;
    return read(ends[1], &got, 1) == -1 && write(ends[0], "x", 1) == -1 ? 0 : 2;
}

int several_writers() {
    constexpr int kWriters = 5;
    constexpr int kEach = 300;
    Pipe const ends;
    for (int w = 0; w < kWriters; w++)
        if (fork() == 0) {
            char const mine = static_cast<char>('a' + w);
            for (int i = 0; i < kEach; i++)
                if (write(ends[1], &mine, 1) != 1) exit(1);
            exit(0);
        }
    close(ends[1]);
    int counts[kWriters] = {};
    for (int got = read(ends[0], buffer, 100); got > 0; got = read(ends[0], buffer, 100))
        for (int i = 0; i < got; i++) {
            int const who = buffer[i] - 'a';
            if (who < 0 || who >= kWriters) return 2;
            counts[who]++;
        }
    for (int const count : counts)
        if (count != kEach) return 3;
    return reap_all() == kWriters ? 0 : 4;
}

int several_readers() {
    Pipe const ends;
    Pipe const back;
    for (int r = 0; r < 4; r++)
        if (fork() == 0) {
            close(ends[1]);
            char got;
            while (read(ends[0], &got, 1) == 1) write(back[1], &got, 1);
            exit(0);
        }
    close(back[1]);
    for (int i = 0; i < 100; i++) {
        char const each = static_cast<char>(i);
        write(ends[1], &each, 1);
    }
    close(ends[1]);
    int sum = 0;
    int count = 0;
    char got;
    while (read(back[0], &got, 1) == 1) {
        sum += got;
        count++;
    }
    return count == 100 && sum == 4950 && reap_all() == 4 ? 0 : 2;
}

// A line of processes; each passes on what it reads, and adds one.
int chain() {
    constexpr int kLinks = 6;
    Pipe const first;
    int from = first[0];
    for (int i = 0; i < kLinks; i++) {
        Pipe const next;
        if (fork() == 0) {
            close(first[1]);
            close(next[0]);
            char each;
            while (read(from, &each, 1) == 1) {
                each++;
                write(next[1], &each, 1);
            }
            exit(0);
        }
        close(from);
        close(next[1]);
        from = next[0];
    }
    write(first[1], "aA1", 3);
    close(first[1]);
    char got[4] = {};
    if (read_all(from, got, 4) != 3) return 3;
    if (got[0] != 'a' + kLinks || got[1] != 'A' + kLinks || got[2] != '1' + kLinks) return 4;
    return reap_all() == kLinks ? 0 : 5;
}

int there_and_back() {
    Pipe const to;
    Pipe const from;
    Child const child([&] {
        char ball;
        for (int i = 0; i < 100; i++) {
            if (read(to[0], &ball, 1) != 1) return 1;
            ball++;
            write(from[1], &ball, 1);
        }
        return 0;
    });
    char ball = 0;
    for (int i = 0; i < 100; i++) {
        write(to[1], &ball, 1);
        if (read(from[0], &ball, 1) != 1 || ball != i + 1) return 2;
    }
    return child.status();
}

int nothing_to_move() {
    Pipe const ends;
    if (write(ends[1], buffer, 0) != 0) return 2;
    write(ends[1], "x", 1);
    return read(ends[0], buffer, 0) == 0 && read(ends[0], buffer, 5) == 1 ? 0 : 3;
}

int duplicates() {
    Pipe const ends;
    int const second = dup(ends[1]);
    if (second <= ends[1]) return 2;
    close(ends[1]);
    if (write(second, "d", 1) != 1) return 3;
    close(second);
    char got = 0;
    return read(ends[0], &got, 1) == 1 && got == 'd' && read(ends[0], &got, 1) == 0 ? 0 : 4;
}

int lowest_descriptor() {
    int const a = dup(1);
    int const b = dup(1);
    int const c = dup(1);
    close(b);
    int const again = dup(1);
    return a < b && b < c && again == b ? 0 : 1;
}

int full_descriptor_table() {
    int opened = 0;
    while (opened <= kFilesMax && dup(1) >= 0) opened++;
    if (opened > kFilesMax - 3) return 1;
    int ends[2] = {-5, -5};
    if (pipe(ends) != -1 || dup(1) != -1) return 2;
    close(kFilesMax - 1);
    if (pipe(ends) != -1) return 3;  // one is free, and it needs two
    return dup(1) == kFilesMax - 1 ? 0 : 4;
}

// The system's table of open files is full before the processes' own are.
int full_file_table() {
    int forked = 0;
    Gate const gate;
    Pipe const ready;
    for (; forked < 12; forked++)
        if (fork() == 0) {
            int ends[2];
            while (pipe(ends) == 0) continue;
            write(ready[1], "r", 1);
            gate.pass();
            exit(0);
        }
    char said;
    for (int i = 0; i < forked; i++) read(ready[0], &said, 1);
    int ends[2];
    bool const refused = pipe(ends) == -1;
    for (int i = 0; i < forked; i++) gate.open();
    if (reap_all() != forked) return 2;
    return refused && pipe(ends) == 0 ? 0 : 3;
}

constexpr NamedTest kTests[] = {
    {"pipe", small},
    {"pipestream", stream},
    {"pipelarge", large_write},
    {"pipeend", end_of_file},
    {"pipenoreader", no_reader},
    {"pipeleaves", reader_leaves},
    {"pipewrongend", wrong_end},
    {"pipewriters", several_writers},
    {"pipereaders", several_readers},
    {"pipechain", chain},
    {"pipepingpong", there_and_back},
    {"pipenothing", nothing_to_move},
    {"pipedup", duplicates},
    {"lowestfile", lowest_descriptor},
    {"filesperprocess", full_descriptor_table},
    {"filetable", full_file_table},
};

}  // namespace

constinit TestList const pipe_tests = list_of(kTests);

}  // namespace user
