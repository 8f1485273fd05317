#include "spec/invariants.h"
#include "spec/picture.h"

namespace vmcheck::spec {

std::vector<Violation> check_contents(World const& world, Observation const& observation) {
    return contents_in(Picture{world, observation}).violations;
}
std::vector<Violation> check_rights(World const& world, Observation const& observation) {
    return rights_in(Picture{world, observation}).violations;
}
std::vector<Violation> check_isolation(World const& world, Observation const& observation) {
    return isolation_in(Picture{world, observation}).violations;
}
std::vector<Violation> check_counts(World const& world, Observation const& observation) {
    return counts_in(Picture{world, observation}).violations;
}
std::vector<Violation> check_dangling(World const& world, Observation const& observation) {
    return dangling_in(Picture{world, observation}).violations;
}
std::vector<Violation> check_conservation(World const& world, Observation const& observation,
                                          std::optional<Baseline> const& baseline) {
    return conservation_in(Picture{world, observation}, baseline).violations;
}
std::vector<Violation> check_laziness(World const& world, Observation const& observation) {
    return laziness_in(Picture{world, observation}).violations;
}

std::vector<Violation> inspect(World const& world, Observation const& observation,
                               std::optional<Baseline> const& baseline, CheckCounts& counts) {
    std::vector<Violation> violations;
    if (world.over()) return violations;  // the machine has stopped, rightly: there is nothing to hold it to
    Picture const picture{world, observation};
    auto const add = [&](Invariant invariant, Checked checked) {
        auto const index = static_cast<std::size_t>(invariant);
        counts.evaluated[index] += checked.judged ? 1 : 0;
        counts.skipped[index] += checked.skipped ? 1 : 0;
        violations.insert(violations.end(), std::make_move_iterator(checked.violations.begin()),
                          std::make_move_iterator(checked.violations.end()));
    };
    // What the user can see comes first, then what will become visible, then what is only lost.
    add(Invariant::contents, contents_in(picture));
    add(Invariant::isolation, isolation_in(picture));
    add(Invariant::rights, rights_in(picture));
    add(Invariant::dangling, dangling_in(picture));
    add(Invariant::counts, counts_in(picture));
    add(Invariant::laziness, laziness_in(picture));
    add(Invariant::conservation, conservation_in(picture, baseline));
    return violations;
}

}  // namespace vmcheck::spec
