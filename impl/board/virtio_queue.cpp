#include "impl/board/virtio_queue.h"

namespace vmcheck::board {
namespace {

// virtq_desc.flags (virtio 1.1, section 2.6.5).
constexpr std::uint16_t kNext = 1;
constexpr std::uint16_t kDeviceWrites = 2;
constexpr std::uint16_t kIndirect = 4;
constexpr std::uint16_t kNoInterrupt = 1;  // virtq_avail.flags (section 2.6.6)

}  // namespace

tl::expected<std::optional<DescriptorChain>, QueueFault> VirtioQueue::next() {
    std::optional<std::uint16_t> const end = memory_.load<std::uint16_t>(state.available + 2);
    if (!end) return tl::unexpected(QueueFault::ring_outside_ram);
    auto const waiting = static_cast<std::uint16_t>(*end - state.next_available);
    if (waiting == 0) return std::nullopt;
    if (waiting > state.size) return tl::unexpected(QueueFault::too_many_available);

    std::uint64_t const slot = state.next_available % state.size;
    std::optional<std::uint16_t> const head = memory_.load<std::uint16_t>(state.available + 4 + 2 * slot);
    if (!head) return tl::unexpected(QueueFault::ring_outside_ram);
    ++state.next_available;
    return follow(*head).map([](DescriptorChain&& chain) { return std::optional{std::move(chain)}; });
}

tl::expected<DescriptorChain, QueueFault> VirtioQueue::follow(std::uint16_t head) const {
    DescriptorChain chain;
    chain.head = head;
    std::uint16_t index = head;
    while (true) {
        if (index >= state.size) return tl::unexpected(QueueFault::index_out_of_range);
        // A chain cannot be longer than the table, unless it runs in circles.
        if (chain.segments.size() >= state.size) return tl::unexpected(QueueFault::chain_too_long);
        PhysAddr const descriptor = state.descriptors + std::uint64_t{16} * index;
        if (!memory_.contains(descriptor, 16)) return tl::unexpected(QueueFault::ring_outside_ram);
        std::uint16_t const flags = *memory_.load<std::uint16_t>(descriptor + 12);
        if (flags & kIndirect) return tl::unexpected(QueueFault::unsupported_flag);
        Segment const segment{PhysAddr{*memory_.load<std::uint64_t>(descriptor)},
                              *memory_.load<std::uint32_t>(descriptor + 8), (flags & kDeviceWrites) != 0};
        if (!memory_.contains(segment.address, segment.bytes)) return tl::unexpected(QueueFault::segment_outside_ram);
        chain.segments.push_back(segment);
        if (!(flags & kNext)) return chain;
        index = *memory_.load<std::uint16_t>(descriptor + 14);
    }
}

tl::expected<void, QueueFault> VirtioQueue::finish(DescriptorChain const& chain, std::uint32_t bytes_written) {
    std::uint64_t const slot = state.next_used % state.size;
    PhysAddr const element = state.used + 4 + 8 * slot;
    if (!memory_.store<std::uint32_t>(element, chain.head) ||
        !memory_.store<std::uint32_t>(element + 4, bytes_written) ||
        !memory_.store<std::uint16_t>(state.used + 2, static_cast<std::uint16_t>(state.next_used + 1))) {
        return tl::unexpected(QueueFault::ring_outside_ram);
    }
    ++state.next_used;
    return {};
}

bool VirtioQueue::interrupts_suppressed() const {
    return (memory_.load<std::uint16_t>(state.available).value_or(0) & kNoInterrupt) != 0;
}

}  // namespace vmcheck::board
