#pragma once
// The way through a program: its steps one after the other, two at a time where they overlap, and at the end its
// closing. Steps that cannot be asked in the state reached are left out; nothing is done any more once the run is over.

#include "checker/run/stepper.h"
#include "spec/program.h"

#include <cstddef>
#include <span>

namespace vmcheck::run {

using Steps = std::span<spec::Step const>;

// Whether the step at `i` and the next one overlap, in the state reached.
bool overlaps(Stepper const& stepper, Steps steps, std::size_t i);
// Takes the step at `i`, or the two that overlap; `i` goes on behind.
void take_step(Stepper& stepper, Steps steps, std::size_t& i);
void take_steps(Stepper& stepper, Steps steps);
// Every child exits and is waited for, and p0's heap shrinks to its start: closing.h.
void close(Stepper& stepper);

}  // namespace vmcheck::run
