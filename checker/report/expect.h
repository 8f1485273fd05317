#pragma once
// What a step gave against what it may give, as far as a program can see it.

#include "spec/answer.h"

#include <optional>
#include <vector>

namespace vmcheck::report {

// Whether the outcome is one of the results: what the actor got, that a new child came up, and that no other process
// ended but the one that was to. Where nothing is expected, nothing is among it.
bool is_among(std::vector<spec::Result> const& results, spec::Outcome const& outcome);

// Every right result is that the actor is killed; an exit ends it, which is something else.
bool must_be_killed(std::vector<spec::Result> const& results, spec::Step const& step);

// Every right result is -1.
bool must_fail(std::vector<spec::Result> const& results);

// One of the right results is that the step fails: by -1, or because the actor is killed.
bool may_fail(std::vector<spec::Result> const& results);

// Whether the step was seen to return -1; whether its actor was seen to be killed.
bool failed(std::optional<spec::Outcome> const& outcome);
bool was_killed(std::optional<spec::Outcome> const& outcome, spec::Step const& step);

}  // namespace vmcheck::report
