#pragma once
// The on-disk structures of xv6's file system, as in xv6-riscv kernel/fs.h. Private to writer, reader and checker.

#include "impl/image/disk_image.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>

namespace vmcheck::image::format {

static_assert(std::endian::native == std::endian::little, "structures are copied to and from the image as they are");

inline constexpr std::uint32_t kMagic = 0x10203040;  // FSMAGIC
inline constexpr std::uint32_t kSuperblockAt = 1;    // block 0 is the boot block, which nobody reads
inline constexpr std::uint32_t kLogAt = 2;
inline constexpr std::uint32_t kBitsPerBlock = kBlockBytes * 8;  // BPB

struct Superblock {
    std::uint32_t magic = kMagic;
    std::uint32_t size = 0;         // of the image, in blocks
    std::uint32_t data_blocks = 0;  // nblocks
    std::uint32_t inodes = 0;
    std::uint32_t log_blocks = 0;
    std::uint32_t log_start = 0;
    std::uint32_t inode_start = 0;
    std::uint32_t bitmap_start = 0;
};
static_assert(sizeof(Superblock) == 32);

enum class FileType : std::int16_t { kFree = 0, kDirectory = 1, kFile = 2, kDevice = 3 };  // kernel/stat.h

struct DiskInode {
    FileType type = FileType::kFree;
    std::int16_t major = 0;
    std::int16_t minor = 0;
    std::int16_t links = 0;
    std::uint32_t bytes = 0;
    std::array<std::uint32_t, kDirectBlocks + 1> blocks{};  // the last is the block of indirect block numbers
};
static_assert(sizeof(DiskInode) == 64);

struct DirectoryEntry {
    std::uint16_t inode = 0;  // 0: not in use
    std::array<char, kNameBytesMax> name{};

    std::string text() const { return {name.begin(), std::ranges::find(name, '\0')}; }
};
static_assert(sizeof(DirectoryEntry) == 16);

inline constexpr std::uint32_t kInodesPerBlock = kBlockBytes / sizeof(DiskInode);  // IPB
inline constexpr std::uint32_t kEntriesMax = kFileBytesMax / sizeof(DirectoryEntry);
// dirent.inum has 16 bits.
inline constexpr std::uint32_t kInodesMax = 65535;

inline tl::unexpected<base::Error> failure(std::string message) {
    return tl::make_unexpected(base::Error{std::move(message)});
}

// ---- reading: read_file.cpp

using Bytes = std::span<std::byte const>;

// REQUIRES: the T lies in the image.
template <class T>
T load(Bytes image, std::uint64_t block, std::size_t offset) {
    T value;
    std::memcpy(&value, image.data() + block * kBlockBytes + offset, sizeof value);
    return value;
}

// Fails where the image is of another format, or has fewer blocks than its superblock says.
tl::expected<Superblock, base::Error> superblock_of(Bytes image);

// The number of block i of a file; 0 where it has none, or the block that tells lies outside of the image.
std::uint32_t block_of(Bytes image, DiskInode const& inode, std::uint32_t i);

}  // namespace vmcheck::image::format
