#pragma once
// The listener: runs the board until something happens that the conductor has to know. Of the other stops it takes care
// itself: of allocations that are to fail, and of budgets that end.

#include "impl/board/board.h"
#include "impl/control/autopsy.h"
#include "impl/control/conversation.h"
#include "impl/control/orders.h"
#include "impl/control/step_time.h"
#include "impl/observe/process_table.h"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace vmcheck {

// Addresses in the kernel that are stopped at, where they are known.
struct KernelEntries {
    std::optional<VirtAddr> panic;
    std::optional<VirtAddr> allocate;
    std::vector<PhysAddr> free_list_heads;
};

// Its process asks for an order, on the board's current hart.
struct Asks {
    spec::ProcId who;
};
// Asleep: all processes are.
using Event = std::variant<Asks, Asleep, Mishap>;

class Listener {
  public:
    // `table`: null where it is not known. REQUIRES: all but `entries` outlive the listener.
    Listener(board::Board& board, observe::ProcessTable const* table, KernelEntries entries, StepTime& time,
             Autopsy& autopsy, Conversation& now);

    // What the machine does next. A mishap where the step's budget ends before.
    Event next();
    // Nothing: it did nothing until `end`.
    std::optional<Event> next_until(board::Parcels end);

    // Set for good when the emulator failed.
    std::optional<std::string> const& engine_failure() const { return engine_failure_; }

  private:
    std::optional<Event> event_of(board::Stop const& stop);
    Event at_hypercall(board::HartIndex hart);
    std::optional<Mishap> at_breakpoint(VirtAddr address);
    void at_allocation();
    std::uint64_t pid_with(FrameNo root) const;

    board::Board& board_;
    observe::ProcessTable const* table_;
    KernelEntries entries_;
    StepTime& time_;
    Autopsy& autopsy_;
    Conversation& now_;
    std::optional<std::string> engine_failure_;
};

}  // namespace vmcheck
