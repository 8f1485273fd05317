#pragma once
// A finding in a sentence, in the words of the lab.

#include "checker/finding/finding.h"

#include <string>

namespace vmcheck::report {

// "I3 isolation"
std::string title_of(spec::Invariant invariant);

// What is wrong and what follows from it: "After p0's fork, p0's bss and p1's bss map one frame, ...: what one of them
// stores there, the other sees." One sentence. REQUIRES: the finding reproduced (it has a violation and a program).
std::string story_of(Finding const& finding);

// Other steps at which the same failure showed: "fstat, wait, I10 fork"; empty where there are none.
std::string likewise_at(Finding const& finding);

}  // namespace vmcheck::report
