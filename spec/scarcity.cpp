#include "spec/scarcity.h"

#include <algorithm>

namespace vmcheck::spec {

std::shared_ptr<Setting const> setting_for(std::shared_ptr<Setting const> setting, Program const& program) {
    if (!program.memory) return setting;
    auto scarce = std::make_shared<Setting>(*setting);
    Traits& traits = scarce->traits;
    traits.ballast_processes = kBallastProcesses;
    traits.processes_max = std::max(traits.processes_max, kBallastProcesses + 1) - kBallastProcesses;
    return scarce;
}

}  // namespace vmcheck::spec
