#pragma once
// The order of findings: what a student should look at first.

#include "checker/report/finding.h"

#include <string_view>
#include <vector>

namespace vmcheck::report {

// From the gravest down.
enum class Rank : std::uint8_t {
    corruption,    // the kernel panics or hangs, or memory is used after it was freed
    isolation,     // a process reaches, changes or loses memory in a way that it must not
    wrong_result,  // a wrong return value, a legal access killed, a wild one let through
    leak,          // frames that never come back
    laziness,      // right, but with more memory than was promised
};
std::string_view to_string(Rank rank);  // "corruption", "isolation", "wrong result", "leak", "laziness"

// By the invariant alone: before there is any evidence.
Rank rank_of(spec::Invariant invariant);
// A count that is too high leaks (I4), one that is too low corrupts: the evidence says which. Advice is of what is
// right and could do with less.
Rank rank_of(Finding const& finding);

// Defects before advice, then by rank, then by the case that showed it.
void sort_by_rank(std::vector<Finding>& findings);

}  // namespace vmcheck::report
