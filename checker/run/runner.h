#pragma once
// Runs one program on the model and on a kernel, side by side, and compares them after every step.
//
// The rule: before each step the free frames are counted; the kernel does the step; the model says whether that outcome
// is allowed and what state follows; then the whole machine is looked at and held against that state (I1...I10). The
// first step at which anything is amiss is where the program ends, or goes on from what is known. Steps that cannot be
// asked in the state reached are left out. One step: stepper.h.

#include "checker/run/effort.h"
#include "checker/run/result.h"
#include "checker/run/stepper.h"
#include "impl/target.h"
#include "spec/program.h"
#include "spec/world.h"

#include <optional>
#include <span>

namespace vmcheck::run {

Run run_program(Execution& execution, Reference const& reference, spec::Program const& program, RunOptions options,
                Counts& counts);

// ---- the turns of a program: its steps one after the other, two at a time where they overlap

using Steps = std::span<spec::Step const>;

// Whether the first two of `rest` overlap, in the state reached. REQUIRES: !rest.empty().
bool overlap_comes(Stepper const& stepper, Steps rest);
// Takes the next turn (spec/walk.h); `rest` goes on behind it. REQUIRES: !rest.empty().
void take_turn(Stepper& stepper, Steps& rest);
void take_steps(Stepper& stepper, Steps steps);
// Every child exits and is waited for, and p0's heap shrinks to its start, so that what is missing from the free list
// then is lost for good (I6).
void close(Stepper& stepper);

// Of the closing, the next step towards p0 being alone: the youngest process exits, or p0 waits for one that has.
// Nothing: it is alone.
std::optional<spec::Step> next_ending(spec::World const& world);

// p0's heap shrinks to its start. Nothing: there is no heap, or no sbrk that p0 could be asked for gives it back.
std::optional<spec::Step> heap_returned(spec::World const& world);

}  // namespace vmcheck::run
