#pragma once
// The way through a program: its steps one after the other, two at a time where they overlap, and at the end its
// closing. Steps that cannot be asked in the state reached are left out; nothing is done any more once the run is over.

#include "checker/run/stepper.h"
#include "spec/program.h"

#include <span>

namespace vmcheck::run {

using Steps = std::span<spec::Step const>;

// Whether the first two of `rest` overlap, in the state reached. REQUIRES: !rest.empty().
bool overlap_comes(Stepper const& stepper, Steps rest);
// Takes the next turn (spec/walk.h); `rest` goes on behind it. REQUIRES: !rest.empty().
void take_turn(Stepper& stepper, Steps& rest);
void take_steps(Stepper& stepper, Steps steps);
// Every child exits and is waited for, and p0's heap shrinks to its start: closing.h.
void close(Stepper& stepper);

}  // namespace vmcheck::run
