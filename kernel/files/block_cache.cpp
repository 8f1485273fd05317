#include "files/block_cache.h"

#include "base/memory.h"
#include "devices/virtio_disk.h"
#include "sync/sleep_lock.h"

namespace kernel {
namespace {

// Direct-mapped: a block has one line where it can be. Files lie in consecutive blocks, so that two blocks in use
// seldom want the same line.
constexpr size_t kLines = 128;

struct Line {
    uint32_t number = 0;  // block 0 is never read, so 0 means empty
    alignas(8) uint8_t bytes[kBlockBytes] = {};
};

struct BlockCache {
    SleepLock lock;
    Line lines[kLines];
};
constinit BlockCache cache;

}  // namespace

void read_block(uint32_t number, size_t offset, void* to, size_t bytes) {
    SleepGuard guard(cache.lock);
    Line& line = cache.lines[number % kLines];
    if (line.number != number) {
        line.number = 0;
        read_disk(number * (kBlockBytes / kSectorBytes), line.bytes, kBlockBytes);
        line.number = number;
    }
    memmove(to, line.bytes + offset, bytes);
}

}  // namespace kernel
