#pragma once
// What steps mean. A step's meaning is a relation: given the state before, what was observed, and how many frames were
// free, advance() says whether that outcome is allowed and which state follows. Freedom that correct kernels have is
// written here, each variant with its reason.

#include "spec/observation.h"
#include "spec/program.h"
#include "spec/violation.h"
#include "spec/world.h"

#include <tl/expected.hpp>

#include <optional>
#include <string>

namespace vmcheck::spec {

// Why `step` cannot be asked in `world`, as a sentence; nothing when it can. Rejected are: an actor that is not
// running, a child name that was used before, a step that a correct kernel must answer by killing p0 (it would panic:
// /init may not end), a wait or pipe copy that would block, a break at or below the agent's own page, a store into it,
// a jump to anything but return instructions or a fault.
std::optional<std::string> why_not(World const& world, Step const& step);

// The state after `step` had `outcome`, or the invariant that this outcome breaks (I7, I9, I10).
// `before`: the free frames just before the step. REQUIRES: !why_not(world, step).
tl::expected<World, Violation> advance(World const& world, Step const& step, Outcome const& outcome,
                                       FrameCensus const& before);

// Resolves what advance() had to leave open (open_copies) by what the machine's memory shows. What fits no allowed
// variant stays as the full copy would have left it, for inspect() to report.
World settle(World world, Observation const& observation);

// One outcome that a correct kernel with memory to spare gives, and the state after it. Where the relation leaves a
// choice, this is the plain one, so that programs can be made and judged without any kernel at hand.
struct Prediction {
    Outcome outcome;
    World after;
};
// REQUIRES: !why_not(world, step). Nothing only where the relation has no outcome among the plain ones.
std::optional<Prediction> predict(World const& world, Step const& step);

}  // namespace vmcheck::spec
