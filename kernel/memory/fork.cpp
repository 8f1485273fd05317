// What fork does with memory. Copy-on-write: parent and child get the same frames; what either may write loses W in
// both and is marked, and resolve() gives the first one to store a copy of its own.

#include "base/memory.h"
#include "config.h"
#include "memory/address_space.h"

namespace kernel {

AddressSpace AddressSpace::fork(FrameRef trapframe) {
    AddressSpace child = create(move(trapframe));
    if (!child) return {};
    child.heap_start_ = heap_start_;
    child.program_break_ = program_break_;
    bool const complete = table_.for_each_leaf(VirtAddr{0}, program_break_, [&](VirtAddr page, PageTableEntry& entry) {
        return kForkPolicy == ForkPolicy::copy_on_write ? child.share_page(page, entry) : child.copy_page(page, entry);
    });
    if (!complete) return {};  // and the child gives back what it has got so far
    return child;
}

// Maps the parent's frame here as well. False when memory is exhausted.
bool AddressSpace::share_page(VirtAddr page, PageTableEntry& parents) {
    FrameRef frame = FrameRef::share(parents.frame());
    Rights rights = parents.rights();
    if (rights.has(kWritable)) rights = rights.without(kWritable) | kCopyOnWrite;
    parents = PageTableEntry::leaf(parents.frame(), rights);
    return map(page, move(frame), rights);
}

// Maps a copy of the parent's frame here. False when memory is exhausted.
bool AddressSpace::copy_page(VirtAddr page, PageTableEntry const& parents) {
    FrameRef frame = FrameRef::allocate();
    if (!frame) return false;
    memmove(frame.bytes(), pointer_to<void>(parents.frame()), kPageBytes);
    return map(page, move(frame), parents.rights());
}

}  // namespace kernel
