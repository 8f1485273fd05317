#pragma once
// When want of memory excuses a failure. A call may fail, and a process may be killed, for want of frames only where
// frames can have been wanting: an allocation was made to fail or seen to fail, or fewer frames were free than an upper
// bound of what the step could need. Internal to spec/.

#include "spec/observation.h"
#include "spec/world.h"

#include <cstdint>

namespace vmcheck::spec {

// Frames that a correct kernel may take for a step beyond what is counted here: a trapframe, a kernel stack or two, an
// argument page, a buffer. An excuse too many by so few frames hides nothing: a kernel that is wrong here is wrong with
// thousands of frames free as well.
inline constexpr std::uint64_t kFrameSlack = 8;

// An upper bound of the frames that the step could take, page-table pages and slack included; 0 when it needs none.
// REQUIRES: the step's actor is running.
std::uint64_t frames_needed(World const& world, Step const& step);

// The same for an eager growth of the break.
std::uint64_t frames_needed_to_grow(VirtAddr from, VirtAddr to);

// Whether want of memory excuses the failure of a step that could need so many frames.
bool memory_was_short(World const& world, Outcome const& outcome, FrameCensus const& before, std::uint64_t needed);

}  // namespace vmcheck::spec
