#pragma once
// The file system as it lies on the disk: that of xv6-riscv (its fs.h), little-endian, in blocks of 1 KiB:
//
//     | boot | superblock | log | inodes | free-block bits | data |
//       0      1

#include <stddef.h>
#include <stdint.h>

namespace kernel {

inline constexpr size_t kBlockBytes = 1024;
inline constexpr uint32_t kSuperblockNumber = 1;
inline constexpr uint32_t kFileSystemMagic = 0x10203040;
inline constexpr uint32_t kRootInode = 1;
inline constexpr size_t kDirectBlocks = 12;
inline constexpr size_t kIndirectBlocks = kBlockBytes / sizeof(uint32_t);
inline constexpr uint64_t kFileBlocksMax = kDirectBlocks + kIndirectBlocks;
inline constexpr size_t kNameBytes = 14;
inline constexpr uint32_t kBitsPerBlock = kBlockBytes * 8;
inline constexpr size_t kLogEntriesMax = 30;
inline constexpr int16_t kLinksMax = INT16_MAX;

struct DiskSuperblock {
    uint32_t magic;
    uint32_t blocks;
    uint32_t data_blocks;
    uint32_t inodes;
    uint32_t log_blocks;
    uint32_t log_start;
    uint32_t inodes_start;
    uint32_t free_bits_start;
};

enum class InodeType : int16_t { unused = 0, directory = 1, file = 2, device = 3 };

struct DiskInode {
    InodeType type;
    int16_t major;
    int16_t minor;
    int16_t links;
    uint32_t bytes;
    uint32_t blocks[kDirectBlocks + 1];  // the last is the number of a block of further numbers
};
static_assert(sizeof(DiskInode) == 64);
inline constexpr uint32_t kInodesPerBlock = kBlockBytes / sizeof(DiskInode);

struct DiskDirectoryEntry {
    uint16_t inode;         // 0: unused
    char name[kNameBytes];  // ended by a zero only when shorter
};
static_assert(sizeof(DiskDirectoryEntry) == 16);
inline constexpr size_t kEntriesPerBlock = kBlockBytes / sizeof(DiskDirectoryEntry);

// The first block of the log. Block i behind it holds what is to become block numbers[i]; only the first `count` mean
// anything, and with 0 there is nothing to be done.
struct DiskLogHeader {
    uint32_t count;
    uint32_t numbers[kLogEntriesMax];
};

}  // namespace kernel
