#pragma once
// The roster: which processes there are, who of them is at work on an order, and whom a fork or an exec is about to
// bring. A value that knows no board: of each hypercall it is told what the registers held, and says whose it was.
//
// A process is known by its page-table root (satp) and by the tag that it carries in s11; the two must agree, or the
// kernel has mixed up somebody's registers.

#include "impl/abi/agent_abi.h"
#include "spec/address.h"
#include "spec/observation.h"
#include "spec/program.h"

#include <tl/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace vmcheck {

// What each agent carries in s11. The high part tells a tag from a value that a kernel left there.
constexpr std::uint64_t tag_of(spec::ProcId id) {
    return (std::uint64_t{VMCHECK_HYPERCALL} << 32) | (id.value + 1U);
}

// satp.PPN: bits 43:0 (privileged spec, "Supervisor Address Translation and Protection Register").
constexpr FrameNo root_of(std::uint64_t satp) {
    return FrameNo{satp & ((std::uint64_t{1} << 44) - 1)};
}

// A process as the conductor knows it.
struct Agent {
    spec::ProcId id;
    std::uint64_t pid = 0;  // the kernel's; 0 while unknown
    FrameNo root;           // of its page table, when it last asked
};

// A hypercall, as the registers show it.
struct Call {
    FrameNo root;             // of the page table, by satp
    std::uint64_t tag = 0;    // s11
    std::uint64_t value = 0;  // a0
};

class Roster {
  public:
    // ---- hypercalls

    // Whose `call` is: that process is current() from here on, and carries its tag; if it was at work, it has answered.
    // The first of all is /init's. Fails when no process that may come looks like this.
    tl::expected<spec::ProcId, spec::Lost> recognise(Call const& call);
    // Who stands at its hypercall now.
    std::optional<spec::ProcId> current() const { return current_; }
    void nobody_is_current() { current_.reset(); }

    // ---- who there is

    // Those that ask, or could.
    std::vector<Agent> const& agents() const { return agents_; }
    // Null: not among them.
    Agent const* find(spec::ProcId id) const;
    // Ended but not yet waited for.
    std::vector<Agent> const& ended() const { return ended_; }

    // Nothing: it never was there, or was waited for.
    std::optional<std::uint64_t> pid_of(spec::ProcId id) const;
    // Of one that is there, or is expected of a fork.
    void set_pid(spec::ProcId id, std::uint64_t pid);

    void end(spec::ProcId id);
    // The same, although nobody had asked for it.
    void end_unasked(spec::ProcId id);
    // Of whom the latter was said in this step, since the last time that this was called.
    std::vector<spec::ProcId> take_ended_unasked();
    // `pid` was waited for: it is out of use.
    void forget(std::uint64_t pid);

    // ---- steps and orders

    void begin_step();
    void begin_order(spec::ProcId actor) { at_work_.push_back({actor, std::nullopt}); }
    void end_order(spec::ProcId actor);
    // It has an order and has not asked since.
    bool is_at_work(spec::ProcId who) const;
    // What the order came to of one that has asked since: Returned or Restarted.
    std::optional<spec::Completion> result_of(spec::ProcId actor) const;
    // How many have an order: one, or two whose steps overlap.
    std::size_t orders() const { return at_work_.size(); }

    // `parent` is told to fork; what comes up with its tag is `child`.
    void expect_child(spec::ProcId parent, spec::ProcId child) { expected_.push_back({parent, child}); }
    bool expects_child_of(spec::ProcId parent) const;
    void abandon_child_of(spec::ProcId parent);
    // `actor` is told to exec: it may come back with another page table and no tag.
    void begin_exec(spec::ProcId actor) { exec_by_ = actor; }
    void end_exec() { exec_by_.reset(); }

  private:
    // A fork that has not shown its child yet.
    struct ExpectedChild {
        spec::ProcId parent;
        spec::ProcId child;
        std::uint64_t pid = 0;  // once fork has returned it
    };
    // A process that was given an order: it is at work until it asks again.
    struct AtWork {
        spec::ProcId who;
        std::optional<spec::Completion> result;
    };

    std::vector<Agent>::iterator place_of(spec::ProcId id);
    tl::expected<spec::ProcId, spec::Lost> welcome(Call const& call);
    std::vector<ExpectedChild>::iterator expected_with(std::uint64_t tag);
    void note_result(spec::ProcId who, spec::Completion const& result);

    std::vector<Agent> agents_;
    std::vector<Agent> ended_;
    std::vector<spec::ProcId> ended_unasked_;
    std::optional<spec::ProcId> current_;
    std::vector<AtWork> at_work_;
    std::vector<ExpectedChild> expected_;  // at most one for each at work
    std::optional<spec::ProcId> exec_by_;  // has not answered yet
};

}  // namespace vmcheck
