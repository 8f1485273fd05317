#include "files/block_cache.h"

#include "base/memory.h"
#include "devices/virtio_disk.h"

namespace kernel {
namespace {

// Direct-mapped: a block has one line where it can be. Files lie in consecutive blocks, so that two blocks in use
// seldom want the same line.
constexpr size_t kLines = 128;
constexpr uint64_t kSectorsPerBlock = kBlockBytes / kSectorBytes;

struct Line {
    uint32_t number = 0;  // block 0 is never used, so 0 means empty
    alignas(8) uint8_t bytes[kBlockBytes] = {};
};
constinit Line lines[kLines];

}  // namespace

uint8_t const* cached_block(uint32_t number) {
    Line& line = lines[number % kLines];
    if (line.number != number) {
        line.number = 0;
        read_disk(number * kSectorsPerBlock, line.bytes, kBlockBytes);
        line.number = number;
    }
    return line.bytes;
}

bool write_block(uint32_t number, uint8_t const* from) {
    if (!write_disk(number * kSectorsPerBlock, from, kBlockBytes)) return false;
    Line& line = lines[number % kLines];
    if (line.number == number) memmove(line.bytes, from, kBlockBytes);
    return true;
}

}  // namespace kernel
