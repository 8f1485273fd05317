#pragma once
// Advice: what no text of the labs forbids, and a better kernel does not do. Never a reason to fail one.

#include "spec/observation.h"
#include "spec/program.h"
#include "spec/violation.h"
#include "spec/world.h"

#include <optional>

namespace vmcheck::spec {

// What a kernel could do better than `outcome` at `step`, in the words of a violation (I10); nothing as a rule.
// One thing is known: a process that stores to a page which it shares with nobody is killed for want of a frame that it
// does not need, because the kernel copies a page marked copy-on-write whoever else still refers to it.
// REQUIRES: !why_not(world, step); no copy to user memory has failed so far: after one, nobody can say who shares a
// page.
std::optional<Violation> advice_on(World const& world, Step const& step, Outcome const& outcome);

}  // namespace vmcheck::spec
