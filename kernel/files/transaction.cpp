#include "files/transaction.h"

#include "base/memory.h"
#include "base/panic.h"
#include "files/block_cache.h"
#include "sync/sleep_lock.h"

namespace kernel {
namespace {

struct FileSystem {
    SleepLock turn;
    DiskSuperblock super = {};
    size_t capacity = 0;  // how many blocks the log can hold

    // Of the transaction under way.
    size_t changed = 0;
    bool overfull = false;
    uint32_t numbers[kLogEntriesMax] = {};
    alignas(8) uint8_t blocks[kLogEntriesMax][kBlockBytes] = {};
    alignas(8) uint8_t header[kBlockBytes] = {};
};
constinit FileSystem file_system;

bool exists(uint32_t block) {
    return block != 0 && block < file_system.super.blocks;
}

// Where block i of the log lies, behind its header.
uint32_t log_block(size_t i) {
    return file_system.super.log_start + 1 + static_cast<uint32_t>(i);
}

uint8_t* changed_block(uint32_t block) {
    for (size_t i = 0; i < file_system.changed; i++)
        if (file_system.numbers[i] == block) return file_system.blocks[i];
    return nullptr;
}

bool write_header(size_t count) {
    DiskLogHeader header = {};
    header.count = static_cast<uint32_t>(count);
    memcpy(header.numbers, file_system.numbers, count * sizeof header.numbers[0]);
    memcpy(file_system.header, &header, sizeof header);
    return write_block(file_system.super.log_start, file_system.header);
}

// Brings logged blocks to their places, and ends the log. The disk took them a moment ago, or has had them for long;
// when it refuses now, memory and disk can no longer be kept in step.
void install(size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!write_block(file_system.numbers[i], file_system.blocks[i])) panic("file system: the disk refuses a block");
    if (!write_header(0)) panic("file system: the disk refuses the log's header");
}

// Whether every part lies where the drawing of disk_format.h has it, and within the disk.
bool is_sound(DiskSuperblock const& super) {
    uint64_t const inode_blocks = (uint64_t{super.inodes} + kInodesPerBlock - 1) / kInodesPerBlock;
    uint64_t const bit_blocks = (uint64_t{super.blocks} + kBitsPerBlock - 1) / kBitsPerBlock;
    return super.log_start > kSuperblockNumber && super.log_blocks >= 1 &&
           uint64_t{super.log_start} + super.log_blocks <= super.blocks && super.inodes > kRootInode &&
           super.inodes_start + inode_blocks <= super.blocks && super.free_bits_start + bit_blocks <= super.blocks &&
           super.data_blocks <= super.blocks;
}

void recover() {
    DiskLogHeader header;
    memcpy(&header, cached_block(file_system.super.log_start), sizeof header);
    if (header.count == 0) return;
    if (header.count > file_system.capacity) panic("file system: the log is damaged");
    for (size_t i = 0; i < header.count; i++) {
        if (!exists(header.numbers[i])) panic("file system: the log is damaged");
        file_system.numbers[i] = header.numbers[i];
        memcpy(file_system.blocks[i], cached_block(log_block(i)), kBlockBytes);
    }
    install(header.count);
}

}  // namespace

Transaction::Transaction() {
    file_system.turn.acquire();
}

Transaction::~Transaction() {
    file_system.changed = 0;
    file_system.overfull = false;
    file_system.turn.release();
}

uint8_t const* Transaction::read(uint32_t block) {
    if (!exists(block)) return nullptr;
    uint8_t const* const changed = changed_block(block);
    return changed != nullptr ? changed : cached_block(block);
}

// The place where a block's changes are kept; `fresh` says whether it has yet to be filled.
uint8_t* Transaction::slot_for(uint32_t block, bool& fresh) {
    fresh = false;
    if (!exists(block)) return nullptr;
    if (uint8_t* const changed = changed_block(block)) return changed;
    if (room() == 0) {
        file_system.overfull = true;
        return nullptr;
    }
    fresh = true;
    file_system.numbers[file_system.changed] = block;
    return file_system.blocks[file_system.changed++];
}

uint8_t* Transaction::change(uint32_t block) {
    bool fresh;
    uint8_t* const bytes = slot_for(block, fresh);
    if (fresh) memcpy(bytes, cached_block(block), kBlockBytes);
    return bytes;
}

uint8_t* Transaction::renew(uint32_t block) {
    bool fresh;
    uint8_t* const bytes = slot_for(block, fresh);
    if (bytes != nullptr) memset(bytes, 0, kBlockBytes);
    return bytes;
}

size_t Transaction::room() const {
    return file_system.capacity - file_system.changed;
}

bool Transaction::commit() {
    size_t const count = file_system.changed;
    if (file_system.overfull) return false;
    if (count == 0) return true;
    for (size_t i = 0; i < count; i++)
        if (!write_block(log_block(i), file_system.blocks[i])) return false;
    if (!write_header(count)) panic("file system: the disk refuses the log's header");
    install(count);
    return true;
}

DiskSuperblock const& superblock() {
    return file_system.super;
}

void mount_file_system() {
    SleepGuard guard(file_system.turn);
    memcpy(&file_system.super, cached_block(kSuperblockNumber), sizeof file_system.super);
    if (file_system.super.magic != kFileSystemMagic) panic("file system: the disk holds none");
    if (!is_sound(file_system.super)) panic("file system: the superblock is damaged");
    file_system.capacity = min<size_t>(kLogEntriesMax, file_system.super.log_blocks - 1);
    recover();
}

}  // namespace kernel
