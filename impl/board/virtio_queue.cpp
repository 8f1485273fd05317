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
    std::optional<std::uint16_t> const end = memory_.load<std::uint16_t>(state_.available + 2);
    if (!end) return tl::unexpected(QueueFault{});
    auto const waiting = static_cast<std::uint16_t>(*end - state_.next_available);
    if (waiting == 0) return std::nullopt;
    if (waiting > state_.size) return tl::unexpected(QueueFault{});

    std::uint64_t const slot = state_.next_available % state_.size;
    std::optional<std::uint16_t> const head = memory_.load<std::uint16_t>(state_.available + 4 + 2 * slot);
    if (!head) return tl::unexpected(QueueFault{});
    ++state_.next_available;
    return follow(*head).map([](DescriptorChain&& chain) { return std::optional{std::move(chain)}; });
}

tl::expected<DescriptorChain, QueueFault> VirtioQueue::follow(std::uint16_t head) const {
    DescriptorChain chain;
    chain.head = head;
    std::uint16_t index = head;
    while (true) {
        if (index >= state_.size) return tl::unexpected(QueueFault{});
        // A chain cannot be longer than the table, unless it runs in circles.
        if (chain.segments.size() >= state_.size) return tl::unexpected(QueueFault{});
        PhysAddr const descriptor = state_.descriptors + std::uint64_t{16} * index;
        if (!memory_.contains(descriptor, 16)) return tl::unexpected(QueueFault{});
        std::uint16_t const flags = *memory_.load<std::uint16_t>(descriptor + 12);
        if (flags & kIndirect) return tl::unexpected(QueueFault{});
        Segment const segment{PhysAddr{*memory_.load<std::uint64_t>(descriptor)},
                              *memory_.load<std::uint32_t>(descriptor + 8), (flags & kDeviceWrites) != 0};
        if (!memory_.contains(segment.address, segment.bytes)) return tl::unexpected(QueueFault{});
        chain.segments.push_back(segment);
        if (!(flags & kNext)) return chain;
        index = *memory_.load<std::uint16_t>(descriptor + 14);
    }
}

bool VirtioQueue::finish(DescriptorChain const& chain, std::uint32_t bytes_written) {
    PhysAddr const element = state_.used + 4 + std::uint64_t{8} * (state_.next_used % state_.size);
    bool const stored = memory_.store<std::uint32_t>(element, chain.head) &&
                        memory_.store<std::uint32_t>(element + 4, bytes_written) &&
                        memory_.store<std::uint16_t>(state_.used + 2, static_cast<std::uint16_t>(state_.next_used + 1));
    if (stored) ++state_.next_used;
    return stored;
}

bool VirtioQueue::interrupts_suppressed() const {
    return (memory_.load<std::uint16_t>(state_.available).value_or(0) & kNoInterrupt) != 0;
}

}  // namespace vmcheck::board
