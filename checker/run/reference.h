#pragma once
// What a kernel is measured against, and the first look at it, before anything is asked of it.

#include "impl/target.h"
#include "spec/invariants.h"
#include "spec/world.h"

#include <memory>
#include <optional>
#include <vector>

namespace vmcheck::run {

// Made once for each target, shared by the workers.
struct Reference {
    std::shared_ptr<spec::Setting const> setting;
    std::optional<spec::Baseline> baseline;
};
// Looks at the machine right after boot. Violations are those of a kernel that is wrong before anything was asked of
// it.
struct FirstLook {
    Reference reference;
    std::vector<spec::Violation> violations;
};
FirstLook first_look(Execution& execution, std::shared_ptr<spec::Setting const> setting);

}  // namespace vmcheck::run
