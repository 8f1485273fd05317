#pragma once
// Blocks of the disk, the recent ones kept in memory. What is written goes to the disk at once, so a cached block is
// never newer than the disk, and may be dropped at any time.
//
// REQUIRES, of both: the caller has the file system to itself (Transaction). Both may sleep.

#include "files/disk_format.h"

namespace kernel {

// The contents of block `number`, aligned to 8 bytes; valid until the next call of either.
// REQUIRES: the disk has that block.
uint8_t const* cached_block(uint32_t number);

// Writes a whole block. False when the disk refuses.
bool write_block(uint32_t number, uint8_t const* from);

}  // namespace kernel
