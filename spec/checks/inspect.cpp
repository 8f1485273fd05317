#include "spec/checks/frame_map.h"
#include "spec/invariants.h"

#include <algorithm>

namespace vmcheck::spec {

namespace {

// I7: a child that has ended is there until its parent has waited for it. Counted where results are.
Checked lost_children_in(FrameMap const& map) {
    Checked checked;
    auto const& seen = map.observation().zombies;
    if (!seen) return checked;
    for (auto const& [id, process] : map.world().processes())
        if (process.life == Life::zombie && !process.perhaps_reaped &&
            std::find(seen->begin(), seen->end(), id) == seen->end())
            checked.add({.invariant = Invariant::results, .process = id, .facts = ChildLost{}});
    return checked;
}

}  // namespace

std::vector<Violation> inspect(World const& world, Observation const& observation,
                               std::optional<Baseline> const& baseline, CheckCounts& counts) {
    std::vector<Violation> violations;
    if (world.over()) return violations;  // the machine has stopped, rightly: there is nothing to hold it to
    FrameMap const map{world, observation};
    auto const add = [&](Invariant invariant, Checked checked) {
        auto const index = static_cast<std::size_t>(invariant);
        counts.evaluated[index] += checked.judged ? 1 : 0;
        counts.skipped[index] += checked.skipped ? 1 : 0;
        violations.insert(violations.end(), std::make_move_iterator(checked.violations.begin()),
                          std::make_move_iterator(checked.violations.end()));
    };
    // What the user can see comes first, then what will become visible, then what is only lost.
    add(Invariant::contents, contents_in(map));
    add(Invariant::isolation, isolation_in(map));
    add(Invariant::rights, rights_in(map));
    add(Invariant::dangling, dangling_in(map));
    add(Invariant::results, lost_children_in(map));
    add(Invariant::counts, counts_in(map));
    add(Invariant::laziness, laziness_in(map));
    add(Invariant::conservation, conservation_in(map, baseline));
    return violations;
}

}  // namespace vmcheck::spec
