#pragma once
// What driver and device share in memory: a split virtqueue (virtio 1.1, section 2.6), and the header of a block
// request (section 5.2.6).

#include <stdint.h>

namespace kernel {

inline constexpr uint16_t kQueueEntries = 8;  // a power of two; one request needs three

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
    alignas(16) VirtioDescriptor descriptors[kQueueEntries];
    alignas(2) VirtioAvailableRing available;
    alignas(4) VirtioUsedRing used;
};

struct VirtioBlockRequest {
    uint32_t type;
    uint32_t reserved;
    uint64_t sector;
};
inline constexpr uint32_t kBlockRequestRead = 0;  // VIRTIO_BLK_T_IN
inline constexpr uint8_t kBlockStatusOk = 0;      // VIRTIO_BLK_S_OK

}  // namespace kernel
