#pragma once
// An Sv39 page table: the tree of tables, and the way to a leaf. It owns the frames of its tables. What the leaves
// point to is its user's business: user frames are counted (address_space.h), kernel mappings are not.

#include "base/utility.h"
#include "riscv/sv39.h"

namespace kernel {

class PageTable {
  public:
    // No table.
    constexpr PageTable() = default;

    // An empty table; no table when memory is exhausted.
    static PageTable create();

    PageTable(PageTable&& other) { swap(root_, other.root_); }
    PageTable& operator=(PageTable&& other) {
        swap(root_, other.root_);
        return *this;
    }
    // Frees every table. REQUIRES: the leaves hold nothing that is still to be released.
    ~PageTable();

    explicit operator bool() const { return static_cast<bool>(root_); }
    PhysAddr root() const { return root_; }

    // The entry of level 0 for `address`, valid or not; null where a table on the way does not exist.
    // REQUIRES, also below: address < kMaxVirtAddr.
    PageTableEntry* find(VirtAddr address) const;

    // The same, with the tables on the way made where they are missing; null when memory is exhausted. Tables that
    // were made before it ran out stay: they are part of the tree, and go with it.
    PageTableEntry* find_or_create(VirtAddr address);

    // Calls visit(page, entry) for every valid leaf of level 0 in [from, to), upwards, until one returns false; false
    // if one did. Where a table is missing, all that it would cover is stepped over at once, so that a heap of
    // untouched gigabytes costs nothing.
    template <class Visit>
    bool for_each_leaf(VirtAddr from, VirtAddr to, Visit visit) const {
        for (VirtAddr at = from.page(); at < to;) {
            Place const place = descend(at);
            if (place.level == 0 && place.entry->valid() && !visit(at, *place.entry)) return false;
            at = VirtAddr{(at.value / span_of(place.level) + 1) * span_of(place.level)};
        }
        return true;
    }

  private:
    // Where the way down to an address ends: at its entry of level 0, or at the invalid entry of a higher table.
    struct Place {
        PageTableEntry* entry;
        unsigned level;
    };
    Place descend(VirtAddr address) const;

    PhysAddr root_;
};

}  // namespace kernel
