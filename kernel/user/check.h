#pragma once
// What test programs are written with: checks that are named, printed and counted.
//
//     check("a child gets 0 from fork", child == 0);
//     finish("smoke");      // prints "smoke: 12 passed, 0 failed"

#include "user/system.h"

namespace user {

void print(char const* text);
void print(int number);

void check(char const* what, bool passed);

// Prints the totals and then sleeps for ever, as /init must not end.
[[noreturn]] void finish(char const* program);

// Opens the console as files 0, 1 and 2.
void open_console();

// The same, and counts the free frames for judge().
void begin_tests();

// Runs `body` in a child and returns its exit status: what it returned, -1 if it was killed, -2 if there was no child.
template <class Body>
int status_of_child(Body body) {
    int const child = fork();
    if (child == 0) exit(body());
    if (child < 0) return -2;
    int status = 0;
    for (int ended = wait(&status); ended != child; ended = wait(&status))
        if (ended < 0) return -2;  // others are orphans, which the first process gets
    return status;
}

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

// How many frames a process can still get, found by getting them all. What a correct program leaves unchanged.
int count_free_frames();

// Judges a test of the program's: whether its child ended with 0, and as many frames are free as before the first.
void judge(char const* what, int status);

// Runs `body` in a child of its own, which returns 0 or the number of the step that failed, and judges it.
template <class Body>
void test(char const* what, Body body) {
    judge(what, status_of_child(body));
}

inline constexpr int kPageBytes = 4096;

}  // namespace user
