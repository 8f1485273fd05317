#include "sync/sleep_lock.h"

#include "process/scheduler.h"

namespace kernel {

void SleepLock::acquire() {
    SpinGuard guard(guard_);
    while (taken_) sleep_on(this, guard_);
    taken_ = true;
}

void SleepLock::release() {
    SpinGuard guard(guard_);
    taken_ = false;
    wake_all(this);
}

}  // namespace kernel
