#include "files/allocation.h"

namespace kernel {
namespace {

uint32_t bits_block_of(uint32_t block) {
    return superblock().free_bits_start + block / kBitsPerBlock;
}

uint8_t bit_of(uint32_t block) {
    return static_cast<uint8_t>(1u << block % 8);
}

size_t byte_of(uint32_t block) {
    return block % kBitsPerBlock / 8;
}

// The first free block, by their bits: set means in use. 0 when there is none.
uint32_t find_free_block(Transaction& transaction) {
    uint32_t const begin = superblock().blocks - superblock().data_blocks;
    uint8_t const* bits = nullptr;
    for (uint32_t block = begin; block < superblock().blocks; block++) {
        if (bits == nullptr || block % kBitsPerBlock == 0) bits = transaction.read(bits_block_of(block));
        uint8_t const byte = bits[byte_of(block)];
        if (byte == 0xff && block % 8 == 0) {
            block += 7;
        } else if ((byte & bit_of(block)) == 0) {
            return block;
        }
    }
    return 0;
}

uint32_t inode_block_of(uint32_t number) {
    return superblock().inodes_start + number / kInodesPerBlock;
}

}  // namespace

uint32_t allocate_block(Transaction& transaction) {
    uint32_t const block = find_free_block(transaction);
    if (block == 0) return 0;
    uint8_t* const bits = transaction.change(bits_block_of(block));
    if (bits == nullptr || transaction.renew(block) == nullptr) return 0;
    bits[byte_of(block)] |= bit_of(block);
    return block;
}

bool free_block(Transaction& transaction, uint32_t block) {
    uint8_t* const bits = transaction.change(bits_block_of(block));
    if (bits == nullptr) return false;
    bits[byte_of(block)] &= static_cast<uint8_t>(~bit_of(block));
    return true;
}

uint32_t allocate_inode(Transaction& transaction, InodeType type) {
    for (uint32_t number = kRootInode; number < superblock().inodes; number++) {
        if (read_inode(transaction, number)->type != InodeType::unused) continue;
        DiskInode* const inode = change_inode(transaction, number);
        if (inode == nullptr) return 0;
        *inode = DiskInode{};
        inode->type = type;
        return number;
    }
    return 0;
}

DiskInode const* read_inode(Transaction& transaction, uint32_t number) {
    uint8_t const* const block = transaction.read(inode_block_of(number));
    return reinterpret_cast<DiskInode const*>(block) + number % kInodesPerBlock;
}

DiskInode* change_inode(Transaction& transaction, uint32_t number) {
    uint8_t* const block = transaction.change(inode_block_of(number));
    return block == nullptr ? nullptr : reinterpret_cast<DiskInode*>(block) + number % kInodesPerBlock;
}

}  // namespace kernel
