#pragma once
// Turns among several harts: which process stands at its hypercall on which hart, and which hart goes on next.
//
// Each hart stands at the hypercall of some process, is at work in the kernel, or waits for an interrupt. One that
// stands asks again whenever it gets a turn, so that nothing needs to be held back and a process is never lost sight
// of.

#include "impl/board/board.h"
#include "impl/control/roster.h"
#include "spec/program.h"

#include <array>
#include <optional>

namespace vmcheck {

// What is remembered of the harts: a value.
struct Standing {
    // Who stood at its hypercall on each, when it was last there.
    std::array<std::optional<spec::ProcId>, board::kHartsMax> at{};
    // This hart did when it last asked, so that another could go on.
    std::optional<board::HartIndex> gave_way;
};

class Harts {
  public:
    // REQUIRES: all three outlive this.
    Harts(board::Board& board, Roster const& roster, Standing& standing)
        : board_(board), roster_(roster), standing_(standing) {}

    bool several() const { return board_.harts() > 1; }

    bool stands_at_hypercall(board::HartIndex hart) const;
    // Of several harts, the one on which `who` stands at its hypercall.
    std::optional<board::HartIndex> hart_of(spec::ProcId who) const;

    // `who` has come to its hypercall on the current hart.
    void stands_now(spec::ProcId who) { standing_.at[board_.current_hart().value] = who; }
    // The current hart's process was given an order.
    void order_begins();

    void turn_to(board::HartIndex hart);
    // Lets another hart go on that is at work in the kernel, rather than that this one be interrupted. False: there is
    // none.
    bool give_way();
    // To the next hart, if it stands at a hypercall.
    void turn_to_next_that_stands();

    // The current hart stays at its hypercall and the next one goes on. Returns which one stays.
    board::HartIndex park_current();
    // Those that stand at a hypercall stay there, except `hart`.
    void park_all_that_stand_but(board::HartIndex hart);
    void release(board::HartIndex hart) { board_.park_hart(hart, false); }
    void release_all();

  private:
    board::HartIndex next() const;

    board::Board& board_;
    Roster const& roster_;
    Standing& standing_;
};

}  // namespace vmcheck
