#pragma once
// Shrinks a failing program while it goes on failing in the same way: same invariant, same kind of step. An overlap
// that is not needed goes, whichever of the two steps then fails.
//
// Candidates are first judged on the model alone (a step that cannot be asked is no candidate), then run on all
// machines at a time, and the first of them in order that still fails is taken: the result does not depend on threads.

#include "checker/run/machine_pool.h"
#include "checker/run/result.h"
#include "checker/run/stepper.h"
#include "spec/program.h"

#include <cstdint>
#include <stop_token>

namespace vmcheck::shrink {

struct ShrinkBudget {
    // Candidates run on the kernel, at most; the best program so far is the result.
    std::uint32_t executions = 4'000;
};

struct Shrunk {
    run::Run run;                  // of the smallest program found; ends with the divergence
    std::uint32_t executions = 0;  // candidates run
    bool exhausted = false;        // the budget ended it: a smaller program may exist
};

// REQUIRES: `failing` has a divergence.
Shrunk shrink(run::MachinePool& pool, run::Reference const& reference, run::Run failing, ShrinkBudget budget,
              std::stop_token stop);

}  // namespace vmcheck::shrink
