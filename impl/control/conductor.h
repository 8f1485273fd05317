#pragma once
// The conductor: hands orders to agents, one process at a time, and finds out what became of each order.
//
// Every process of the kernel runs the agent (impl/agent) and so is, whenever it is scheduled, at its hypercall asking
// for an order. Who asks is known by the roster; that somebody asks at all, by the listener; and when it is the wrong
// process, the usher brings the right one. The conductor is all that a step sees of them.

#include "impl/board/board.h"
#include "impl/control/autopsy.h"
#include "impl/control/conversation.h"
#include "impl/control/harts.h"
#include "impl/control/listener.h"
#include "impl/control/orders.h"
#include "impl/control/step_time.h"
#include "impl/control/usher.h"
#include "impl/observe/process_table.h"
#include "spec/program.h"

#include <tl/expected.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vmcheck {

class Conductor {
  public:
    // `table`: null where it is not known. `where` names a kernel address for messages. REQUIRES: `board` and `table`
    // outlive the conductor.
    Conductor(board::Board& board, observe::ProcessTable const* table, KernelEntries entries,
              std::function<std::string(VirtAddr)> where);
    Conductor(Conductor const&) = delete;
    Conductor& operator=(Conductor const&) = delete;

    // Runs a machine that has just been reset until /init asks for its first order.
    std::optional<Mishap> wait_for_init(board::Parcels budget);

    // Starts a step: everything the step does must fit `budget`. `oom`: which allocation is to fail (from 1).
    void begin_step(board::Parcels budget, std::optional<std::uint32_t> oom);

    // As StepTime's, for the next order; until end_interruption() or the next begin_step().
    void interrupt_after(board::Parcels code) { time_.interrupt_after(code); }
    void switch_hart_after(board::Blocks blocks) { time_.switch_hart_after(blocks); }
    void end_interruption() { time_.end_interruption(); }
    // From the first order of the step to the latest answer.
    StepTime::Work work_time() const { return time_.work(); }

    // While an order is at work and `who` asks, `step` is done, once: give() and the like may be called in it. It
    // returns what the machine died of. Until cancelled or the next begin_step().
    void let_in(spec::ProcId who, std::function<std::optional<Mishap>()> step) { guest_ = Guest{who, std::move(step)}; }
    void cancel_guest() { guest_.reset(); }

    // Gives `actor` an order and runs until the answer is known.
    Answer give(spec::ProcId actor, Order const& order);

    // fork: as give(), but says what the child is called when it comes up.
    Answer give_fork(spec::ProcId parent, spec::ProcId child);
    // exec: as give(), but the actor may come back with another page table, as a fresh agent.
    Answer give_exec(spec::ProcId actor, Order const& order);
    // After a fork that returned a pid: lets the child run to its first hypercall. False: it never came up.
    tl::expected<bool, Mishap> await_child(spec::ProcId parent);
    // After a fork that failed: no child is expected any more.
    void abandon_fork(spec::ProcId parent) { now_.roster.abandon_child_of(parent); }
    // After a kill: lets `target` run to its end. False: it goes on asking.
    tl::expected<bool, Mishap> await_end(spec::ProcId target);

    // As the usher's.
    tl::expected<bool, Mishap> bring_side_by_side(spec::ProcId first, spec::ProcId second) {
        return usher_.bring_side_by_side(first, second);
    }
    std::optional<Mishap> come_to_rest() { return usher_.come_to_rest(); }

    // Notes that `pid` was waited for, so its id is out of use.
    void forget_ended(std::uint64_t pid);
    void set_pid(spec::ProcId id, std::uint64_t pid) { now_.roster.set_pid(id, pid); }
    // Agents that the kernel's process table shows as ended although nobody asked for it, in this step or before it
    // came to a wait; notes that they have.
    std::vector<spec::ProcId> collect_ended();

    // Where the kernel died: the caller of panic, or the pc at a mishap; nothing while it lives.
    std::optional<VirtAddr> died_at() const { return autopsy_.died_at(); }
    // Set for good when the emulator failed.
    std::optional<std::string> const& engine_failure() const { return listener_.engine_failure(); }

    Conversation const& conversation() const { return now_; }
    // Goes on from a saved conversation; the board must have been restored to the same moment.
    void resume(Conversation conversation);

  private:
    struct Guest {
        spec::ProcId who;
        std::function<std::optional<Mishap>()> step;
    };

    Answer await_answer(spec::ProcId actor);
    std::optional<Mishap> receive_guest(spec::ProcId who);
    std::optional<Answer> why_absent(spec::ProcId actor, unsigned asked_by_others);
    bool has_had_its_time() const;
    bool has_ended(Agent const& agent) const;
    void sweep_ended();

    board::Board& board_;
    observe::ProcessTable const* table_;
    Conversation now_;
    StepTime time_;
    Autopsy autopsy_;
    Harts harts_;
    Listener listener_;
    Usher usher_;
    std::optional<Guest> guest_;
};

}  // namespace vmcheck
