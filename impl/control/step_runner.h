#pragma once
// Translates each kind of step into orders for the agents, and what they come to into an Outcome.

#include "impl/control/conductor.h"
#include "spec/layout.h"
#include "spec/observation.h"
#include "spec/program.h"

#include <cstdint>

namespace vmcheck {

// File descriptors that p0 has opened before the golden image is taken; every process inherits them.
struct Descriptors {
    std::uint64_t pipe_read = 0;
    std::uint64_t pipe_write = 0;
    std::uint64_t data_file = 0;
};

// Does the step. REQUIRES: its addresses are absolute; the conductor's begin_step() was called for it.
spec::Outcome run_step(Conductor& conductor, spec::Setting const& setting, Descriptors const& descriptors,
                       spec::Step const& step);

}  // namespace vmcheck
