#pragma once
// Two steps that overlapped may have been done in either order, as far as their outcomes say. Which of the two it was
// is seen from the machine: it has to be right for one of them.

#include "spec/invariants.h"
#include "spec/overlap.h"
#include "spec/violation.h"
#include "spec/world.h"

#include <optional>
#include <vector>

namespace vmcheck::run {

struct AgreeingOrder {
    // The state after both steps. Nothing: the machine agrees with no order, or nobody can say with which.
    std::optional<spec::World> world{};
    // It agrees with two that differ in what cannot be seen.
    bool ambiguous = false;
    // What breaks where it agrees with none: of the first order.
    std::vector<spec::Violation> violations{};
    spec::CheckCounts checks{};  // of one order
};

// REQUIRES: `orders` is not empty.
AgreeingOrder agreeing_order(std::vector<spec::Linearisation> orders, spec::Observation const& seen,
                             std::optional<spec::Baseline> const& baseline);

}  // namespace vmcheck::run
