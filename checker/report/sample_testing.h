#pragma once
// Findings to try the reports on: a realistic one, variations of it, and any at all. Test-only.

#include "checker/report/session.h"

#include <gtest/gtest.h>

#include <rapidcheck.h>

#include <string_view>

namespace vmcheck::report::testing {

// The parent's PTE keeps W at fork; as seen on an xv6 kernel with debug information.
Finding parent_keeps_w();

// A solid finding of that program text (corpus grammar) in which the last step gave `seen` instead of `expected`. The
// steps before gave `earlier`, in order.
Finding finding_of(spec::Invariant invariant, std::string_view program, std::vector<std::string> earlier,
                   std::string_view expected, std::string_view seen);

// A kernel with these findings; every invariant was evaluated.
Session session_with(std::vector<Finding> findings);

// Any bytes, those that formats trip over more often than others.
rc::Gen<std::string> any_bytes();

// A session whose every text that could come from a kernel is any bytes.
rc::Gen<Session> any_session();

}  // namespace vmcheck::report::testing
