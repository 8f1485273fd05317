#pragma once
// Which arguments of a shrunk program do not matter: what Hypothesis calls explaining.

#include "checker/finding/finding.h"
#include "checker/run/machine_pool.h"
#include "checker/run/stepper.h"

#include <vector>

namespace vmcheck::session {

// Gives each argument of `failing`, by itself, a few other values. Free is one with which the program always fails at
// the same step and in the same way. In the order of the steps, and the same on any number of machines.
// REQUIRES: a divergence, at the last step.
std::vector<FreeArgument> free_arguments(run::MachinePool& pool, run::Reference const& reference,
                                         run::Run const& failing);

}  // namespace vmcheck::session
