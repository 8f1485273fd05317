#pragma once
// Grounding: a step with its symbolic addresses replaced by the absolute ones that they stand for at that moment.

#include "spec/program.h"
#include "spec/world.h"

namespace vmcheck::spec {

// REQUIRES: the step's actor is running in `world`.
Step ground(World const& world, Step const& step);

}  // namespace vmcheck::spec
