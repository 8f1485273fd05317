#pragma once
// What the board remembers for reports: never read by the machine itself.

#include "impl/board/types.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <vector>

namespace vmcheck::board {

// The latest blocks.
class Trace {
  public:
    explicit Trace(std::size_t blocks_max) : blocks_max_(blocks_max) {}

    bool is_on() const { return on_; }
    void set_on(bool on) {
        if (on && !on_) {
            blocks_.clear();
            seen_.clear();
        }
        on_ = on && blocks_max_ != 0;
    }
    void add(VirtAddr pc, std::uint32_t bytes) {
        if (blocks_.size() == blocks_max_) blocks_.pop_front();
        blocks_.push_back({pc, bytes});
        std::uint32_t& most = seen_[pc];
        most = std::max(most, bytes);
    }
    // The newest block goes no further than to the instruction there, which is one of it, and not yet executed.
    void end_before(VirtAddr pc) {
        if (!blocks_.empty()) blocks_.back().bytes = static_cast<std::uint32_t>(pc.value - blocks_.back().pc.value);
    }
    // Oldest first.
    std::vector<VirtAddr> blocks() const {
        std::vector<VirtAddr> addresses;
        for (Block const& block : blocks_) addresses.push_back(block.pc);
        return addresses;
    }
    // How often the instruction there was executed, as far as it is remembered.
    std::uint32_t passes(VirtAddr pc) const {
        return static_cast<std::uint32_t>(std::ranges::count_if(
            blocks_, [&](Block const& each) { return pc >= each.pc && pc < each.pc + each.bytes; }));
    }

    // All of them: where each begins, and how many bytes of code it has.
    std::map<VirtAddr, std::uint32_t> const& seen() const { return seen_; }

  private:
    struct Block {
        VirtAddr pc;
        std::uint32_t bytes = 0;
    };

    std::size_t blocks_max_;
    bool on_ = false;
    std::deque<Block> blocks_;
    std::map<VirtAddr, std::uint32_t> seen_;
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

// How often each block came after which, in somebody else's counters: of the code that does not lie below RAM, where
// programs do.
class Edges {
  public:
    bool is_on() const { return !counters_.empty(); }
    void count_in(std::span<std::uint8_t> counters) {
        counters_ = counters;
        last_ = 0;
    }
    void add(VirtAddr pc) {
        if (pc.value < kRamStart.value) return;
        std::uint64_t const here = pc.value * 0x9e37'79b9'7f4a'7c15 >> 32;
        std::uint8_t& counter = counters_[(here ^ last_ >> 1) % counters_.size()];
        if (counter < UINT8_MAX) ++counter;
        last_ = here;
    }

  private:
    std::span<std::uint8_t> counters_;
    std::uint64_t last_ = 0;
};

struct Reports {
    static constexpr std::size_t kVoidAccessesMax = 16;

    explicit Reports(std::size_t trace_blocks_max)
        : trace(trace_blocks_max), openings(trace_blocks_max), before_turn(trace_blocks_max) {}

    std::vector<VoidAccess> void_accesses;
    std::optional<KernelFault> kernel_fault;
    Trace trace;
    Openings openings;
    Edges edges;
    Trace before_turn;           // since watch_turn(), until the turn that was asked for goes over
    bool interrupt_due = false;  // one was asked for, and is to be taken at the next opening
    std::optional<Turned> turned;

    void watch_turn(bool on) {
        before_turn.set_on(false);
        before_turn.set_on(on);
        interrupt_due = false;
        turned.reset();
    }
    // The hart that is to make room is there.
    void note_turn(VirtAddr pc) {
        if (before_turn.is_on()) turned = Turned{pc, before_turn.passes(pc) + 1};
        before_turn.set_on(false);
    }
    // Whether any of them wants to be told of blocks, as it was when the machine was last told to run: asked at each.
    bool wants_blocks() const { return wants_blocks_; }
    void begin_run() { wants_blocks_ = trace.is_on() || openings.is_on() || before_turn.is_on() || edges.is_on(); }
    void add(VoidAccess const& access) {
        if (void_accesses.size() < kVoidAccessesMax) void_accesses.push_back(access);
    }
    // At restore: what happened in another run is no part of the next one's report.
    void clear() {
        void_accesses.clear();
        kernel_fault.reset();
        watch_turn(false);
    }

  private:
    bool wants_blocks_ = false;
};

}  // namespace vmcheck::board
