#pragma once
// What was asked of a board, in order, so that the same can be done again: from the state in which the recording began,
// it comes to the same states, instruction by instruction. For a debugger, which goes back in time by going there anew.
//
//     Recording recording;
//     Checkpoint const start = board.save();
//     board.record(&recording);
//     ... whatever is done with the board ...
//     board.record(nullptr);
//     board.restore(start);
//     for (Request const& request : recording.requests) request.again(board);

#include "impl/board/types.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace vmcheck::board {

class Board;

struct Request {
    enum class Kind : std::uint8_t {
        run,      // code is executed
        lasting,  // arms a breakpoint or the like: no part of a snapshot, so to be asked again after one is restored
        other,
        step,   // a mark of those who asked: a step of the program begins here,
        order,  // or an order that it consists of is about to be carried out
    };
    Kind kind = Kind::other;
    std::function<void(Board&)> again;
    Parcels elapsed{0};           // virtual time when it was done
    void const* saved = nullptr;  // the checkpoint that was saved here
};

// What was done from a checkpoint on that was gone back to is no part of it: it was tried, and did not happen.
struct Recording {
    std::vector<Request> requests;
};

// Is told of each instruction before a hart executes it. Instructions of all harts are told of in the order of their
// execution; one at which an interrupt is taken, or a board's breakpoint lies, may be told of twice.
class InstructionWatcher {
  public:
    // True: the hart stops before it, with stop::Breakpoint. The middle of a block is no place to run on from in the
    // same way: only a restore may follow.
    virtual bool stops_before(HartIndex hart, VirtAddr pc) = 0;

  protected:
    ~InstructionWatcher() = default;
};

}  // namespace vmcheck::board
