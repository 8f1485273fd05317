#pragma once
// The invariants that relate the abstract machine to the picture of the real one, each its own function: I1...I6, I8,
// and of I7 that the break is right and no child is lost. (The rest of I7, I9 and I10 judge outcomes: advance.h.) Every
// function appends what it finds; an empty vector means that it holds.

#include "spec/observation.h"
#include "spec/violation.h"
#include "spec/world.h"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace vmcheck::spec {

// How often each invariant was evaluated, and why one was not: nothing is skipped silently.
struct CheckCounts {
    std::array<std::uint64_t, kInvariants + 1> evaluated{};  // by invariant number; index 0 unused
    std::array<std::uint64_t, kInvariants + 1> skipped{};

    void add(CheckCounts const& other) {
        for (std::size_t i = 0; i < evaluated.size(); ++i) {
            evaluated[i] += other.evaluated[i];
            skipped[i] += other.skipped[i];
        }
    }
};

// What conservation (I6) is measured against: taken when p0 is alone, right after boot.
struct Baseline {
    std::uint64_t accounted_frames = 0;  // free + reachable then
    std::uint64_t lost = 0;              // of these, since; what still hangs on a process may come back at its end
};
// Nothing when the observation has no free-frame census, or what processes hold beside varies.
std::optional<Baseline> take_baseline(World const& world, Observation const& observation);

// Where some of what was lost is seen to have come back, it is not lost any more. REQUIRES: inspect() found nothing.
Baseline without_found(Baseline baseline, World const& world, Observation const& observation);

// All of them, in an order that puts the most telling first, but for what is known (Setting::known_wrong); of each
// invariant the first few violations of many alike. Adds to `counts`, where I7, I9 and I10 are counted by the caller
// once per advance().
inline constexpr std::size_t kViolationsMax = 8;
std::vector<Violation> inspect(World const& world, Observation const& observation,
                               std::optional<Baseline> const& baseline, CheckCounts& counts);

// Says of each break that is not where it should be how it was moved. `before`: the state before `step`.
void explain_breaks(World const& before, Step const& step, std::vector<Violation>& violations);

// Changes `setting` so that programs can be judged although inspect() saw this of p0 right after boot: the rights that
// the image has are taken for those that it should have, wrong bytes for unknown ones, and what cannot be put so is
// known and not told again. False where nothing could be judged: p0's memory is lost, or free.
bool put_up_with(Setting& setting, std::vector<Violation> const& at_boot);

}  // namespace vmcheck::spec
