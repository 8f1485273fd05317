#include "files/held_inode.h"

#include "config.h"
#include "sync/spin_lock.h"

namespace kernel {
namespace {

// Enough for every open file and every current directory, and one that is being opened by each process.
constexpr size_t kHeldInodesMax = kOpenFilesMax + 2 * kProcessesMax;

struct HeldInodeTable {
    SpinLock lock;
    size_t used = 0;  // no slot from here on has ever been used, and none need be looked at
    HeldInode slots[kHeldInodesMax];
    bool leftovers_removed = false;  // guarded by the transaction
};
constinit HeldInodeTable table;

// REQUIRES: the table is locked. Null when nobody holds it.
HeldInode* find(uint32_t number) {
    for (size_t i = 0; i < table.used; i++)
        if (table.slots[i].references > 0 && table.slots[i].number == number) return &table.slots[i];
    return nullptr;
}

// REQUIRES: the table is locked. Null when there is none.
HeldInode* find_free() {
    for (size_t i = 0; i < table.used; i++)
        if (table.slots[i].references == 0) return &table.slots[i];
    return table.used < kHeldInodesMax ? &table.slots[table.used++] : nullptr;
}

// False when somebody holds it, who will then remove it.
bool leave_to_holders(uint32_t number) {
    SpinGuard guard(table.lock);
    HeldInode* const held = find(number);
    if (held != nullptr) held->nameless = true;
    return held != nullptr;
}

// Removes the inode if it is without a name and nobody holds it. Between release() and here, anything may have become
// of the number; this only does what is right at any time.
bool remove_if_nameless(Inode inode) {
    if (!inode || inode.links() > 0 || leave_to_holders(inode.number())) return true;
    return inode.remove();
}

}  // namespace

InodeRef InodeRef::hold(uint32_t number) {
    SpinGuard guard(table.lock);
    HeldInode* held = find(number);
    if (held == nullptr) {
        held = find_free();
        if (held == nullptr) return {};
        *held = HeldInode{.number = number};
    }
    held->references++;
    return InodeRef{held};
}

InodeRef InodeRef::share() const {
    if (held_ == nullptr) return {};
    SpinGuard guard(table.lock);
    held_->references++;
    return InodeRef{held_};
}

void InodeRef::release() {
    if (held_ == nullptr) return;
    uint32_t const number = held_->number;
    {
        SpinGuard guard(table.lock);
        held_->references--;
        if (held_->references > 0 || !held_->nameless) return;
    }
    Transaction transaction;
    // When this fails, the inode is a leftover for the next boot.
    if (remove_if_nameless(Inode{transaction, number})) transaction.commit();
}

bool remove_when_released(Inode& inode) {
    return remove_if_nameless(inode);
}

void remove_leftovers() {
    if (__atomic_load_n(&table.leftovers_removed, __ATOMIC_ACQUIRE)) return;
    for (uint32_t number = kRootInode; number < superblock().inodes; number++) {
        Transaction transaction;
        if (remove_if_nameless(Inode{transaction, number})) transaction.commit();
    }
    __atomic_store_n(&table.leftovers_removed, true, __ATOMIC_RELEASE);
}

}  // namespace kernel
