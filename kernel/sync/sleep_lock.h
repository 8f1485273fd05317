#pragma once
// Locks for long sections: the holder may sleep, and whoever waits sleeps too.

#include "sync/spin_lock.h"

namespace kernel {

class SleepLock : Immovable {
  public:
    // REQUIRES: called by a process (the idle thread cannot sleep) that holds no spin lock.
    void acquire();
    void release();

  private:
    SpinLock guard_;
    bool taken_ = false;
};

class SleepGuard : Immovable {
  public:
    explicit SleepGuard(SleepLock& lock) : lock_(lock) { lock_.acquire(); }
    ~SleepGuard() { lock_.release(); }

  private:
    SleepLock& lock_;
};

}  // namespace kernel
