// What sbrk does with memory. Lazy: growing moves the break and nothing else; a page below the break that has no frame
// is reserved, and resolve() gives it one at the first touch.

#include "memory/address_space.h"
#include "memory/user_rights.h"

namespace kernel {

bool AddressSpace::move_break(int64_t change, Growth growth) {
    if (change < 0) {
        if (static_cast<uint64_t>(-change) > program_break_ - heap_start_) return false;
        VirtAddr const old_end = program_break_.page_above();
        program_break_ = program_break_ - static_cast<uint64_t>(-change);
        unmap(program_break_.page_above(), old_end);
        return true;
    }
    if (static_cast<uint64_t>(change) > kTrapframe - program_break_) return false;
    VirtAddr const new_break = program_break_ + static_cast<uint64_t>(change);
    if (growth == Growth::mapped && !map_zeroed(program_break_.page_above(), new_break.page_above())) return false;
    program_break_ = new_break;
    return true;
}

// Maps zeroed pages to all of [from, to), or to none of it: false when memory is exhausted.
bool AddressSpace::map_zeroed(VirtAddr from, VirtAddr to) {
    if ((to - from) / kPageBytes > frames.free_count) return false;  // why begin what cannot end
    for (VirtAddr page = from; page < to; page += kPageBytes) {
        FrameRef frame = FrameRef::allocate_zeroed();
        if (!frame || !map(page, move(frame), kHeapRights)) {
            unmap(from, page);
            return false;
        }
    }
    return true;
}

// Whether the process was promised memory at `address` that is mapped at its first touch.
bool AddressSpace::reserved(VirtAddr address) const {
    return kSbrkPolicy != SbrkPolicy::eager && address >= heap_start_ && address < program_break_;
}

}  // namespace kernel
