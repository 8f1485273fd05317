#pragma once
// What a program of this kernel's tree has to call for a step.

#include "checker/report/finding.h"

#include <cstddef>

namespace vmcheck::report {

// The action of a step of the finding's program. An sbrk that leaves it to the profile when memory comes is settled:
// where the kernel must be told, and the profile is lazy, it is an sbrk with mode lazy. REQUIRES: there is such a step.
spec::Action told_action(Finding const& finding, std::size_t step);

}  // namespace vmcheck::report
