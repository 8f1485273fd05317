#pragma once
// Runs the board until something happens that concerns the agents: a process asks for an order, all of them sleep, or
// the machine dies. Of the other stops it takes care itself: of allocations that are to fail, and of budgets that end.

#include "impl/board/board.h"
#include "impl/control/allocation_faults.h"
#include "impl/control/autopsy.h"
#include "impl/control/orders.h"
#include "impl/control/roster.h"
#include "impl/control/step_time.h"

#include <tl/expected.hpp>

#include <optional>
#include <string>
#include <vector>

namespace vmcheck {

// Addresses in the kernel that are stopped at, where they are known; and the numbers of its system calls.
struct KernelEntries {
    std::optional<VirtAddr> panic{};
    std::optional<VirtAddr> allocate{};
    std::vector<PhysAddr> free_list_heads{};
    SyscallNumbers numbers{};
};

// A hypercall; else Blocked where every process sleeps, or what the machine has died of.
using Event = tl::expected<Call, spec::Completion>;

class EventLoop {
  public:
    // REQUIRES: all but `entries` outlive this.
    EventLoop(board::Board& board, KernelEntries entries, StepTime& time, Autopsy& autopsy,
              AllocationFaults& allocations);

    // What the machine does next. Where the step's budget ends before: Stuck, if it can be shown that nothing comes any
    // more; else the step is given more time, and is Unfinished when it has had the most.
    Event next();
    // How often the machine had nothing to do but to wait for the time to pass before it came to what next() told.
    unsigned lulls() const { return lulls_; }
    // Nothing: it did nothing until `end`.
    std::optional<Event> next_until(board::Parcels end);

    // Set for good when the emulator failed.
    std::optional<std::string> const& engine_failure() const { return engine_failure_; }

  private:
    std::optional<Event> event_of(board::Stop const& stop);
    std::optional<Event> run_on();
    spec::Panicked panicked();
    Event all_sleep() const;
    void at_allocation();

    board::Board& board_;
    KernelEntries entries_;
    StepTime& time_;
    Autopsy& autopsy_;
    AllocationFaults& allocations_;
    unsigned lulls_ = 0;
    std::optional<std::string> engine_failure_;
};

}  // namespace vmcheck
