#pragma once
// What test programs are written with: checks that are named, printed and counted.
//
//     begin_tests(argument_count, arguments);
//     check("a child gets 0 from fork", child == 0);
//     test("fork: a child's stores are its own", body);    // in a child; no frame may be lost
//     finish("cowtest");      // prints "cowtest: 12 passed, 0 failed"

#include "user/system.h"

namespace user {

void print(char const* text);
void print(int number);
// Several, one behind the other.
template <class First, class Second, class... More>
void print(First first, Second second, More... more) {
    print(first);
    print(second, more...);
}

void check(char const* what, bool passed);

// Prints the totals and ends with the number of failures as its status, or kFailuresMax if there are more. The first
// process, which must not end, sleeps for ever instead.
inline constexpr int kFailuresMax = 100;
[[noreturn]] void finish(char const* program);

// Opens the console as files 0, 1 and 2, unless they are open.
void open_console();

// The same, and counts the free frames for judge(). Where the program is the first process, this starts it once more
// as a child and does not return in the first: that is to wait for orphans, and tests are to know their children.
void begin_tests(int argument_count, char** arguments);

// The path that this program was started with. REQUIRES: begin_tests before.
char const* own_path();

// Has a process of its own keep all but `frames` free frames or so until finish(), so that the tests from now on run
// out of memory soon. REQUIRES: begin_tests before.
void leave_free(int frames);
// Ends that process. As many frames must be free then as at the beginning; the next judge() will tell.
void leave_all_free();
// How many frames were free when they were counted last, by judge() or one of the above.
int free_frames();

// A pipe; where none can be had, this process ends with status 1.
class Pipe {
  public:
    Pipe() {
        if (pipe(ends_) != 0) exit(1);
    }
    int operator[](int end) const { return ends_[end]; }
    void close() const {
        user::close(ends_[0]);
        user::close(ends_[1]);
    }

  private:
    int ends_[2];
};

// Where children wait until they are let go on, one for each open(), so that a test decides what comes first.
class Gate : public Pipe {
  public:
    void open() const { write((*this)[1], "g", 1); }
    bool pass() const {
        char go;
        return read((*this)[0], &go, 1) == 1;
    }
};

// A child that does `body` meanwhile, and ends with what it returns.
class Child {
  public:
    template <class Body>
    explicit Child(Body body) : pid_(fork()) {
        if (pid_ == 0) exit(body());
    }
    int pid() const { return pid_; }
    // Waits for its end: its exit status, -1 if it was killed, -2 if there was no child.
    int status() const {
        if (pid_ < 0) return -2;
        int status = 0;
        for (int ended = wait(&status); ended != pid_; ended = wait(&status))
            if (ended < 0) return -2;  // others are orphans, which the first process gets
        return status;
    }

  private:
    int pid_;
};

// A child that does nothing until its status is wanted, so that what it shares stays shared.
class Partner {
  public:
    template <class Body>
    explicit Partner(Body body) : child_([&] { return gate_.pass() ? body() : 99; }) {}
    bool forked() const { return child_.pid() > 0; }
    int status() const {
        gate_.open();
        int const status = child_.status();
        gate_.close();
        return status;
    }

  private:
    Gate gate_;
    Child child_;
};

template <class Body>
int status_of_child(Body body) {
    return Child(body).status();
}

// Waits for all children; how many ended with `wanted`.
int reap_all(int wanted = 0);

// Whether there is something of that name that can be opened.
bool exists(char const* path);
// Its status; of what cannot be opened, type and links are -1.
FileStatus status_of(char const* path);

// The decimal number that a text begins with.
int number_in(char const* text);

// Loads and stores at addresses that the compiler must know nothing about.
inline char load_at(uint64_t address) {
    char value;
    asm volatile("lb %0, 0(%1)" : "=r"(value) : "r"(address) : "memory");
    return value;
}
inline void store_at(uint64_t address, char value) {
    asm volatile("sb %0, 0(%1)" : : "r"(value), "r"(address) : "memory");
}

// Whether a child that does `body` is killed for it.
template <class Body>
bool kills(Body body) {
    return status_of_child([&body] {
               body();
               return 0;
           }) == -1;
}

// How many frames a process can still get, found by getting them all. What a correct program leaves unchanged. Takes
// half the time where the answer is `likely` or a little more.
int count_free_frames(int likely = 0);

// Judges a test of the program's: whether its child ended with 0, and as many frames are free as before it.
void judge(char const* what, int status);

// Runs `body` in a child of its own, which returns 0 or the number of the step that failed, and judges it.
template <class Body>
void test(char const* what, Body body) {
    judge(what, status_of_child(body));
}

inline constexpr int kPageBytes = 4096;

}  // namespace user
