#include "sync/spin_lock.h"

#include "base/panic.h"

namespace kernel {

void SpinLock::acquire() {
    if (held()) panic("spin lock: taken twice by one hart");
    auto const me = static_cast<uint32_t>(hart_number()) + 1;
    for (;;) {
        uint32_t expected = kFree;
        if (__atomic_compare_exchange_n(&holder_, &expected, me, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) return;
    }
}

void SpinLock::release() {
    if (!held()) panic("spin lock: released by one who does not hold it");
    __atomic_store_n(&holder_, kFree, __ATOMIC_RELEASE);
}

bool SpinLock::held() const {
    return __atomic_load_n(&holder_, __ATOMIC_RELAXED) == static_cast<uint32_t>(hart_number()) + 1;
}

}  // namespace kernel
