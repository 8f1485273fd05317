#pragma once
// Files and directories of the disk. The file system is only read, so an inode is a value: a copy of what the disk
// says, with nothing to keep in step.

#include "files/disk_format.h"

namespace kernel {

class Inode {
  public:
    constexpr Inode() = default;

    // The inode with this number; false when there is none in use. May sleep, as all that reads the disk.
    static bool load(uint32_t number, Inode& inode);

    uint32_t number() const { return number_; }
    InodeType type() const { return disk_.type; }
    int16_t major() const { return disk_.major; }
    int16_t links() const { return disk_.links; }
    uint32_t bytes() const { return disk_.bytes; }

    // Copies from the file's contents at `offset`; returns the bytes copied, fewer than asked for at the file's end.
    size_t read(void* to, uint64_t offset, size_t bytes) const;

  private:
    uint32_t block_at(uint64_t index) const;

    uint32_t number_ = 0;
    DiskInode disk_{};
};

// Reads the superblock. Once, before anything else here; panics when the disk holds no file system.
void mount_file_system();

// Finds the inode that `path` names, from the root or (no leading slash) from `directory`. False when there is none.
bool find_inode(char const* path, uint32_t directory, Inode& found);

}  // namespace kernel
