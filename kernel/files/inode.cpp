#include "files/inode.h"

#include "base/memory.h"
#include "base/utility.h"
#include "files/allocation.h"

namespace kernel {

Inode::Inode(Transaction& transaction, uint32_t number) : transaction_(&transaction) {
    if (number == 0 || number >= superblock().inodes) return;
    if (read_inode(transaction, number)->type != InodeType::unused) number_ = number;
}

Inode Inode::create(Transaction& transaction, InodeType type) {
    return Inode{transaction, allocate_inode(transaction, type)};
}

DiskInode const& Inode::disk() const {
    return *read_inode(*transaction_, number_);
}

// The number of the disk block that holds block `index` of the file; 0 when the disk gives it none.
uint32_t Inode::block_number(uint64_t index) const {
    if (index < kDirectBlocks) return disk().blocks[index];
    if (index >= kFileBlocksMax) return 0;
    uint8_t const* const numbers = transaction_->read(disk().blocks[kDirectBlocks]);
    return numbers == nullptr ? 0 : reinterpret_cast<uint32_t const*>(numbers)[index - kDirectBlocks];
}

uint8_t const* Inode::block(uint64_t index) const {
    return transaction_->read(block_number(index));
}

size_t Inode::read(void* to, uint64_t offset, size_t bytes) const {
    uint32_t const end = this->bytes();
    if (offset >= end) return 0;
    bytes = min<size_t>(bytes, end - offset);
    size_t done = 0;
    while (done < bytes) {
        uint64_t const at = offset + done;
        size_t const chunk = min(bytes - done, kBlockBytes - at % kBlockBytes);
        uint8_t const* const contents = block(at / kBlockBytes);
        if (contents == nullptr) break;
        memmove(static_cast<uint8_t*>(to) + done, contents + at % kBlockBytes, chunk);
        done += chunk;
    }
    return done;
}

// Gives the file a block `index`, all zero, and returns its number; 0 when that cannot be done.
// REQUIRES: index < kFileBlocksMax, and there is none yet.
uint32_t Inode::grow(uint64_t index) {
    DiskInode* const inode = change_inode(*transaction_, number_);
    if (inode == nullptr) return 0;
    if (index < kDirectBlocks) return inode->blocks[index] = allocate_block(*transaction_);
    if (inode->blocks[kDirectBlocks] == 0) inode->blocks[kDirectBlocks] = allocate_block(*transaction_);
    uint8_t* const numbers = transaction_->change(inode->blocks[kDirectBlocks]);
    if (numbers == nullptr) return 0;
    return reinterpret_cast<uint32_t*>(numbers)[index - kDirectBlocks] = allocate_block(*transaction_);
}

size_t Inode::write(void const* from, uint64_t offset, size_t bytes) {
    if (offset > this->bytes()) return 0;
    size_t done = 0;
    while (done < bytes && (offset + done) / kBlockBytes < kFileBlocksMax) {
        uint64_t const at = offset + done;
        uint32_t number = block_number(at / kBlockBytes);
        if (number == 0) number = grow(at / kBlockBytes);
        uint8_t* const contents = transaction_->change(number);
        if (contents == nullptr) break;
        size_t const chunk = min(bytes - done, kBlockBytes - at % kBlockBytes);
        memmove(contents + at % kBlockBytes, static_cast<uint8_t const*>(from) + done, chunk);
        done += chunk;
    }
    if (offset + done <= this->bytes()) return done;
    DiskInode* const inode = change_inode(*transaction_, number_);
    if (inode == nullptr) return 0;
    inode->bytes = static_cast<uint32_t>(offset + done);
    return done;
}

bool Inode::set_device(int16_t major, int16_t minor) {
    DiskInode* const inode = change_inode(*transaction_, number_);
    if (inode == nullptr) return false;
    inode->major = major;
    inode->minor = minor;
    return true;
}

bool Inode::add_links(int change) {
    DiskInode* const inode = change_inode(*transaction_, number_);
    if (inode == nullptr || inode->links + change > kLinksMax) return false;
    inode->links = static_cast<int16_t>(inode->links + change);
    return true;
}

bool Inode::clear() {
    for (uint64_t index = 0; index < kFileBlocksMax; index++) {
        uint32_t const number = block_number(index);
        if (number != 0 && number < superblock().blocks && !free_block(*transaction_, number)) return false;
    }
    DiskInode* const inode = change_inode(*transaction_, number_);
    if (inode == nullptr) return false;
    uint32_t const numbers = inode->blocks[kDirectBlocks];
    if (numbers != 0 && numbers < superblock().blocks && !free_block(*transaction_, numbers)) return false;
    memset(inode->blocks, 0, sizeof inode->blocks);
    inode->bytes = 0;
    return true;
}

bool Inode::remove() {
    DiskInode* const inode = change_inode(*transaction_, number_);
    if (inode == nullptr || !clear()) return false;
    inode->type = InodeType::unused;
    return true;
}

}  // namespace kernel
