#pragma once
// What driver and device share in memory: a split virtqueue (virtio 1.1, section 2.6), and the header of a block
// request (section 5.2.6). The parts of the queue lie as the legacy interface wants them (section 2.6.2), which the
// modern one allows: the used ring at the first multiple of kQueueAlignment behind the other two.

#include <stddef.h>
#include <stdint.h>

namespace kernel {

inline constexpr uint16_t kQueueEntries = 8;  // a power of two; one request needs three
inline constexpr uint32_t kQueueAlignment = 4096;

struct VirtioDescriptor {
    uint64_t address;  // physical
    uint32_t bytes;
    uint16_t flags;
    uint16_t next;
};
inline constexpr uint16_t kDescriptorContinues = 1;     // VIRTQ_DESC_F_NEXT
inline constexpr uint16_t kDescriptorDeviceWrites = 2;  // VIRTQ_DESC_F_WRITE

struct VirtioAvailableRing {  // to the device: chains to process
    uint16_t flags;
    uint16_t index;  // where the next will be put; counts up for ever
    uint16_t ring[kQueueEntries];
};

struct VirtioUsedElement {
    uint32_t descriptor;  // the head of the chain
    uint32_t bytes;
};

struct VirtioUsedRing {  // from the device: chains that it has finished with
    uint16_t flags;
    uint16_t index;
    VirtioUsedElement ring[kQueueEntries];
};

struct VirtioQueue {
    alignas(kQueueAlignment) VirtioDescriptor descriptors[kQueueEntries];
    VirtioAvailableRing available;
    alignas(kQueueAlignment) VirtioUsedRing used;
};
static_assert(offsetof(VirtioQueue, available) == sizeof(VirtioDescriptor) * kQueueEntries);
static_assert(offsetof(VirtioQueue, used) == kQueueAlignment);

struct VirtioBlockRequest {
    uint32_t type;
    uint32_t reserved;
    uint64_t sector;
};
inline constexpr uint32_t kBlockRequestRead = 0;   // VIRTIO_BLK_T_IN
inline constexpr uint32_t kBlockRequestWrite = 1;  // VIRTIO_BLK_T_OUT
inline constexpr uint8_t kBlockStatusOk = 0;       // VIRTIO_BLK_S_OK

}  // namespace kernel
