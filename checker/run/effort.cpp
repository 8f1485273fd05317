#include "checker/run/effort.h"

namespace vmcheck::run {

std::string_view to_string(Mode mode) {
    switch (mode) {
        case Mode::plain:
            return "plain";
        case Mode::sweep:
            return "allocation faults";
        case Mode::pressure:
            return "memory pressure";
        case Mode::preempt:
            return "preemption";
        case Mode::harts:
            return "several harts";
        case Mode::limits:
            break;
    }
    return "limits";
}

std::optional<Level> parse_level(std::string_view name) {
    if (name == "quick") return Level::quick;
    if (name == "default") return Level::normal;
    if (name == "thorough") return Level::thorough;
    return std::nullopt;
}

std::uint64_t programs_of(Level level) {
    switch (level) {
        case Level::quick:
            return 1'500;
        case Level::normal:
            return 3'000;
        case Level::thorough:
            break;
    }
    return 100'000;
}

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
