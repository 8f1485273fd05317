#pragma once
// All that is remembered of the conversation with the agents. A value, so that it can be saved and restored beside the
// machine's state.

#include "impl/target/allocation_faults.h"
#include "impl/target/harts.h"
#include "impl/target/roster.h"

namespace vmcheck {

struct Conversation {
    Roster roster;
    Standing standing;
    AllocationFaults allocations;
};

}  // namespace vmcheck
