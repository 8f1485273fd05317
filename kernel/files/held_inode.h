#pragma once
// Inodes that are in use although no name need lead to them: those of open files, and current directories. Such an
// inode stays when its last name goes, and goes with the last who holds it.

#include "base/utility.h"
#include "files/inode.h"

namespace kernel {

struct HeldInode {
    uint32_t number = 0;      // constant while held
    uint32_t references = 0;  // 0: this slot is free. Guarded by the table's lock, as is the next
    bool nameless = false;    // to be removed with the last reference
};

// One reference to such an inode; what frames have in FrameRef. A dropped reference is released.
class InodeRef {
  public:
    // No inode.
    constexpr InodeRef() = default;

    // None when too many are held.
    static InodeRef hold(uint32_t number);

    // One reference more, or none if this is none.
    InodeRef share() const;

    InodeRef(InodeRef&& other) { swap(held_, other.held_); }
    InodeRef& operator=(InodeRef&& other) {
        swap(held_, other.held_);  // what was held goes when `other` does
        return *this;
    }
    // REQUIRES, of the last reference: not within a transaction.
    ~InodeRef() { release(); }

    explicit operator bool() const { return held_ != nullptr; }
    uint32_t number() const { return held_ == nullptr ? 0 : held_->number; }

  private:
    explicit InodeRef(HeldInode* held) : held_(held) {}
    void release();

    HeldInode* held_ = nullptr;
};

// Removes an inode that has lost its last name, now or when nobody holds it any more. False when the log is full.
bool remove_when_released(Inode& inode);

// Removes the inodes that were without a name when the machine stopped. The first time it is called; later, nothing.
// REQUIRES: not within a transaction. Whoever is about to need room on the disk calls this first: it takes a look at
// every inode, which the way to the first process need not wait for.
void remove_leftovers();

}  // namespace kernel
