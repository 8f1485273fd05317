#pragma once
// The disk: a virtio block device (virtio 1.1, section 5.2) behind virtio-mmio: its modern registers (section 4.2.2) or
// its legacy ones (section 4.2.4), as the kernel is built (config.h).

#include <stddef.h>
#include <stdint.h>

namespace kernel {

inline constexpr size_t kSectorBytes = 512;

// Finds the device and sets its queue up. Once, at boot; panics when it is not there.
void initialize_disk();

// Reads `bytes` bytes from sector `sector` on to `to`, asleep until they are there. Panics when the disk reports an
// error: a kernel without its disk has nothing to go on with. REQUIRES: `bytes` is a multiple of kSectorBytes, and
// `to` lies in kernel memory.
void read_disk(uint64_t sector, void* to, size_t bytes);

// The same the other way; false when the disk reports an error, as one does that cannot be written.
bool write_disk(uint64_t sector, void const* from, size_t bytes);

// Takes note of what the disk has done.
void disk_interrupt();

}  // namespace kernel
