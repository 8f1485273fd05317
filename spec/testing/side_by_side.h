#pragma once
// Model and concrete machine run side by side, as the checker does it with a real kernel. Test-only.

#include "spec/advance.h"
#include "spec/invariants.h"
#include "spec/testing/concrete_machine.h"

#include <memory>
#include <optional>

namespace vmcheck::spec::testing {

class SideBySide {
  public:
    explicit SideBySide(std::shared_ptr<Setting const> const& setting, PlantedDefect defect = PlantedDefect::none,
                        Manners manners = {});

    // Does the step on both sides. The first violation, if any; the pair is of no further use then.
    // REQUIRES: !why_not(world(), step).
    std::optional<Violation> perform(Step const& step);

    World const& world() const { return world_; }
    CheckCounts const& counts() const { return counts_; }

  private:
    ConcreteMachine machine_;
    World world_;
    std::optional<Baseline> baseline_;
    CheckCounts counts_;
};

}  // namespace vmcheck::spec::testing
