#pragma once
// The conductor: hands orders to agents, one process at a time, and finds out what became of each order.
//
// Every process of the kernel runs the agent (impl/agent) and so is, whenever it is scheduled, at its hypercall asking
// for an order. All that is waited for comes down to one loop, run_until(): the board runs until somebody asks; if that
// is not what is waited for, the kernel is made to schedule somebody else, by its timer, or, of several harts, another
// gets its turn.

#include "impl/agent/agent.h"
#include "impl/board/board.h"
#include "impl/control/allocation_faults.h"
#include "impl/control/autopsy.h"
#include "impl/control/event_loop.h"
#include "impl/control/harts.h"
#include "impl/control/orders.h"
#include "impl/control/roster.h"
#include "impl/control/step_time.h"
#include "impl/observe/kernel_tables.h"
#include "impl/target.h"
#include "spec/program.h"

#include <tl/expected.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace vmcheck {

// All that is remembered of the agents: a value, to be saved and restored beside the machine's state. The conductor
// owns it, and each part is written in one place: the roster and who stepped aside by the conductor itself.
struct AgentState {
    Roster roster;
    Standing standing;             // by Harts
    AllocationFaults allocations;  // by the event loop
    std::set<spec::ProcId> aside;  // sleep for a tick, so that others run
};

class Conductor {
  public:
    // `table`: null where it is not known. `where` names a kernel address for messages. REQUIRES: `board` and `table`
    // outlive the conductor.
    Conductor(board::Board& board, observe::ProcessTable const* table, KernelEntries entries,
              std::function<std::string(VirtAddr)> where);
    Conductor(Conductor const&) = delete;
    Conductor& operator=(Conductor const&) = delete;

    // Runs a machine that has just been reset until /init asks for its first order.
    Done wait_for_init(board::Parcels budget);

    // Starts a step, which has `budget`, and where it makes progress at most `most`. `oom`: which allocation is to fail
    // (from 1).
    void begin_step(board::Parcels budget, board::Parcels most, std::optional<std::uint32_t> oom);
    // To have the step's next order interrupted, and to know how long its orders took.
    StepTime& time() { return time_; }

    // Gives `actor` an order and runs until it is known what became of it.
    spec::Completion give(spec::ProcId actor, Order const& order);
    spec::Completion give_call(spec::ProcId actor, std::uint64_t number, std::uint64_t a0 = 0, std::uint64_t a1 = 0,
                               std::uint64_t a2 = 0) {
        return give(actor, {VMCHECK_ORDER_SYSCALL, number, {a0, a1, a2}});
    }
    // exec of one of the agent's programs: the actor may come back with another page table, as a fresh agent.
    spec::Completion give_exec(spec::ProcId actor, spec::Executable program = spec::Executable::init,
                               VirtAddr arguments = agent::kNoArguments);
    // fork: a child that comes up is called `child` from then on.
    struct Forked {
        spec::Completion result;
        bool child_started = false;  // it has come to its first hypercall
    };
    Forked give_fork(spec::ProcId parent, spec::ProcId child);
    // After a kill: lets `target` run to its end. False: it goes on asking.
    tl::expected<bool, spec::Completion> await_end(spec::ProcId target);

    // While an order is at work and `who` asks, `step` is done, once: give() and the like may be called in it. Until
    // cancelled or the next begin_step().
    void do_meanwhile(spec::ProcId who, std::function<Done()> step) { meanwhile_ = Meanwhile{who, std::move(step)}; }
    void cancel_meanwhile() { meanwhile_.reset(); }
    // Brings both to their hypercalls, on a hart each, so that the order that `first` is given next is done beside
    // `second`'s. False: the machine has one hart, or they do not come.
    tl::expected<bool, spec::Completion> bring_side_by_side(spec::ProcId first, spec::ProcId second);
    // Of several harts, each comes to a hypercall, or has had the time to find that it has nothing to do: a process
    // that has ended may have left its hart amid the last that the kernel does for it.
    Done let_harts_finish();

    // Notes that `pid` was waited for, so its id is out of use.
    void forget_ended(std::uint64_t pid);
    // Agents that the kernel's process table shows as ended although nobody asked for it, in this step or before it
    // came to a wait; notes that they have.
    std::vector<spec::ProcId> collect_ended();

    // Whether to note the orders that are given.
    void note_deeds(bool on) { deeds_ = on ? std::optional(std::vector<Deed>{}) : std::nullopt; }
    std::vector<Deed> deeds() const { return deeds_.value_or(std::vector<Deed>{}); }

    // Where the kernel died: the caller of panic, or the pc at a mishap; nothing while it lives.
    std::optional<VirtAddr> died_at() const { return autopsy_.died_at(); }
    // Set for good when the emulator failed.
    std::optional<std::string> const& engine_failure() const { return events_.engine_failure(); }

    AgentState const& state() const { return state_; }
    // Goes on from a saved state; the board must have been restored to the same moment.
    void resume(AgentState state);

  private:
    struct Meanwhile {
        spec::ProcId who;
        std::function<Done()> step;
    };

    // How long something has been waited for.
    struct Wait {
        unsigned calls = 0;  // hypercalls, of whomever
        // While those who asked stepped aside: how often the machine had nothing to do all the same, and how often they
        // asked without anybody having been at work for long in between.
        unsigned lulls = 0;
        unsigned in_a_row = 0;
    };

    template <class IsOver, class LetOthersRun>
    spec::Completion run_until(IsOver is_over, LetOthersRun let_others_run);
    tl::expected<spec::ProcId, spec::Completion> next();
    tl::expected<spec::ProcId, spec::Completion> recognise(Call const& call);
    std::uint64_t pid_with(FrameNo root) const;

    void note(spec::ProcId actor, Order const& order);
    void note_turn();

    Done schedule(std::optional<spec::ProcId> who);
    Done switch_process();
    Done step_aside();
    void tell(Order const& order);
    unsigned calls_max() const;
    bool is_in_vain(Wait const& wait) const;
    Done bring(spec::ProcId who);
    tl::expected<bool, spec::Completion> bring_beside_parked_hart(spec::ProcId who);

    spec::Completion await_result(spec::ProcId actor);
    Done do_what_waits_for(spec::ProcId who);
    std::optional<spec::Completion> why_absent(spec::ProcId actor, Wait const& wait);
    tl::expected<bool, spec::Completion> await_child(spec::ProcId parent);
    bool has_ended(Agent const& agent) const;
    void sweep_ended();

    board::Board& board_;
    observe::ProcessTable const* table_;
    SyscallNumbers numbers_;
    AgentState state_;
    StepTime time_;
    Autopsy autopsy_;
    Harts harts_;
    EventLoop events_;
    std::optional<Meanwhile> meanwhile_;
    std::optional<std::vector<Deed>> deeds_;  // where they are noted
    Deed next_deed_{};                        // what is known of it already
    std::optional<std::size_t> to_turn_;      // the deed that is to be interrupted, or whose hart is
};

}  // namespace vmcheck
