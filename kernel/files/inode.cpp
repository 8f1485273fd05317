#include "files/inode.h"

#include "base/memory.h"
#include "base/panic.h"
#include "base/utility.h"
#include "files/block_cache.h"

namespace kernel {
namespace {

constinit DiskSuperblock superblock;

// One part of a path, in the form that directories have names in.
struct Name {
    char text[kNameBytes] = {};
};

// Takes the first part off `path`; false when there is none left. Longer names are cut, as they are on the disk.
bool next_name(char const*& path, Name& name) {
    while (*path == '/') path++;
    if (*path == 0) return false;
    name = Name{};
    for (size_t i = 0; *path != 0 && *path != '/'; i++, path++)
        if (i < kNameBytes) name.text[i] = *path;
    return true;
}

bool same(Name const& name, DiskDirectoryEntry const& entry) {
    for (size_t i = 0; i < kNameBytes; i++) {
        if (name.text[i] != entry.name[i]) return false;
        if (name.text[i] == 0) break;
    }
    return true;
}

bool find_in_directory(Inode const& directory, Name const& name, Inode& found) {
    DiskDirectoryEntry entry;
    for (uint64_t offset = 0; directory.read(&entry, offset, sizeof entry) == sizeof entry; offset += sizeof entry)
        if (entry.inode != 0 && same(name, entry)) return Inode::load(entry.inode, found);
    return false;
}

}  // namespace

void mount_file_system() {
    read_block(kSuperblockNumber, 0, &superblock, sizeof superblock);
    if (superblock.magic != kFileSystemMagic) panic("file system: the disk holds none");
}

bool Inode::load(uint32_t number, Inode& inode) {
    constexpr uint32_t kInodesPerBlock = kBlockBytes / sizeof(DiskInode);
    if (number == 0 || number >= superblock.inodes) return false;
    read_block(superblock.inodes_start + number / kInodesPerBlock, number % kInodesPerBlock * sizeof(DiskInode),
               &inode.disk_, sizeof inode.disk_);
    inode.number_ = number;
    return inode.type() != InodeType::unused;
}

// The number of the disk block that holds block `index` of the file; 0 when the disk gives it none.
uint32_t Inode::block_at(uint64_t index) const {
    if (index < kDirectBlocks) return disk_.blocks[index];
    uint64_t const further = index - kDirectBlocks;
    if (further >= kIndirectBlocks || disk_.blocks[kDirectBlocks] == 0) return 0;
    uint32_t block;
    read_block(disk_.blocks[kDirectBlocks], further * sizeof block, &block, sizeof block);
    return block;
}

size_t Inode::read(void* to, uint64_t offset, size_t bytes) const {
    if (offset >= disk_.bytes) return 0;
    bytes = min<size_t>(bytes, disk_.bytes - offset);
    size_t done = 0;
    while (done < bytes) {
        uint64_t const at = offset + done;
        size_t const chunk = min(bytes - done, kBlockBytes - at % kBlockBytes);
        uint32_t const block = block_at(at / kBlockBytes);
        if (block == 0 || block >= superblock.blocks) break;
        read_block(block, at % kBlockBytes, static_cast<uint8_t*>(to) + done, chunk);
        done += chunk;
    }
    return done;
}

bool find_inode(char const* path, uint32_t directory, Inode& found) {
    if (*path == 0 || !Inode::load(*path == '/' ? kRootInode : directory, found)) return false;
    for (Name name; next_name(path, name);) {
        Inode const parent = found;
        if (parent.type() != InodeType::directory || !find_in_directory(parent, name, found)) return false;
    }
    return true;
}

}  // namespace kernel
