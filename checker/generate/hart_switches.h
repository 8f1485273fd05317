#pragma once
// Programs on several harts: where steps overlap, another hart goes on instead of a timer interrupt coming.
//
// Few switches make most races show (Burckhardt et al., "A Randomized Scheduler with Probabilistic Guarantees of
// Finding Bugs", ASPLOS 2010): one in the first of two steps, and sometimes one back from the second.

#include "spec/program.h"

#include <rapidcheck.h>

namespace vmcheck::generate {

// After how many blocks of a step another hart goes on: a page fault takes a hundred, an exec some thousands.
rc::Gen<std::uint32_t> numbers_of_blocks();

// The same programs with a switch of harts in each step that another one overlaps with, and no interrupts. How late it
// comes varies by orders of magnitude, since steps differ by as much.
// REQUIRES: `harts` is 2 or 3.
rc::Gen<spec::Program> on_several_harts(rc::Gen<spec::Program> programs, std::uint32_t harts);

}  // namespace vmcheck::generate
