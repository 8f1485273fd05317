#pragma once
// Runs one program on the model and on a kernel, side by side, and compares them after every step.
//
// The rule: before each step the free frames are counted; the kernel does the step; the model says whether that outcome
// is allowed and what state follows; then the whole machine is looked at and held against that state (I1...I10). The
// first step at which anything is amiss is where the program ends. One step: stepper.h. All of them: walk.h.

#include "checker/run/counts.h"
#include "checker/run/reference.h"
#include "checker/run/result.h"
#include "checker/run/run_options.h"
#include "impl/target.h"
#include "spec/program.h"

namespace vmcheck::run {

Run run_program(Execution& execution, Reference const& reference, spec::Program const& program, RunOptions options,
                Counts& counts);

}  // namespace vmcheck::run
