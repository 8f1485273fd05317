#pragma once
// The time of a step: what is left of its budget, how long its orders take, and when one of them is interrupted. In the
// board's units, executed code; never the host's clock.

#include "impl/board/board.h"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace vmcheck {

class StepTime {
  public:
    // REQUIRES: `board` outlives this.
    explicit StepTime(board::Board& board) : board_(board) {}

    // A step begins. It has `budget`, and may be given more: `most` in all.
    void begin(board::Parcels budget, board::Parcels most);
    board::Parcels began() const { return began_; }
    // 0: it is spent.
    board::Parcels left() const;
    bool half_is_spent() const;
    // What is left until it may have run for long without getting on. 0: it was told so already.
    board::Parcels until_long() const;
    // Once in a step, when it has: for longer than most steps do, and hardly any memory was written anew.
    bool becomes_long();
    bool may_extend() const { return deadline_ < latest_deadline_; }
    // Gives it as much again as it has had. False: it has had the most.
    bool extend();

    // The next order is interrupted by the timer after so much code, and what follows with it where it ends sooner.
    // Until end_interruption() or the next begin().
    void interrupt_after(board::Parcels code) { interrupt_in_ = code; }
    // After so many blocks of the next order another hart goes on. Until the same.
    void switch_hart_after(board::Blocks blocks) { switch_in_ = blocks; }
    void end_interruption();
    // Whether the next order is to be interrupted, or its hart.
    bool interrupts_next() const { return interrupt_in_ || switch_in_; }

    void order_begins();
    void order_ended();

    // From the first order of the step to the latest answer.
    struct Work {
        board::Parcels start, end;
        std::uint64_t blocks;  // executed in it
    };
    Work work() const { return {order_began_.value_or(began_), order_ended_, blocks_at_end_ - blocks_at_start_}; }

    // Runs the board, with the interruption if it is due within that.
    board::Stop run(board::Parcels code);

  private:
    board::Board& board_;
    board::Parcels began_{0};
    board::Parcels deadline_{0};
    board::Parcels latest_deadline_{0};
    bool is_long_ = false;
    board::Parcels next_look_{0};
    std::size_t dirty_at_look_ = 0;
    std::optional<board::Parcels> order_began_;   // the step's first
    board::Parcels order_ended_{0};               // its latest
    std::uint64_t blocks_at_start_ = 0;           // of the step's first order, by the board's count
    std::uint64_t blocks_at_end_ = 0;             // of its latest
    std::optional<board::Parcels> interrupt_in_;  // from the next order on
    std::optional<board::Parcels> interrupt_at_;
    std::optional<board::Blocks> switch_in_;  // from the next order on
    std::optional<std::uint64_t> switch_at_;  // by the board's count of blocks
};

}  // namespace vmcheck
