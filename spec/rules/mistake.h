#pragma once
// In which way an outcome is none of the answers allowed: for whoever is to be told. Internal to spec/.

#include "spec/rules/rules.h"
#include "spec/violation.h"

namespace vmcheck::spec {

// A violation of I7 or I9 with all its facts. `given`: allowed() of the step; those whose excuse holds first.
// REQUIRES: none of those that may be given shows the outcome.
Violation mistake_in(Question question, Outcome const& outcome, FrameCensus const& before, Answers const& given);

// Whether a panic says no more than that p0 has ended: xv6's exit() panics with "init exiting". A panic of any other
// name is a failure to contain the failed allocation. Where the message is unknown, the kernel has the benefit.
bool is_end_of_init(Panicked const& panicked);

}  // namespace vmcheck::spec
