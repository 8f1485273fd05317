#include "impl/board/virtio_block.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace vmcheck::board {
namespace {

// Register offsets, virtio 1.1 tables 4.1 (modern) and 4.2 (legacy).
enum : std::uint64_t {
    kMagic = 0x000,
    kVersion = 0x004,
    kDeviceId = 0x008,
    kVendorId = 0x00c,
    kDeviceFeatures = 0x010,
    kDeviceFeaturesSelector = 0x014,
    kDriverFeatures = 0x020,
    kDriverFeaturesSelector = 0x024,
    kGuestPageSize = 0x028,
    kQueueSelector = 0x030,
    kQueueSizeMax = 0x034,
    kQueueSize = 0x038,
    kQueueAlign = 0x03c,
    kQueuePage = 0x040,
    kQueueReady = 0x044,
    kQueueNotify = 0x050,
    kInterruptStatus = 0x060,
    kInterruptAcknowledge = 0x064,
    kStatus = 0x070,
    kQueueDescriptors = 0x080,
    kQueueDriver = 0x090,
    kQueueDevice = 0x0a0,
    kConfiguration = 0x100,
};

constexpr std::uint32_t kMagicValue = 0x74726976;   // "virt"
constexpr std::uint32_t kVendorValue = 0x554d4551;  // "QEMU": kernels of the xv6 family insist on it
constexpr std::uint32_t kBlockDevice = 2;
constexpr std::uint32_t kFeatureVersion1 = 1;      // bit 32, in the upper word
constexpr std::uint32_t kStatusNeedsReset = 0x40;  // section 2.1
constexpr std::uint32_t kUsedBufferInterrupt = 1;

// Request types and results (section 5.2.6).
constexpr std::uint32_t kRead = 0;
constexpr std::uint32_t kWrite = 1;
constexpr std::uint32_t kFlush = 4;
constexpr std::uint32_t kHeaderBytes = 16;
constexpr std::uint8_t kOk = 0;
constexpr std::uint8_t kError = 1;
constexpr std::uint8_t kUnsupported = 2;

constexpr std::uint64_t kRequestSectorsMax = 4096;
constexpr std::uint64_t kNotificationSectorsMax = 65536;
constexpr std::uint64_t kSectorParcels = 64;
constexpr std::uint64_t kDescriptorParcels = 8;

}  // namespace

VirtioBlock::VirtioBlock(DiskInterface interface, Memory& memory, Disk& disk, InterruptLines& lines, Clock& clock,
                         Counters& counters)
    : interface_(interface),
      memory_(memory),
      disk_(disk),
      lines_(lines),
      clock_(clock),
      counters_(counters),
      queue_(memory, state.queue) {}

std::uint64_t VirtioBlock::read(std::uint64_t offset, unsigned size) {
    if (offset < kConfiguration) return read_register(offset);
    // The device configuration starts with the capacity in sectors; nothing else is offered.
    std::uint64_t const at = offset - kConfiguration;
    return at < 8 ? part_of(disk_.sectors(), at, size) : 0;
}

std::uint32_t VirtioBlock::read_register(std::uint64_t offset) const {
    bool const modern = interface_ == DiskInterface::modern;
    switch (offset) {
        case kMagic:
            return kMagicValue;
        case kVersion:
            return modern ? 2 : 1;
        case kDeviceId:
            return kBlockDevice;
        case kVendorId:
            return kVendorValue;
        case kDeviceFeatures:
            return modern && state.device_features_selector == 1 ? kFeatureVersion1 : 0;
        case kQueueSizeMax:
            return state.queue_selector == 0 ? VirtioQueue::kSizeMax : 0;
        case kQueuePage:
            return modern || state.queue_selector != 0 ? 0 : state.queue_page;
        case kQueueReady:
            return modern && state.queue_selector == 0 ? state.queue_ready : 0;
        case kInterruptStatus:
            return state.interrupt_status;
        case kStatus:
            return state.status;
        default:
            return 0;
    }
}

void VirtioBlock::write(std::uint64_t offset, unsigned, std::uint64_t wide_value) {
    auto const value = static_cast<std::uint32_t>(wide_value);
    write_common(offset, value);
    if (interface_ == DiskInterface::legacy) {
        write_legacy(offset, value);
    } else {
        write_modern(offset, value);
    }
}

void VirtioBlock::write_common(std::uint64_t offset, std::uint32_t value) {
    switch (offset) {
        case kDeviceFeaturesSelector:
            state.device_features_selector = value;
            break;
        case kDriverFeaturesSelector:
            state.driver_features_selector = value;
            break;
        case kQueueSelector:
            state.queue_selector = value;
            break;
        case kQueueSize:
            // A size that is not a power of two, or larger than offered, leaves the queue unusable.
            if (state.queue_selector == 0) {
                bool const valid = value <= VirtioQueue::kSizeMax && std::has_single_bit(value);
                state.queue.size = valid ? static_cast<std::uint16_t>(value) : std::uint16_t{0};
            }
            break;
        case kQueueNotify:
            if (value == 0) process_queue();
            break;
        case kInterruptAcknowledge:
            state.interrupt_status &= ~value;
            lines_.set_line(kDiskSource, state.interrupt_status != 0);
            break;
        case kStatus:
            if (value == 0) {
                reset();
            } else {
                state.status = value | (state.status & kStatusNeedsReset);
            }
            break;
        default:
            break;
    }
}

void VirtioBlock::write_legacy(std::uint64_t offset, std::uint32_t value) {
    switch (offset) {
        case kGuestPageSize:
            state.guest_page_bytes = value;
            break;
        case kQueueAlign:
            state.queue_align = value;
            break;
        case kQueuePage: {
            if (state.queue_selector != 0) break;
            // The three parts lie one after the other, the last one aligned (section 2.6.2).
            state.queue_page = value;
            VirtioQueue::State& queue = state.queue;
            std::uint64_t const align = std::has_single_bit(state.queue_align) ? state.queue_align : 4096;
            queue.descriptors = PhysAddr{std::uint64_t{value} * state.guest_page_bytes};
            queue.available = queue.descriptors + std::uint64_t{16} * queue.size;
            std::uint64_t const end = queue.available.value + 2 * (std::uint64_t{3} + queue.size);
            queue.used = PhysAddr{(end + align - 1) & ~(align - 1)};
            queue.next_available = queue.next_used = 0;
            break;
        }
        default:
            break;
    }
}

void VirtioBlock::write_modern(std::uint64_t offset, std::uint32_t value) {
    if (state.queue_selector != 0) return;
    VirtioQueue::State& queue = state.queue;
    // Addresses are written by halves.
    auto const set_half = [&](PhysAddr& address) {
        std::uint64_t const shift = 8 * (offset & 4);
        address.value = (address.value & ~(std::uint64_t{0xffff'ffff} << shift)) | (std::uint64_t{value} << shift);
    };
    switch (offset) {
        case kQueueReady:
            state.queue_ready = value & 1;
            if (state.queue_ready) queue.next_available = queue.next_used = 0;
            break;
        case kQueueDescriptors:
        case kQueueDescriptors + 4:
            return set_half(queue.descriptors);
        case kQueueDriver:
        case kQueueDriver + 4:
            return set_half(queue.available);
        case kQueueDevice:
        case kQueueDevice + 4:
            return set_half(queue.used);
        default:
            break;
    }
}

void VirtioBlock::reset() {
    state = State{};
    lines_.set_line(kDiskSource, false);
}

void VirtioBlock::process_queue() {
    bool const set_up = interface_ == DiskInterface::legacy ? state.queue_page != 0 : state.queue_ready != 0;
    if (!set_up || state.queue.size == 0 || (state.status & kStatusNeedsReset)) return;

    if (serve_all() && !queue_.interrupts_suppressed()) {
        state.interrupt_status |= kUsedBufferInterrupt;
        lines_.set_line(kDiskSource, true);
    }
}

// A hostile driver can queue the same huge request a thousand times with two stores. What one notification may move is
// bounded, and each descriptor and sector costs virtual time, so that the run's budget holds for them as well.
bool VirtioBlock::serve_all() {
    std::uint64_t const budget_end = clock_.parcels + kNotificationSectorsMax * kSectorParcels;
    bool served = false;
    while (true) {
        auto const chain = queue_.next();
        if (chain && !*chain) return served;
        if (chain) clock_.parcels += (*chain)->segments.size() * kDescriptorParcels;
        bool const done = chain && clock_.parcels < budget_end && queue_.finish(**chain, serve(**chain));
        clock_.parcels += kSectorParcels;
        if (!done) {
            ++counters_.disk_errors;
            state.status |= kStatusNeedsReset;
            return served;
        }
        served = true;
    }
}

std::uint32_t VirtioBlock::serve(DescriptorChain const& chain) {
    ++counters_.disk_requests;
    std::span<Segment const> const segments = chain.segments;
    Segment const& header = segments.front();
    Segment const& result = segments.back();
    bool const well_formed = segments.size() >= 2 && !header.device_writes && header.bytes >= kHeaderBytes &&
                             result.device_writes && result.bytes >= 1;
    if (!well_formed) {
        ++counters_.disk_errors;
        return 0;
    }
    std::uint32_t written = 0;
    std::uint8_t outcome = kUnsupported;
    std::span<Segment const> const data = segments.subspan(1, segments.size() - 2);
    std::uint64_t const sector = *memory_.load<std::uint64_t>(header.address + 8);
    switch (*memory_.load<std::uint32_t>(header.address)) {
        case kRead:
            outcome = transfer(data, sector, true, written);
            break;
        case kWrite:
            outcome = transfer(data, sector, false, written);
            break;
        case kFlush:
            outcome = kOk;
            break;
        default:
            break;
    }
    if (outcome != kOk) ++counters_.disk_errors;
    memory_.store(result.address, outcome);
    return written + 1;
}

// Segments follow each other on the disk; each must be whole sectors, point the right way, and lie on the disk.
std::uint8_t VirtioBlock::transfer(std::span<Segment const> data, std::uint64_t sector, bool to_guest,
                                   std::uint32_t& written) {
    std::uint64_t sectors_left = kRequestSectorsMax;
    for (Segment const& segment : data) {
        std::uint64_t const count = segment.bytes / kSectorBytes;
        bool const on_disk = sector <= disk_.sectors() && count <= disk_.sectors() - sector;
        if (segment.bytes % kSectorBytes != 0 || segment.device_writes != to_guest || !on_disk) return kError;
        if (count > sectors_left) return kError;
        sectors_left -= count;
        clock_.parcels += count * kSectorParcels;
        for (std::uint64_t i = 0; i < count; ++i, ++sector) {
            PhysAddr const address = segment.address + i * kSectorBytes;
            if (to_guest) {
                std::ranges::copy(disk_.read(sector), memory_.open_for_write(address, kSectorBytes)->begin());
            } else {
                auto const bytes = memory_.view(address, kSectorBytes);
                disk_.write(sector, std::span<std::byte const, kSectorBytes>{bytes->data(), kSectorBytes});
            }
        }
        if (to_guest) written += segment.bytes;
    }
    return kOk;
}

}  // namespace vmcheck::board
