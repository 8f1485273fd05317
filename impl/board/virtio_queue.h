#pragma once
// A split virtqueue in guest memory (virtio 1.1, section 2.6), seen from the device. Everything in it was written by
// the guest and is checked: addresses and lengths against RAM, indices against the queue's size, and chains for loops.

#include "impl/board/memory.h"
#include "spec/address.h"

#include <tl/expected.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace vmcheck::board {

// One piece of guest memory in a request. Lies within RAM.
struct Segment {
    PhysAddr address;
    std::uint32_t bytes = 0;
    bool device_writes = false;
};

// A request as the driver queued it.
struct DescriptorChain {
    std::uint16_t head = 0;
    std::vector<Segment> segments;
};

// The guest broke the rules; the device goes no further with this queue until it is reset.
struct QueueFault {};

class VirtioQueue {
  public:
    static constexpr std::uint16_t kSizeMax = 1024;

    struct State {
        std::uint16_t size = 0;  // entries; 0: not set up
        PhysAddr descriptors;
        PhysAddr available;
        PhysAddr used;
        std::uint16_t next_available = 0;  // free-running, as in the ring
        std::uint16_t next_used = 0;
    };

    // Both must outlive this object.
    VirtioQueue(Memory& memory, State& state) : memory_(memory), state_(state) {}

    // The next request, or nothing when there is none.
    tl::expected<std::optional<DescriptorChain>, QueueFault> next();
    // Hands a chain back. `bytes_written` is what the device wrote into it. False: a QueueFault.
    bool finish(DescriptorChain const& chain, std::uint32_t bytes_written);
    // Whether the driver wants no interrupts (VIRTQ_AVAIL_F_NO_INTERRUPT).
    bool interrupts_suppressed() const;

  private:
    tl::expected<DescriptorChain, QueueFault> follow(std::uint16_t head) const;

    Memory& memory_;
    State& state_;
};

}  // namespace vmcheck::board
