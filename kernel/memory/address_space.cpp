#include "memory/address_space.h"

#include "base/panic.h"

namespace kernel {

AddressSpace AddressSpace::create(FrameRef trapframe) {
    AddressSpace made;
    made.table_ = PageTable::create();
    if (!made.table_) return {};
    PageTableEntry* const trampoline = made.table_.find_or_create(kTrampoline);
    if (trampoline == nullptr) return {};
    *trampoline = PageTableEntry::leaf(address_of(trampoline_start), kReadable | kExecutable);
    if (!made.map(kTrapframe, move(trapframe), kReadable | kWritable)) return {};
    return made;
}

AddressSpace& AddressSpace::operator=(AddressSpace&& other) {
    swap(table_, other.table_);
    swap(heap_start_, other.heap_start_);
    swap(program_break_, other.program_break_);
    return *this;
}

AddressSpace::~AddressSpace() {
    if (!table_) return;
    unmap(VirtAddr{0}, program_break_);
    unmap(kTrapframe, kTrampoline);
}

FrameRef AddressSpace::share_trapframe() const {
    return FrameRef::share(table_.find(kTrapframe)->frame());
}

bool AddressSpace::add_image_page(VirtAddr page, FrameRef frame, Rights rights) {
    if (page < program_break_ || page >= kTrapframe) return false;
    if (!map(page, move(frame), rights)) return false;
    heap_start_ = program_break_ = page + kPageBytes;
    return true;
}

// Makes `page` show `frame`, whose reference the entry takes over. False when memory is exhausted; the frame is then
// released. REQUIRES: nothing is mapped there.
bool AddressSpace::map(VirtAddr page, FrameRef frame, Rights rights) {
    PageTableEntry* const entry = table_.find_or_create(page);
    if (entry == nullptr) return false;
    if (entry->valid()) panic("address space: page mapped twice");
    *entry = PageTableEntry::leaf(frame.keep(), rights);
    return true;
}

// Takes every page that begins in [from, to) away, `from` rounded down; holes are stepped over.
void AddressSpace::unmap(VirtAddr from, VirtAddr to) {
    table_.for_each_leaf(from, to, [](VirtAddr, PageTableEntry& entry) {
        FrameRef const dropped = FrameRef::adopt(entry.frame());
        entry = PageTableEntry{};
        return true;
    });
}

}  // namespace kernel
