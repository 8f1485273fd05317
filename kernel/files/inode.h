#pragma once
// Files and directories of the disk, as a transaction sees them. An Inode is a number and nothing else: what it says of
// the file is what the disk says, or what the transaction has changed it to, so there is no second copy to keep in
// step.

#include "files/transaction.h"

namespace kernel {

class Inode {
  public:
    // No inode.
    constexpr Inode() = default;

    // The inode with this number; no inode when there is none in use.
    Inode(Transaction& transaction, uint32_t number);

    // A new file, directory or device, which nothing names yet; no inode when there is none left.
    static Inode create(Transaction& transaction, InodeType type);

    explicit operator bool() const { return number_ != 0; }
    Transaction& transaction() const { return *transaction_; }
    uint32_t number() const { return number_; }
    InodeType type() const { return disk().type; }
    int16_t major() const { return disk().major; }
    int16_t links() const { return disk().links; }
    uint32_t bytes() const { return disk().bytes; }

    // Copies from the file's contents at `offset`; returns the bytes copied, fewer than asked for at the file's end.
    size_t read(void* to, uint64_t offset, size_t bytes) const;

    // Copies to the file's contents at `offset`, which may at most be its end. Returns the bytes copied: fewer than
    // asked for when the file is as long as it can be, the disk is full, or the log is.
    size_t write(void const* from, uint64_t offset, size_t bytes);

    // What the contents need of the log's room for each block that is written: data, its bit, the block of numbers, its
    // bit, inode.
    static constexpr size_t kLogBlocksPerWrite = 5;

    // The contents of block `index` of the file, as Transaction::read(); null where it has none.
    uint8_t const* block(uint64_t index) const;

    // These return false when the log is full.
    bool set_device(int16_t major, int16_t minor);
    bool add_links(int change);  // also when the links would be too many
    bool clear();                // gives all contents back
    bool remove();               // gives the inode back; REQUIRES: nothing names or holds it

  private:
    DiskInode const& disk() const;
    uint32_t block_number(uint64_t index) const;
    uint32_t grow(uint64_t index);

    Transaction* transaction_ = nullptr;
    uint32_t number_ = 0;
};

}  // namespace kernel
