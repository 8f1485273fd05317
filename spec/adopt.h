#pragma once
// Going on after a violation. A kernel that has done what it must not is often in a state that is known all the same:
// frames are lost, a fresh page holds junk, a call returned a wrong value and did the right thing. A program that goes
// on from there comes to what else is wrong. Where anything is doubtful there is nothing to go on from.

#include "spec/invariants.h"
#include "spec/observation.h"
#include "spec/violation.h"
#include "spec/world.h"

#include <optional>
#include <vector>

namespace vmcheck::spec {

struct Adopted {
    World world;
    std::optional<Baseline> baseline;
};

// A step that was taken from `world`.
struct Taken {
    World const& world;
    Step const& step;
    Outcome const& outcome;
    FrameCensus const& census;  // before it
};

// After an outcome that advance() does not allow: the state that an answer which it allows leaves,
// where the machine, looked at, is in that state and in no other of these. Not where something is left that cannot be
// seen, as in a pipe.
std::optional<Adopted> adopt_answer(Taken const& taken, Observation const& seen,
                                    std::optional<Baseline> const& baseline);

// The junk in pages that a step which only reads has brought in: whatever is wrong with its answer comes of that.
std::vector<Violation> junk_read(Taken const& taken, Observation const& seen);

// After a step to `after`, of which inspect() found these: as if the junk had been there before the step, without what
// is lost. Not where a pipe is lost: it may still be open.
std::optional<Adopted> adopt_state(Taken const& taken, World const& after, std::vector<Violation> const& violations,
                                   Observation const& seen, std::optional<Baseline> const& baseline);

}  // namespace vmcheck::spec
