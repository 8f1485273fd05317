#include "spec/testing/side_by_side.h"

namespace vmcheck::spec::testing {

SideBySide::SideBySide(std::shared_ptr<Setting const> const& setting, PlantedDefect defect, Manners manners)
    : machine_(setting, defect, manners),
      world_(World::initial(setting)),
      baseline_(take_baseline(world_, machine_.observe())) {}

std::optional<Violation> SideBySide::perform(Step const& step) {
    FrameCensus const before = machine_.census();
    Outcome const outcome = machine_.run(step);
    auto after = advance(world_, step, outcome, before);
    if (!after) return after.error();
    Observation const observation = machine_.observe();
    world_ = settle(std::move(*after), observation);
    auto violations = inspect(world_, observation, baseline_, counts_);
    if (violations.empty()) return std::nullopt;
    return std::move(violations.front());
}

}  // namespace vmcheck::spec::testing
