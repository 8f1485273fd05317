#pragma once
// Prediction: one outcome that a correct kernel with memory to spare gives. A step's meaning is a relation
// (advance.h); where it leaves a choice, this picks the plain one, so that programs can be made and judged without
// any kernel at hand.

#include "spec/observation.h"
#include "spec/program.h"
#include "spec/world.h"

#include <optional>

namespace vmcheck::spec {

struct Prediction {
    Outcome outcome;
    World after;
};

// REQUIRES: !why_not(world, step). Nothing only where the relation has no outcome among the plain ones.
std::optional<Prediction> predict(World const& world, Step const& step);

}  // namespace vmcheck::spec
