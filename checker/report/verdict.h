#pragma once
// What a session says of each invariant; for the formats that know passed, failed and skipped.

#include "checker/finding/finding.h"

#include <string>
#include <vector>

namespace vmcheck::report {

struct InvariantVerdict {
    enum class State { passed, failed, skipped };
    spec::Invariant invariant;
    State state = State::passed;
    std::vector<std::size_t> findings;  // indices into SessionResult::findings: the solid defects of this invariant
    std::uint64_t evaluated = 0;
    std::string text;  // failed: the text report; skipped: why; passed: how often it was evaluated
};

// One for each invariant, I1 to I10. A kernel that is wrong right after boot fails what is wrong and skips the rest.
std::vector<InvariantVerdict> verdicts(SessionResult const& session);

// The profile in front, so that the sessions of one kernel in several profiles can be told apart: "cow fork, lazy
// sbrk".
std::string name_of(SessionResult const& session);

// Solid findings that are defects; advice and flaky ones do not count.
std::size_t defects_in(SessionResult const& session);

}  // namespace vmcheck::report
