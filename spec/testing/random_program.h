#pragma once
// Random steps for tests of spec/: any step that can be asked, wild addresses and amounts included. Test-only; the
// checker has generators of its own.

#include "spec/program.h"
#include "spec/world.h"

#include <random>

namespace vmcheck::spec::testing {

struct StepTaste {
    // One step in so many has an allocation made to fail; 0: none has.
    unsigned failing_allocation_one_in = 0;
};

// A step for which why_not(world, step) says nothing. REQUIRES: !world.over().
Step random_step(World const& world, std::mt19937_64& random, StepTaste taste = {});

// Any step at all, askable or not.
Step random_unchecked_step(World const& world, std::mt19937_64& random);

}  // namespace vmcheck::spec::testing
