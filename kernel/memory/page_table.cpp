#include "memory/page_table.h"

#include "base/panic.h"
#include "memory/frame_ref.h"
#include "riscv/layout.h"

namespace kernel {
namespace {

constexpr unsigned kRootLevel = kLevels - 1;

PageTableEntry* entry_for(PhysAddr table, unsigned level, VirtAddr address) {
    return pointer_to<PageTableEntry>(table) + index_in(level, address);
}

// Frees `table` and the tables below it. The last level has leaves only, and need not be looked at.
void release_tables(PhysAddr table, unsigned level) {
    if (level > 0) {
        auto const* const entries = pointer_to<PageTableEntry const>(table);
        for (uint64_t index = 0; index < kTableEntries; index++)
            if (entries[index].valid()) release_tables(entries[index].frame(), level - 1);
    }
    frame_release(table);
}

}  // namespace

PageTable PageTable::create() {
    PageTable made;
    made.root_ = FrameRef::allocate_zeroed().keep();
    return made;
}

PageTable::~PageTable() {
    if (root_) release_tables(root_, kRootLevel);
}

PageTable::Place PageTable::descend(VirtAddr address) const {
    if (address >= kMaxVirtAddr) panic("page table: address out of range");
    unsigned level = kRootLevel;
    PageTableEntry* entry = entry_for(root_, level, address);
    while (level > 0 && entry->valid()) {
        level--;
        entry = entry_for(entry->frame(), level, address);
    }
    return Place{entry, level};
}

PageTableEntry* PageTable::find(VirtAddr address) const {
    Place const place = descend(address);
    return place.level == 0 ? place.entry : nullptr;
}

PageTableEntry* PageTable::find_or_create(VirtAddr address) {
    Place place = descend(address);
    while (place.level > 0) {
        FrameRef table = FrameRef::allocate_zeroed();
        if (!table) return nullptr;
        *place.entry = PageTableEntry::branch(table.keep());
        place.level--;
        place.entry = entry_for(place.entry->frame(), place.level, address);
    }
    return place.entry;
}

}  // namespace kernel
