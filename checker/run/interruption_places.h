#pragma once
// Where a step can be interrupted: which of its instructions, and after which of its blocks another hart goes on.

#include "checker/run/stepper.h"
#include "impl/target.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vmcheck::run {

// At most so many of them, evenly spaced.
std::vector<std::uint32_t> thinned(std::vector<std::uint32_t> all, std::size_t most);

// After which of a step's `blocks` another hart goes on, ascending: more of them early on, where a system call tests
// and claims, than in the loops over pages that follow. Evenly spaced, and, since `phase` varies with the program, at
// any block in some program.
std::vector<std::uint32_t> switch_places(std::uint32_t blocks, std::uint32_t phase);

// Where steps of each kind can be interrupted, as seen in a few programs: the same for the same kernel.
generate::Interruptions measure_interruptions(Execution& execution, Reference const& reference);

}  // namespace vmcheck::run
