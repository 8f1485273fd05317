#pragma once
// Which blocks and inodes of the disk are in use.

#include "files/transaction.h"

namespace kernel {

// Takes a free block, and makes it all zero. 0 when the disk is full.
uint32_t allocate_block(Transaction& transaction);

// Gives a block back. False when the log is full.
bool free_block(Transaction& transaction, uint32_t block);

// Takes an unused inode: of that type, empty, with no links. 0 when there is none.
uint32_t allocate_inode(Transaction& transaction, InodeType type);

// The inode with this number. REQUIRES: number < superblock().inodes. The pointers are those of Transaction::read()
// and change(); the first is never null.
DiskInode const* read_inode(Transaction& transaction, uint32_t number);
DiskInode* change_inode(Transaction& transaction, uint32_t number);

}  // namespace kernel
