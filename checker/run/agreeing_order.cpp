#include "checker/run/agreeing_order.h"

#include <utility>

namespace vmcheck::run {

AgreeingOrder agreeing_order(std::vector<spec::Linearisation> orders, spec::Observation const& seen,
                             std::optional<spec::Baseline> const& baseline) {
    AgreeingOrder agreed;
    for (spec::Linearisation& order : orders) {
        spec::CheckCounts counted;
        auto found = spec::inspect(order.after, seen, baseline, counted);
        if (found.empty()) {
            if (agreed.world && *agreed.world != order.after) return {.ambiguous = true};
            agreed.world = std::move(order.after);
        } else if (agreed.violations.empty()) {
            agreed.violations = std::move(found);
        }
        agreed.checks = counted;
    }
    return agreed;
}

}  // namespace vmcheck::run
