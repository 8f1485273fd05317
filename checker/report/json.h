#pragma once
// The report as JSON. Holds nothing that depends on the machine's speed or on the number of threads: the same seed and
// effort give the same bytes. The format is described in checker/report/README.md.

#include "checker/report/session.h"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace vmcheck::report {

nlohmann::ordered_json to_json(Finding const& finding);
nlohmann::ordered_json to_json(Session const& session);
// The whole document: one object with a version and one entry for each kernel.
std::string json_document(std::vector<Session> const& sessions);

}  // namespace vmcheck::report
