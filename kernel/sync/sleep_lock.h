#pragma once
// Locks for long sections: the holder may sleep, and whoever waits sleeps too.

#include "sync/spin_lock.h"

namespace kernel {

class SleepLock : Immovable {
  public:
    // REQUIRES: called by a process (the idle thread cannot sleep) that holds no spin lock. Panics where that process
    // holds the lock already: it would wait for itself.
    void acquire();
    void release();

  private:
    SpinLock guard_;
    void const* holder_ = nullptr;  // the process
    size_t waiting_ = 0;            // how many wait; most often nobody does, and nobody need be looked for
};

class SleepGuard : Immovable {
  public:
    explicit SleepGuard(SleepLock& lock) : lock_(lock) { lock_.acquire(); }
    ~SleepGuard() { lock_.release(); }

  private:
    SleepLock& lock_;
};

}  // namespace kernel
