#pragma once
// Sweeps: a program is run, and, for each of its steps that can be varied in some way, what follows the step in each of
// these variants, from just before the step. Each returns what ended with a divergence: of each family the shortest, by
// family.

#include "checker/run/effort.h"
#include "checker/run/result.h"
#include "checker/run/stepper.h"
#include "impl/target.h"
#include "spec/program.h"

#include <optional>
#include <string>
#include <vector>

namespace vmcheck::run {

// With the k-th allocation of the step failing: for k from 1 until there are no more, with gaps where there are many.
// Each is run to the end of the program and its closing. REQUIRES: no step of `program` has faults.
std::vector<Run> sweep_allocations(Execution& execution, Reference const& reference, spec::Program const& program,
                                   Counts& counts);

// For steps that overlap, with the first of them being interrupted at each place where it can be: of many places so
// many, evenly spaced. Each is run to the end of the program and its closing.
std::vector<Run> sweep_interruptions(Execution& execution, Reference const& reference, spec::Program const& program,
                                     Counts& counts);

// For steps that overlap on several harts, with the switch at other places: of many so many. What follows the two steps
// is run once only.
struct SwitchSweep {
    std::vector<Run> failures;
    std::optional<std::string> cannot_start{};  // why the kernel does not run on so many harts
};
SwitchSweep sweep_switches(Execution& execution, Reference const& reference, spec::Program const& program,
                           Counts& counts);

}  // namespace vmcheck::run
