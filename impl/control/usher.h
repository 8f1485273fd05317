#pragma once
// The usher: brings processes to their hypercalls. When the wrong process asks, the timer interrupt is raised, and the
// kernel's own scheduler brings another one; among several harts the turn is given to the one where the process is.

#include "impl/board/board.h"
#include "impl/control/autopsy.h"
#include "impl/control/conversation.h"
#include "impl/control/harts.h"
#include "impl/control/listener.h"
#include "impl/control/orders.h"

#include <tl/expected.hpp>

#include <optional>

namespace vmcheck {

class Usher {
  public:
    // REQUIRES: all outlive the usher.
    Usher(board::Board& board, Conversation& now, Autopsy& autopsy, Harts& harts, Listener& listener)
        : board_(board), now_(now), autopsy_(autopsy), harts_(harts), listener_(listener) {}

    // Brings `who` to its hypercall. A mishap when it never gets there.
    std::optional<Mishap> bring(spec::ProcId who);
    // Has the kernel go on to another process than the one that asks.
    std::optional<Mishap> switch_process();
    // How many times others may ask before a process counts as not scheduled.
    unsigned patience() const;

    // Brings both to their hypercalls, on a hart each, so that the order that `first` is given next is done beside
    // `second`'s. False: the machine has one hart, or they do not come.
    tl::expected<bool, Mishap> bring_side_by_side(spec::ProcId first, spec::ProcId second);
    // Of several harts, each comes to a hypercall, or has had the time to find that it has nothing to do: a process
    // that has ended may have left its hart amid the last that the kernel does for it.
    std::optional<Mishap> come_to_rest();

  private:
    tl::expected<bool, Mishap> bring_while_another_is_parked(spec::ProcId who);

    board::Board& board_;
    Conversation& now_;
    Autopsy& autopsy_;
    Harts& harts_;
    Listener& listener_;
};

}  // namespace vmcheck
