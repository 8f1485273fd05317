#pragma once
// Findings to try the reports on: a realistic one, variations of it, and any at all. Test-only.

#include "checker/finding/finding.h"

#include <gtest/gtest.h>

#include <rapidcheck.h>

#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::report::testing {

// The parent's PTE keeps W at fork; as seen on an xv6 kernel with debug information.
Finding parent_keeps_w();

// A program whose child stores to a read-only page.
inline constexpr char const* kWildStore = "vmcheck 1\nprofile cow\np0 fork p1\np1 store rodata 1 = 1\n";

// What a step did: it returned (0 for what gives no value), made a child, had its actor ended, made the kernel panic.
spec::Outcome gave(std::uint64_t value);
spec::Outcome made_child(std::uint64_t pid = 2);
spec::Outcome ended();
spec::Outcome panicked(std::string message);

// A solid finding of that program text (corpus grammar) in which the last step had an outcome that is none of
// `expected`. The steps before had `earlier`, in order, and rightly: the pid of p1 is 2, and so on.
Finding finding_of(spec::Invariant invariant, std::string_view program, std::vector<spec::Outcome> earlier,
                   std::vector<spec::Result> expected, spec::Outcome const& seen);

// A kernel with these findings; every invariant was evaluated.
SessionResult session_with(std::vector<Finding> findings);

// Any bytes, those that formats trip over more often than others.
rc::Gen<std::string> any_bytes();

// A session whose every text that could come from a kernel is any bytes.
rc::Gen<SessionResult> any_session();

}  // namespace vmcheck::report::testing
