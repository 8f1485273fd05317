#pragma once
// A session as the reports see it: one kernel, how much was done to it, and what was found.

#include "checker/report/finding.h"
#include "checker/run/counts.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vmcheck::report {

// What was asked for and how much was done, for one kernel.
struct Session {
    TargetSummary kernel;
    std::uint64_t seed = 0;
    run::Counts counts;
    bool interrupted = false;
    std::vector<spec::Violation> boot_violations;  // of a kernel that is wrong before anything was asked of it
    std::size_t families = 0;                      // different failures seen; at least findings.size()
    std::vector<Finding> findings;
};

}  // namespace vmcheck::report
