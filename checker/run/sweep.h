#pragma once
// Sweeps: a program is run, and, for each of its steps that can be varied in some way, what follows the step in each of
// these variants, from just before the step.

#include "checker/run/effort.h"
#include "checker/run/result.h"
#include "checker/run/stepper.h"
#include "impl/target.h"
#include "spec/program.h"

#include <optional>
#include <string>
#include <vector>

namespace vmcheck::run {

struct Swept {
    std::vector<Run> failures;                  // with a divergence each: of each family the shortest, by family
    std::optional<std::string> cannot_start{};  // why the kernel does not run the program at all
};

// What is varied is the mode's:
// - sweep: the k-th allocation of the step fails, for k from 1 until there are no more, with gaps where there are many.
//   REQUIRES: no step of `program` has faults.
// - preempt: the first of two steps that overlap is interrupted at each place where it can be: of many places so many,
//   evenly spaced. As above, each variant is run to the end of the program and its closing.
// - harts: of two steps that overlap on several harts, the switch comes at other places: of many so many. What follows
//   the two steps is run once only.
Swept sweep(Execution& execution, Reference const& reference, spec::Program const& program, Mode mode, Counts& counts);

}  // namespace vmcheck::run
