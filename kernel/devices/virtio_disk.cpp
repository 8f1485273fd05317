#include "devices/virtio_disk.h"

#include "base/panic.h"
#include "config.h"
#include "devices/virtio_queue.h"
#include "process/scheduler.h"
#include "riscv/layout.h"

namespace kernel {
namespace {

// Registers (section 4.2.2; those marked legacy, section 4.2.4).
enum Register : uint64_t {
    kMagic = 0x000,
    kVersion = 0x004,
    kDeviceId = 0x008,
    kDeviceFeatures = 0x010,
    kDeviceFeaturesSelect = 0x014,
    kDriverFeatures = 0x020,
    kDriverFeaturesSelect = 0x024,
    kGuestPageSize = 0x028,  // legacy
    kQueueSelect = 0x030,
    kQueueSizeMax = 0x034,
    kQueueSize = 0x038,
    kQueueAlign = 0x03c,  // legacy
    kQueuePage = 0x040,   // legacy: in guest pages
    kQueueReady = 0x044,
    kQueueNotify = 0x050,
    kInterruptStatus = 0x060,
    kInterruptAcknowledge = 0x064,
    kStatus = 0x070,
    kQueueDescriptors = 0x080,  // these three: 64 bits, low half first
    kQueueAvailable = 0x090,
    kQueueUsed = 0x0a0,
};

constexpr uint32_t kMagicValue = 0x74726976;  // "virt"
constexpr uint32_t kInterfaceVersion = kDiskRegisters == DiskRegisters::legacy ? 1 : 2;
constexpr uint32_t kBlockDevice = 2;

// Device status (section 2.1).
constexpr uint32_t kAcknowledged = 1;
constexpr uint32_t kDriverFound = 2;
constexpr uint32_t kDriverReady = 4;
constexpr uint32_t kFeaturesAgreed = 8;

// Feature bit 32, VIRTIO_F_VERSION_1, which a driver has to accept where it is offered (section 6.1): bit 0 of the
// second word. We need none of the others.
constexpr uint32_t kFeaturesVersion1 = 1;

// One request is under way at a time; `busy` says so. Its parts are here, where the device can find them.
struct Disk {
    SpinLock lock;
    bool busy = false;
    bool done = false;
    uint16_t used_seen = 0;  // how far we have read the used ring
    VirtioQueue queue = {};
    VirtioBlockRequest request = {};
    uint8_t status = 0;
};
constinit Disk disk;

uint32_t volatile& at(uint64_t offset) {
    return *pointer_to<uint32_t volatile>(kVirtioDisk + offset);
}

void write_address(Register low, void const* pointer) {
    uint64_t const address = address_of(pointer).value;
    at(low) = static_cast<uint32_t>(address);
    at(low + 4) = static_cast<uint32_t>(address >> 32);
}

// Of a legacy device, we need no feature at all, and there is nothing to agree on.
void decline_features() {
    at(kDriverFeaturesSelect) = 0;
    at(kDriverFeatures) = 0;
}

void agree_on_features() {
    at(kDeviceFeaturesSelect) = 1;
    uint32_t const offered = at(kDeviceFeatures);
    at(kDriverFeaturesSelect) = 1;
    at(kDriverFeatures) = offered & kFeaturesVersion1;
    at(kDriverFeaturesSelect) = 0;
    at(kDriverFeatures) = 0;
    at(kStatus) = at(kStatus) | kFeaturesAgreed;
    if ((at(kStatus) & kFeaturesAgreed) == 0) panic("disk: the device wants features that we lack");
}

// Where all of a legacy queue lies follows from where it begins (section 2.6.2).
void place_legacy_queue() {
    at(kGuestPageSize) = kPageBytes;
    if (at(kQueuePage) != 0) panic("disk: the queue is in use");
    at(kQueueAlign) = kQueueAlignment;
    at(kQueuePage) = static_cast<uint32_t>(address_of(&disk.queue).value / kPageBytes);
}

void place_queue() {
    if (at(kQueueReady) != 0) panic("disk: the queue is in use");
    write_address(kQueueDescriptors, disk.queue.descriptors);
    write_address(kQueueAvailable, &disk.queue.available);
    write_address(kQueueUsed, &disk.queue.used);
    at(kQueueReady) = 1;
}

void set_queue_up() {
    at(kQueueSelect) = 0;
    if (at(kQueueSizeMax) < kQueueEntries) panic("disk: the queue is too short");
    at(kQueueSize) = kQueueEntries;
    if constexpr (kDiskRegisters == DiskRegisters::legacy) {
        place_legacy_queue();
    } else {
        place_queue();
    }
}

// Describes a request as a chain of three: header, data, status (section 5.2.6).
void describe(uint32_t type, uint64_t sector, void const* data, size_t bytes) {
    uint16_t const direction = type == kBlockRequestRead ? kDescriptorDeviceWrites : 0;
    disk.request = VirtioBlockRequest{type, 0, sector};
    disk.status = 0xff;  // none that the device gives
    disk.queue.descriptors[0] = {address_of(&disk.request).value, sizeof disk.request, kDescriptorContinues, 1};
    disk.queue.descriptors[1] = {address_of(data).value, static_cast<uint32_t>(bytes),
                                 static_cast<uint16_t>(kDescriptorContinues | direction), 2};
    disk.queue.descriptors[2] = {address_of(&disk.status).value, sizeof disk.status, kDescriptorDeviceWrites, 0};
}

// Offers the described chain to the device. The fences order what the device must see in that order (section 2.6.13).
void submit() {
    VirtioAvailableRing& available = disk.queue.available;
    available.ring[available.index % kQueueEntries] = 0;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    available.index = static_cast<uint16_t>(available.index + 1);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    at(kQueueNotify) = 0;
}

// Has the device do a request, and waits for it; returns the status that it gives.
uint8_t transfer(uint32_t type, uint64_t sector, void const* data, size_t bytes) {
    SpinGuard guard(disk.lock);
    while (disk.busy) sleep_on(&disk.busy, disk.lock);
    disk.busy = true;
    disk.done = false;
    describe(type, sector, data, bytes);
    submit();
    while (!disk.done) sleep_on(&disk.done, disk.lock);
    uint8_t const status = disk.status;
    disk.busy = false;
    wake_all(&disk.busy);
    return status;
}

}  // namespace

void initialize_disk() {
    if (at(kMagic) != kMagicValue || at(kVersion) != kInterfaceVersion || at(kDeviceId) != kBlockDevice)
        panic("disk: no virtio block device with the registers that this kernel is built for");
    // The order of these is that of section 3.1.1.
    at(kStatus) = 0;
    at(kStatus) = kAcknowledged;
    at(kStatus) = kAcknowledged | kDriverFound;
    if constexpr (kDiskRegisters == DiskRegisters::legacy) {
        decline_features();
    } else {
        agree_on_features();
    }
    set_queue_up();
    at(kStatus) = at(kStatus) | kDriverReady;
}

void read_disk(uint64_t sector, void* to, size_t bytes) {
    if (transfer(kBlockRequestRead, sector, to, bytes) != kBlockStatusOk) panic("disk: read error");
}

bool write_disk(uint64_t sector, void const* from, size_t bytes) {
    return transfer(kBlockRequestWrite, sector, from, bytes) == kBlockStatusOk;
}

void disk_interrupt() {
    SpinGuard guard(disk.lock);
    at(kInterruptAcknowledge) = at(kInterruptStatus);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    while (disk.used_seen != __atomic_load_n(&disk.queue.used.index, __ATOMIC_ACQUIRE)) {
        disk.used_seen++;
        disk.done = true;
        wake_all(&disk.done);
    }
}

}  // namespace kernel
