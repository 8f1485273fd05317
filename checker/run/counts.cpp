#include "checker/run/counts.h"

namespace vmcheck::run {

void Counts::add(Counts const& other) {
    programs += other.programs;
    steps += other.steps;
    for (std::size_t i = 0; i < kinds.size(); ++i) kinds[i] += other.kinds[i];
    for (std::size_t i = 0; i < modes.size(); ++i) {
        modes[i].programs += other.modes[i].programs;
        modes[i].runs += other.modes[i].runs;
        modes[i].reached += other.modes[i].reached;
    }
    second_runs += other.second_runs;
    pairs += other.pairs;
    preempted += other.preempted;
    undecided += other.undecided;
    checks.add(other.checks);
}

}  // namespace vmcheck::run
