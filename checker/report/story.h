#pragma once
// A finding in a sentence, in the words of the lab.

#include "checker/finding/finding.h"

#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::report {

// "copyout"
std::string_view name_of(spec::Way way);
// "copy-on-write page", "page without PTE_U"
std::vector<std::string_view> names_of(spec::Grounds grounds);
// "copyout to or from a page without PTE_U"
std::string words_of(run::Trigger const& trigger);

// "I3 isolation"
std::string title_of(spec::Invariant invariant);

// What makes it grave: "panic", "hang", or its rank. Of what did not come back its rank.
std::string_view rank_words(Finding const& finding);

// What is wrong and what follows from it: "After p0's fork, p0's bss and p1's bss map one frame, ...: what one of them
// stores there, the other sees." One sentence. REQUIRES: the finding reproduced (it has a violation and a program).
std::string story_of(Finding const& finding);

// All of it in a few lines, for one who has nothing else: what breaks and at which step, what is wrong, what was seen
// instead of what, and how often it came. REQUIRES: as above.
std::string paragraph_of(Finding const& finding);

// Other steps at which the same failure showed: "fstat, wait, fork (I10 containment)"; empty where there are none.
std::string likewise_at(Finding const& finding);
// Other lines that such failures point at: "usertrap, kernel/trap.c:77; copyin, kernel/vm.c:429"; empty where there are
// none.
std::string likewise_points_at(Finding const& finding);

}  // namespace vmcheck::report
