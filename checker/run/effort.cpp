#include "checker/run/effort.h"

namespace vmcheck::run {

std::string_view to_string(Mode mode) {
    constexpr std::array<std::string_view, kModes> kNames{"plain",      "allocation faults", "memory pressure",
                                                          "preemption", "several harts",     "limits"};
    return kNames[static_cast<std::size_t>(mode)];
}

std::optional<Level> parse_level(std::string_view name) {
    if (name == "quick") return Level::quick;
    if (name == "default") return Level::normal;
    if (name == "thorough") return Level::thorough;
    return std::nullopt;
}

std::uint64_t programs_of(Level level) {
    constexpr std::array<std::uint64_t, 3> kPrograms{1'500, 3'000, 100'000};
    return kPrograms[static_cast<std::size_t>(level)];
}

void Counts::add(Counts const& other) {
    programs += other.programs;
    steps += other.steps;
    for (std::size_t i = 0; i < kinds.size(); ++i) kinds[i] += other.kinds[i];
    for (std::size_t i = 0; i < unfinished.size(); ++i) unfinished[i] += other.unfinished[i];
    for (std::size_t i = 0; i < modes.size(); ++i) {
        modes[i].programs += other.modes[i].programs;
        modes[i].runs += other.modes[i].runs;
        modes[i].reached += other.modes[i].reached;
    }
    second_runs += other.second_runs;
    pairs += other.pairs;
    preempted += other.preempted;
    undecided += other.undecided;
    for (auto const& [trigger, times] : other.steered) steered[trigger] += times;
    checks.add(other.checks);
}

}  // namespace vmcheck::run
