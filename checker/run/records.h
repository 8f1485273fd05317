#pragma once
// What a step did beside what it should have done, in words for a reader.

#include "checker/run/result.h"
#include "spec/observation.h"
#include "spec/overlap.h"
#include "spec/world.h"

#include <array>

namespace vmcheck::run {

// `world`: before the step. `outcome`: null where the machine died before it.
StepRecord record_of(spec::World const& world, spec::Step const& step, spec::Outcome const* outcome);

// Of two that overlapped: each in the state that it found, as far as that is known.
std::array<StepRecord, 2> records_of(spec::World const& world, spec::Pair const& pair, spec::PairOutcome const& outcome,
                                     spec::PairVerdict const& verdict);

}  // namespace vmcheck::run
