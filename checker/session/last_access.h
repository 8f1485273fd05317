#pragma once
// Who last wrote, or read, the word that a violation is about: the program is run once more, and the word watched.

#include "checker/finding/finding.h"
#include "checker/run/stepper.h"

#include <optional>

namespace vmcheck::session {

struct LastAccesses {
    std::optional<LastAccess> write{}, rise{}, read{};
};

// Of what the first violation is about. `program` ends with the failing step. REQUIRES: nobody needs `execution` to be
// quick afterwards.
LastAccesses last_accesses(Execution& execution, run::Reference const& reference, spec::Program const& program,
                           run::Divergence const& divergence);

}  // namespace vmcheck::session
