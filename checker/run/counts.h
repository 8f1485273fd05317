#pragma once
// How much was done: programs, steps, pairs and checks, for the summary that says what a verdict rests on.

#include "checker/run/effort.h"
#include "spec/invariants.h"
#include "spec/program.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace vmcheck::run {

struct Counts {
    std::uint64_t programs = 0;
    std::uint64_t steps = 0;
    std::array<std::uint64_t, spec::kActionKinds> kinds{};  // steps by kind
    std::uint64_t pairs = 0;                                // of two steps that were to overlap
    std::uint64_t preempted = 0;  // of these, those of which the second began within the first
    std::uint64_t undecided = 0;  // programs that ended because of such a pair: Run::undecided
    spec::CheckCounts checks{};
    std::array<ModeCounts, kModes> modes{};
    std::uint64_t second_runs = 0;  // programs that were run a second time where the first run had left the machine

    ModeCounts& of(Mode mode) { return modes[static_cast<std::size_t>(mode)]; }
    ModeCounts const& of(Mode mode) const { return modes[static_cast<std::size_t>(mode)]; }
    void add(Counts const& other);
};

}  // namespace vmcheck::run
