#include "sync/sleep_lock.h"

#include "base/panic.h"
#include "process/scheduler.h"

namespace kernel {

void SleepLock::acquire() {
    SpinGuard guard(guard_);
    void const* const me = &current_process();
    if (holder_ == me) panic("sleep lock: taken twice by one process");
    waiting_++;
    while (holder_ != nullptr) sleep_on(this, guard_);
    waiting_--;
    holder_ = me;
}

void SleepLock::release() {
    SpinGuard guard(guard_);
    holder_ = nullptr;
    if (waiting_ > 0) wake_all(this);
}

}  // namespace kernel
