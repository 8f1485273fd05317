// The clock by which Unicorn sizes its TLB.
//
// Unicorn (qemu/accel/tcg/cputlb.c, tlb_mmu_resize_locked) doubles its software TLB at a flush when it seems crowded,
// and halves it when it has seemed empty for 100 ms of gettimeofday(). Its count of entries is decremented twice for an
// entry that comes back from the victim TLB; a count that has gone below zero looks like a crowd, and the TLB doubles
// at every flush, up to 16 MiB. A kernel flushes several times in each trap, and each flush clears all of it: three
// quarters of the time of stock xv6 kernels went there. By this clock 100 ms pass between any two flushes, so that a
// TLB that has grown shrinks at the next one.
//
// It takes the place of the C library's function for every shared library of the program. Unicorn is the only one here
// that asks for it; C++ clocks use clock_gettime.

#include "impl/board/engine_clock.h"

#include <sys/time.h>

#include <ctime>

extern "C" int gettimeofday(timeval* __restrict time, void* __restrict) noexcept {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    // A microsecond counts as a second.
    time->tv_sec = now.tv_sec * 1'000'000 + now.tv_nsec / 1'000;
    time->tv_usec = 0;
    return 0;
}

namespace vmcheck::board {

// A linker takes an object out of a library only when something in it is asked for by name.
void use_engine_clock() {}

}  // namespace vmcheck::board
