#pragma once
// Whether a step can be asked, in the finer sense that overlapping steps need. Internal to spec/; advance.h has
// why_not().

#include "spec/advance.h"

namespace vmcheck::spec {

// The step sleeps in the kernel until another process does something: a wait for a child that runs, a read of a pipe
// that is surely empty. REQUIRES: the step's actor is running.
bool would_sleep(World const& world, Step const& step);

// As why_not(), but a step that would sleep may be asked.
std::optional<std::string> why_not_even_asleep(World const& world, Step const& step);

}  // namespace vmcheck::spec
