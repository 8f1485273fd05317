#pragma once
// The conductor: hands orders to agents, one process at a time, and finds out what became of each order.
//
// Every process of the kernel runs the agent (impl/agent) and so is, whenever it is scheduled, at its hypercall asking
// for an order. When the wrong process asks, the conductor raises the timer interrupt, and the kernel's own scheduler
// brings another one. A process is known by its page-table root (satp) and by the tag that it carries in s11; the two
// must agree, or the kernel has mixed up somebody's registers.

#include "impl/board/board.h"
#include "impl/observe/process_table.h"
#include "spec/observation.h"
#include "spec/program.h"

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace vmcheck {

// What an agent is told to do: one of VMCHECK_ORDER_... with its registers.
struct Order {
    std::uint64_t kind = 0;
    std::uint64_t a7 = 0;                      // the system call's number
    std::array<std::uint64_t, 3> arguments{};  // a0, a1, a2
};

// A process as the conductor knows it.
struct Agent {
    spec::ProcId id;
    std::uint64_t pid = 0;  // the kernel's; 0 while unknown
    FrameNo root;           // of its page table, when it last asked
};

// What the machine does that is no answer to an order. `what` is Panicked, Stuck or Lost.
using Mishap = std::variant<spec::Panicked, spec::Stuck, spec::Lost>;

// What became of an order.
struct Answered {
    std::uint64_t value = 0;  // a0 at the next hypercall
};
struct StartedAfresh {};  // the actor asks as a fresh agent: its image was replaced
struct Vanished {};       // it does not ask any more and does not sleep
struct Asleep {};         // it sleeps in the kernel
using Answer = std::variant<Answered, StartedAfresh, Vanished, Asleep, Mishap>;

// Addresses in the kernel that the conductor stops at, where they are known.
struct KernelEntries {
    std::optional<VirtAddr> panic;
    std::optional<VirtAddr> allocate;
    std::vector<PhysAddr> free_list_heads;
};

// A fork that has not shown its child yet.
struct ExpectedChild {
    spec::ProcId parent;
    spec::ProcId child;     // what it is called
    std::uint64_t pid = 0;  // once fork has returned it
};

// A process that was given an order: it is at work until it asks again.
struct AtWork {
    spec::ProcId who;
    std::optional<Answer> answer{};  // it has asked since
};

// All state of a conversation: a value, so that it can be saved and restored beside the machine's.
struct Conversation {
    std::vector<Agent> agents;               // those that ask, or could
    std::vector<Agent> ended;                // ended but not yet waited for
    std::vector<spec::ProcId> ended_lately;  // of these, those that collect_ended() has not told of
    std::optional<spec::ProcId> current;     // who stands at its hypercall now
    // Of a machine with several harts: who stood at its hypercall on each, when it was last there.
    std::array<std::optional<spec::ProcId>, board::kHartsMax> stands{};
    std::optional<board::HartIndex> gave_way;  // this hart did when it last asked, so that another could go on
    std::vector<AtWork> at_work;               // one, or two whose steps overlap
    std::vector<ExpectedChild> expected;       // at most one for each of them
    std::optional<spec::ProcId> exec_by;       // who was told to exec and has not answered yet
    std::uint32_t fail_allocation = 0;         // the n-th allocation from now on is to fail; 0: none
    std::uint32_t allocations_failed = 0;      // in this step
    bool allocator_dry = false;                // in this step
    std::optional<VirtAddr> refused_at;        // the call of the first allocation in this step that got nothing
};

class Conductor {
  public:
    // `where` names a kernel address for messages. REQUIRES: `board` and `table` outlive the conductor.
    Conductor(board::Board& board, observe::ProcessTable const* table, KernelEntries entries,
              std::function<std::string(VirtAddr)> where);

    // Runs a machine that has just been reset until /init asks for its first order.
    std::optional<Mishap> wait_for_init(board::Parcels budget);

    // Starts a step: everything the step does must fit `budget`. `oom`: which allocation is to fail (from 1).
    void begin_step(board::Parcels budget, std::optional<std::uint32_t> oom);

    // The next order is interrupted by the timer after so much code, and what follows with it where it ends sooner.
    // Until end_interruption() or the next begin_step().
    void interrupt_after(board::Parcels code) { interrupt_in_ = code; }
    void end_interruption();

    // After so many blocks of the next order another hart goes on. Until the same.
    void switch_hart_after(board::Blocks blocks) { switch_in_ = blocks; }
    // Brings both to their hypercalls, on two harts, so that the order that `first` is given next is done beside
    // `second`'s. False: the machine has one hart, or they do not come.
    tl::expected<bool, Mishap> bring_side_by_side(spec::ProcId first, spec::ProcId second);
    // Of several harts, each comes to a hypercall, or has had the time to find that it has nothing to do: a process
    // that has ended may have left its hart amid the last that the kernel does for it.
    std::optional<Mishap> come_to_rest();

    // From the first order of the step to the latest answer.
    struct WorkTime {
        board::Parcels start, end;
        std::uint64_t blocks;  // executed in it
    };
    WorkTime work_time() const {
        return {order_began_.value_or(step_began_), order_ended_, blocks_at_end_ - blocks_at_start_};
    }

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
    void abandon_fork(spec::ProcId parent);
    // After a kill: lets `target` run to its end. False: it goes on asking.
    tl::expected<bool, Mishap> await_end(spec::ProcId target);

    // Brings `who` to its hypercall. A mishap when it never gets there.
    std::optional<Mishap> bring(spec::ProcId who);

    // Notes that `pid` was waited for, so its id is out of use.
    void forget_ended(std::uint64_t pid);
    void set_pid(spec::ProcId id, std::uint64_t pid);
    std::optional<std::uint64_t> pid_of(spec::ProcId id) const;
    // Agents that the kernel's process table shows as ended although nobody asked for it, in this step or before it
    // came to a wait; moves them to `ended`.
    std::vector<spec::ProcId> collect_ended();

    // Where the kernel died: the caller of panic, or the pc at a mishap; nothing while it lives.
    std::optional<VirtAddr> died_at() const { return died_at_; }

    // Set for good when the emulator failed.
    std::optional<std::string> const& engine_failure() const { return engine_failure_; }

    Conversation const& conversation() const { return now_; }
    // Goes on from a saved conversation; the board must have been restored to the same moment.
    void resume(Conversation conversation);

  private:
    struct Asks {
        spec::ProcId who;
        std::uint64_t value = 0;
        bool fresh = false;
    };
    using Event = std::variant<Asks, Asleep, Mishap>;
    struct Guest {
        spec::ProcId who;
        std::function<std::optional<Mishap>()> step;
    };

    Event next_event();
    std::optional<Event> event_of(board::Stop const& stop);
    board::Stop run_board(board::Parcels budget);
    std::optional<Mishap> receive_guest(spec::ProcId who);
    std::optional<Answer> answer_of(spec::ProcId actor) const;
    void note_answer(spec::ProcId who, Answer answer);
    ExpectedChild* expected_from(spec::ProcId parent);
    bool is_at_work(spec::ProcId who) const;
    bool expects_child(std::uint64_t tag) const;
    void sweep_ended();
    Event identify();
    Event welcome(FrameNo root, std::uint64_t tag, std::uint64_t value);
    std::optional<Mishap> at_breakpoint(VirtAddr address);
    void at_allocation();
    std::optional<Mishap> switch_process();
    std::optional<board::HartIndex> hart_of(spec::ProcId who) const;
    bool stands_at_hypercall(board::HartIndex hart) const;
    bool give_way();
    void turn_to(board::HartIndex hart);
    Answer await_answer(spec::ProcId actor);
    std::optional<Answer> why_absent(spec::ProcId actor, unsigned asked_by_others);
    bool has_ended(Agent const& agent) const;
    void move_to_ended(spec::ProcId id);
    unsigned patience() const;
    bool has_had_its_time() const;
    Agent* find(spec::ProcId id);
    Agent const* find(spec::ProcId id) const;
    observe::Ram ram() const;
    std::string read_string(VirtAddr at) const;
    Mishap stuck(std::string what);

    board::Board& board_;
    observe::ProcessTable const* table_;
    KernelEntries entries_;
    std::function<std::string(VirtAddr)> where_;
    Conversation now_;
    board::Parcels step_began_{0};
    board::Parcels deadline_;
    std::optional<board::Parcels> order_began_;   // the step's first
    board::Parcels order_ended_{0};               // its latest
    std::uint64_t blocks_at_start_ = 0;           // of the step's first order, by the board's count
    std::uint64_t blocks_at_end_ = 0;             // of its latest
    std::optional<board::Parcels> interrupt_in_;  // from the next order on
    std::optional<board::Parcels> interrupt_at_;
    std::optional<board::Blocks> switch_in_;  // from the next order on
    std::optional<std::uint64_t> switch_at_;  // by the board's count of blocks
    std::optional<Guest> guest_;
    std::optional<VirtAddr> died_at_;
    std::optional<std::string> engine_failure_;
};

}  // namespace vmcheck
