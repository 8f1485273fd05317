// Fork, exit, wait, kill, sleep.

#include "user/usertests/tests.h"

namespace user {
namespace {

constexpr int kLong = 1'000'000;
constexpr int kProcessesMax = 64;

int fork_wait() {
    int const child = fork();
    if (child == 0) exit(17);
    int status = -2;
    return child > 0 && wait(&status) == child && status == 17 ? 0 : 1;
}

int statuses() {
    constexpr int kStatuses[] = {0, 1, 2, 127, 128, 255};
    for (int const wanted : kStatuses)
        if (status_of_child([wanted] { return wanted; }) != wanted) return 1;
    return 0;
}

int wait_for_nobody() {
    int status = 55;
    return wait(&status) == -1 && wait(nullptr) == -1 && status == 55 ? 0 : 1;
}

int wait_without_status() {
    int const child = fork();
    if (child == 0) exit(3);
    return wait(nullptr) == child && wait(nullptr) == -1 ? 0 : 1;
}

int wait_for_each() {
    constexpr int kChildren = 12;
    int pids[kChildren];
    for (int i = 0; i < kChildren; i++) {
        pids[i] = fork();
        if (pids[i] == 0) exit(i);
    }
    bool seen[kChildren] = {};
    for (int i = 0; i < kChildren; i++) {
        int status = -2;
        int const pid = wait(&status);
        if (status < 0 || status >= kChildren || pids[status] != pid || seen[status]) return 1;
        seen[status] = true;
    }
    return wait(nullptr) == -1 ? 0 : 2;
}

int wait_again() {
    int const child = fork();
    if (child == 0) exit(4);
    for (uint64_t const at : kWildAddresses)
        if (wait(reinterpret_cast<int*>(at)) != -1) return 1;
    int status = -2;
    return wait(&status) == child && status == 4 ? 0 : 2;
}

int pids_differ() {
    int last = 0;
    for (int i = 0; i < 10; i++) {
        Child const child([] { return getpid() % 128; });
        if (child.pid() <= last || child.status() != child.pid() % 128) return 1;
        last = child.pid();
    }
    return 0;
}

// Whether a child can be killed in the midst of `body`.
template <class Body>
bool can_be_killed(Body body) {
    Child const child([&body] {
        body();
        return 0;
    });
    sleep(1);
    return kill(child.pid()) == 0 && child.status() == -1;
}

int kill_a_spinner() {
    bool const killed = can_be_killed([] {
        for (;;) continue;
    });
    return killed ? 0 : 1;
}

int kill_a_sleeper() {
    return can_be_killed([] { sleep(kLong); }) ? 0 : 1;
}

int kill_a_reader() {
    Pipe const ends;
    char never;
    return can_be_killed([&] { read(ends[0], &never, 1); }) ? 0 : 2;
}

int kill_a_writer() {
    Pipe const ends;
    bool const killed = can_be_killed([&ends] {
        for (;;) write(ends[1], "full", 4);
    });
    return killed ? 0 : 2;
}

int kill_one_who_waits() {
    Pipe const pid_pipe;
    Child const child([&pid_pipe] {
        Child const sleeper([] { return sleep(kLong); });
        int const pid = sleeper.pid();
        write(pid_pipe[1], &pid, sizeof pid);
        return sleeper.status();
    });
    int grandchild = 0;
    if (read(pid_pipe[0], &grandchild, sizeof grandchild) != sizeof grandchild) return 2;
    sleep(1);
    if (kill(child.pid()) != 0 || child.status() != -1) return 3;
    return kill(grandchild) == 0 ? 0 : 4;  // an orphan by now
}

int kill_oneself() {
    return kills([] { kill(getpid()); }) ? 0 : 1;
}

int kill_nobody() {
    int const child = fork();
    if (child == 0) exit(0);
    wait(nullptr);
    return kill(child) == -1 && kill(-1) == -1 && kill(0x7fffffff) == -1 ? 0 : 1;
}

int killed_in_a_family() {
    int pids[6];
    for (int& pid : pids) {
        pid = fork();
        if (pid == 0) {
            for (;;) status_of_child([] { return 0; });
        }
    }
    sleep(1);
    for (int const pid : pids)
        if (kill(pid) != 0) return 1;
    return reap_all(-1) == 6 ? 0 : 2;
}

// The parent ends; its child goes on, and is told apart from it by a pipe only.
int orphan() {
    Pipe const ends;
    int const status = status_of_child([&ends] {
        if (fork() == 0) {
            sleep(2);
            write(ends[1], "o", 1);
            exit(0);
        }
        return 8;
    });
    if (status != 8 || wait(nullptr) != -1) return 2;
    close(ends[1]);
    char said = 0;
    return read(ends[0], &said, 1) == 1 && said == 'o' && read(ends[0], &said, 1) == 0 ? 0 : 3;
}

int full_table() {
    int forked = 0;
    Gate const gate;
    while (Child([&gate] { return gate.pass() ? 0 : 1; }).pid() > 0)
        if (++forked > kProcessesMax) return 2;
    for (int i = 0; i < forked; i++) gate.open();
    if (forked < 16 || reap_all() != forked) return 3;  // fewer than slots, where fork copies: it is out of memory then
    return status_of_child([] { return 7; }) == 7 ? 0 : 4;
}

int tree(int depth) {
    if (depth == 0) return 0;
    for (int i = 0; i < 2; i++)
        if (Child([depth] { return tree(depth - 1); }).pid() < 0) return 1;
    return reap_all() == 2 ? 0 : 1;
}

int family_tree() {
    return tree(3);
}

int exit_closes_files() {
    Pipe const ends;
    int const child = fork();
    if (child == 0) exit(0);
    close(ends[1]);
    char nothing;
    return read(ends[0], &nothing, 1) == 0 && wait(nullptr) == child ? 0 : 2;
}

int time_passes() {
    int const before = uptime();
    if (sleep(2) != 0) return 1;
    int const after = uptime();
    return after - before >= 2 && sleep(0) == 0 ? 0 : 2;
}

// Nobody has to give the processor up.
int preemption() {
    int pids[3];
    for (int& pid : pids) {
        pid = fork();
        if (pid == 0)
            for (;;) continue;
    }
    int const until = uptime() + 3;
    while (uptime() < until) continue;  // this process goes on as well
    for (int const pid : pids) kill(pid);
    return reap_all(-1) == 3 ? 0 : 1;
}

// Timer interrupts leave every register as it is. Long enough for some.
int registers_stay() {
    for (int i = 0; i < 2; i++)
        if (fork() == 0) {
            uint64_t const seed = word(getpid()) * 0x9e3779b97f4a7c15;
            int const until = uptime() + 2;
            bool good = true;
            while (uptime() < until && good) {
                uint64_t s0 = seed, s1 = seed + 1, s2 = seed + 2, s3 = seed + 3, t0 = seed + 4, t1 = seed + 5;
                for (int spin = 0; spin < 20000; spin++)
                    asm volatile("" : "+r"(s0), "+r"(s1), "+r"(s2), "+r"(s3), "+r"(t0), "+r"(t1));
                good = s0 == seed && s1 == seed + 1 && s2 == seed + 2 && s3 == seed + 3 && t0 == seed + 4 &&
                       t1 == seed + 5;
            }
            exit(good ? 0 : 1);
        }
    return reap_all() == 2 ? 0 : 2;
}

constexpr NamedTest kTests[] = {
    {"forkwait", fork_wait},
    {"statuses", statuses},
    {"waitnobody", wait_for_nobody},
    {"waitnull", wait_without_status},
    {"waiteach", wait_for_each},
    {"waitagain", wait_again},
    {"pids", pids_differ},
    {"killspinner", kill_a_spinner},
    {"killsleeper", kill_a_sleeper},
    {"killreader", kill_a_reader},
    {"killwriter", kill_a_writer},
    {"killwaiter", kill_one_who_waits},
    {"killself", kill_oneself},
    {"killnobody", kill_nobody},
    {"killfamily", killed_in_a_family},
    {"orphan", orphan},
    {"fulltable", full_table},
    {"tree", family_tree},
    {"exitcloses", exit_closes_files},
    {"time", time_passes},
    {"preempt", preemption},
    {"registers", registers_stay},
};

}  // namespace

constinit TestList const process_tests = list_of(kTests);

}  // namespace user
