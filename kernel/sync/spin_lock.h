#pragma once
// Locks for short sections: the holder runs with interrupts off and does not sleep.
//
//     SpinGuard guard(lock);      // to the end of the block
//
// Order, outermost first, where one is taken under another: pipe, console, disk, ticks, sleep-lock internals;
// then the process table; the frame pool is taken last and under anything.

#include "base/utility.h"
#include "riscv/csr.h"

namespace kernel {

// Interrupts are off until the end of the block, and then as they were.
class InterruptsOff : Immovable {
  public:
    InterruptsOff() : were_enabled_(interrupts_enabled()) { disable_interrupts(); }
    ~InterruptsOff() {
        if (were_enabled_) enable_interrupts();
    }

  private:
    bool were_enabled_;
};

class SpinLock : Immovable {
  public:
    // REQUIRES, all three: interrupts are off. Most users want SpinGuard.
    void acquire();  // panics where this hart holds the lock already: it would wait for itself
    void release();  // panics where this hart does not hold it
    bool held() const;

  private:
    static constexpr uint32_t kFree = 0;

    uint32_t holder_ = kFree;  // 1 + the number of the hart that holds it
};

class SpinGuard : Immovable {
  public:
    explicit SpinGuard(SpinLock& lock) : lock_(lock) { lock_.acquire(); }
    ~SpinGuard() { lock_.release(); }

  private:
    InterruptsOff interrupts_off_;  // constructed before the lock is taken, destroyed after it is released
    SpinLock& lock_;
};

}  // namespace kernel
