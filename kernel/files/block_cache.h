#pragma once
// Blocks of the disk, the recent ones kept in memory. The file system is only read, so there is nothing to write back,
// and a cached block is never wrong.

#include "files/disk_format.h"

namespace kernel {

// Copies `bytes` bytes at `offset` within block `number` to `to`. May sleep. REQUIRES: offset + bytes <= kBlockBytes.
void read_block(uint32_t number, size_t offset, void* to, size_t bytes);

}  // namespace kernel
