#pragma once
// What a session says of each invariant; for the formats that know passed, failed and skipped.

#include "checker/finding/finding.h"

#include <optional>
#include <string>
#include <vector>

namespace vmcheck::report {

struct InvariantVerdict {
    enum class State {
        passed,  // or broken by what other findings are about alone: beside
        failed,
        skipped,         // it could not be looked at, or not to the end
        not_applicable,  // the kernel has nothing that it is about
    };
    spec::Invariant invariant;
    State state = State::passed;
    std::vector<std::size_t> findings;  // indices into SessionResult::findings: the solid defects of this invariant
    // Solid defects of other invariants that break this one too (Finding::also): not counted again.
    std::vector<std::size_t> beside{};
    std::uint64_t evaluated = 0;
    std::string text;  // failed: the text report; skipped: why; passed: how often it was evaluated
};

// One for each invariant, I1 to I10. A kernel that is wrong right after boot fails what is wrong and skips the rest.
// Nothing passes in a session that was not run to its end.
std::vector<InvariantVerdict> verdicts(SessionResult const& session);

// "findings 1, 3", by their indices.
std::string numbers_of(std::vector<std::size_t> const& findings);

// Why nothing can be said to have passed, as a sentence without its full stop: "interrupted after 12 programs". Nothing
// where the session was run to its end.
std::optional<std::string> why_incomplete(SessionResult const& session);

// The profile in front, so that the sessions of one kernel in several profiles can be told apart: "cow fork, lazy
// sbrk".
std::string name_of(SessionResult const& session);

// Solid findings that are defects; advice and flaky ones do not count.
std::size_t defects_in(SessionResult const& session);

}  // namespace vmcheck::report
