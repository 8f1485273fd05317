// The one place that decides what a process may touch: for its own page faults (trap/) and for the kernel's copies on
// its behalf (user_copy.cpp).

#include "base/memory.h"
#include "memory/address_space.h"

namespace kernel {
namespace {

Rights needed_for(Access access) {
    switch (access) {
        case Access::load:
            return kUser | kReadable;
        case Access::store:
            return kUser | kWritable;
        case Access::execute:
            return kUser | kExecutable;
    }
    __builtin_unreachable();
}

// Ends the sharing of a copy-on-write page: `entry` gets a frame that nobody else has, and W. False when memory is
// exhausted, with nothing changed.
bool make_private(PageTableEntry& entry) {
    Rights const rights = entry.rights().without(kCopyOnWrite) | kWritable;
    if (frame_references(entry.frame()) == 1) {  // the others are gone: it is ours already
        entry = PageTableEntry::leaf(entry.frame(), rights);
        return true;
    }
    FrameRef copy = FrameRef::allocate();
    if (!copy) return false;
    FrameRef const shared = FrameRef::adopt(entry.frame());  // released at the end of the block
    memmove(copy.bytes(), shared.bytes(), kPageBytes);
    entry = PageTableEntry::leaf(copy.keep(), rights);
    return true;
}

}  // namespace

PhysAddr AddressSpace::resolve(VirtAddr address, Access access) {
    if (address >= kMaxVirtAddr) return PhysAddr{};
    PageTableEntry* entry = table_.find(address);
    if (entry == nullptr || !entry->valid()) {
        if (!reserved(address) || !map_zeroed(address.page(), address.page() + kPageBytes)) return PhysAddr{};
        entry = table_.find(address);
    }
    if (access == Access::store && entry->rights().has(kUser | kCopyOnWrite) && !make_private(*entry))
        return PhysAddr{};
    if (!entry->rights().has(needed_for(access))) return PhysAddr{};
    return entry->frame() + address.page_offset();
}

}  // namespace kernel
