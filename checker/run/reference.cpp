#include "checker/run/reference.h"

#include <utility>

namespace vmcheck::run {

FirstLook first_look(Execution& execution, std::shared_ptr<spec::Setting const> setting) {
    execution.reset();
    spec::World const world = spec::World::initial(setting);
    spec::Observation const seen = execution.observe();
    FirstLook look;
    look.reference = {std::move(setting), spec::take_baseline(world, seen)};
    spec::CheckCounts counts;
    look.violations = spec::inspect(world, seen, look.reference.baseline, counts);
    return look;
}

}  // namespace vmcheck::run
