#pragma once
// Which findings are of one mistake. A reader is shown one for each.

#include "checker/finding/finding.h"
#include "spec/layout.h"

#include <memory>
#include <vector>

namespace vmcheck::session {

// What was done to the kernel, and how its programs start.
struct Context {
    run::Counts const& counts;
    std::shared_ptr<spec::Setting const> setting;
};

// Puts the finding with those that are known: as one more where it is of a mistake of its own; otherwise into the one
// that has it already, of which the plainer one is kept to be shown.
void add(Finding finding, Context const& context, std::vector<Finding>& findings);

}  // namespace vmcheck::session
