#pragma once
// Proves that a machine makes no progress, however long one waits: that it goes in circles. A step that takes long is
// slow; one of which this can be shown never ends.

#include "impl/board/board.h"
#include "spec/observation.h"

#include <optional>

namespace vmcheck {

// How a machine goes in circles.
struct Circle {
    spec::Stuck::Why why = spec::Stuck::Why::circles;  // or same_trap
    VirtAddr at;                                       // a place in it; of same_trap, the instruction that traps
    std::uint64_t cause = 0;                           // of same_trap
    std::uint64_t value = 0;
    bool others_run = false;  // interrupts are taken in it, and so others get their turns
};

// Nothing: none can be shown. The board is afterwards as it was, but for what it remembers for reports.
// REQUIRES: the board stands on a golden image.
std::optional<Circle> find_circle(board::Board& board);

// The same of a circle of few blocks, which it takes little time to see: an instruction that traps again and again with
// nothing changed in memory or, on one hart, a loop of the kernel that takes no interrupts.
std::optional<Circle> find_short_circle(board::Board& board);

// Whether a machine of one hart may be idling without a wfi: it comes back to the same place, with nothing changed, but
// takes interrupts. Otherwise as find_circle().
bool may_idle(board::Board& board);

}  // namespace vmcheck
