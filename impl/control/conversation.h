#pragma once
// All that is remembered of the conversation with the agents. A value, so that it can be saved and restored beside the
// machine's state.

#include "impl/control/allocation_faults.h"
#include "impl/control/harts.h"
#include "impl/control/roster.h"

namespace vmcheck {

struct Conversation {
    Roster roster;
    Standing standing;
    AllocationFaults allocations;
};

}  // namespace vmcheck
