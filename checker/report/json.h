#pragma once
// The report as JSON. Holds nothing that depends on the machine's speed or on the number of threads: the same seed and
// effort give the same bytes. The format is described in checker/report/README.md.

#include "checker/report/finding.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace vmcheck::report {

// What was asked for and how much was done, for one kernel.
struct Session {
    TargetSummary kernel;
    std::uint64_t seed = 0;
    run::Tally tally;
    bool interrupted = false;
    std::vector<spec::Violation> boot_violations;  // of a kernel that is wrong before anything was asked of it
    std::size_t signatures = 0;                    // different failures seen; at least findings.size()
    std::vector<Finding> findings;
};

nlohmann::ordered_json to_json(Finding const& finding);
nlohmann::ordered_json to_json(Session const& session);
// The whole document: one object with a version and one entry for each kernel.
std::string json_document(std::vector<Session> const& sessions);

}  // namespace vmcheck::report
