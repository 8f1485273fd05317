#pragma once
// What the board remembers for reports: never read by the machine itself.

#include "impl/board/types.h"

#include <optional>
#include <vector>

namespace vmcheck::board {

// The latest addresses, in a ring.
class Trace {
  public:
    explicit Trace(std::size_t blocks_max) : blocks_max_(blocks_max) {}

    bool is_on() const { return on_; }
    void set_on(bool on) {
        if (on && !on_) {
            ring_.clear();
            next_ = 0;
        }
        on_ = on && blocks_max_ != 0;
    }
    void add(VirtAddr pc) {
        if (ring_.size() < blocks_max_) {
            ring_.push_back(pc);
        } else {
            ring_[next_] = pc;
            next_ = (next_ + 1) % blocks_max_;
        }
    }
    // Oldest first.
    std::vector<VirtAddr> blocks() const {
        std::vector<VirtAddr> result;
        result.reserve(ring_.size());
        for (std::size_t i = 0; i < ring_.size(); ++i) result.push_back(ring_[(next_ + i) % ring_.size()]);
        return result;
    }

  private:
    std::size_t blocks_max_;
    bool on_ = false;
    std::vector<VirtAddr> ring_;
    std::size_t next_ = 0;  // the oldest, once the ring is full
};

// When a hart stood before a block with S-mode interrupts enabled: the earliest such times.
class Openings {
  public:
    explicit Openings(std::size_t times_max) : times_max_(times_max) {}

    bool is_on() const { return on_; }
    void set_on(bool on) {
        if (on) times_.clear();
        on_ = on;
    }
    void add(Parcels time) {
        if (times_.size() < times_max_) times_.push_back(time);
    }
    std::vector<Parcels> const& times() const { return times_; }

  private:
    std::size_t times_max_;
    bool on_ = false;
    std::vector<Parcels> times_;
};

struct Reports {
    static constexpr std::size_t kVoidAccessesMax = 16;

    explicit Reports(std::size_t trace_blocks_max) : trace(trace_blocks_max), openings(trace_blocks_max) {}

    std::vector<VoidAccess> void_accesses;
    std::optional<KernelFault> kernel_fault;
    Trace trace;
    Openings openings;

    bool wants_blocks() const { return trace.is_on() || openings.is_on(); }
    void add(VoidAccess const& access) {
        if (void_accesses.size() < kVoidAccessesMax) void_accesses.push_back(access);
    }
    // At restore: what happened in another run is no part of the next one's report.
    void clear() {
        void_accesses.clear();
        kernel_fault.reset();
    }
};

}  // namespace vmcheck::board
