#pragma once
// Two steps at a time: the first is interrupted, sleeps, or is left half-way for another hart's turn; another process's
// step begins, and both run to their ends.
//
// The rule: what comes of two overlapping steps must be what comes of doing them one after the other, in one of the two
// orders. The memory of two processes has nothing in common that a program could see, so this asks no more of a kernel
// than each process may expect. Where kernels may do otherwise, the pair is not asked at all (why_not_together).

#include "spec/advance.h"

#include <optional>
#include <string>
#include <vector>

namespace vmcheck::spec {

struct Pair {
    Step first;   // begins first
    Step second;  // begins when the first is interrupted or sleeps, or on another hart
};

// Why the two cannot overlap in `world`, as a sentence; nothing when they can. Beyond what why_not() refuses in either
// order:
//   - a kill of the other's process, whose step may then have been done in part, unless it sleeps (and no second hart
//     takes part); two kills of one process
//   - two steps of the pipe, but for a reader that sleeps until there is something: how a copy is cut into pieces, and
//     which of them the other sees, is a kernel's own affair
//   - exec beside exec or fork: of the two processes that come up, nobody could say which is which
//   - a sleeper that waits for the end of a step of several calls or accesses (touch, file_read, pipe, open): these go
//   on
//     when the sleeper has ended
//   - both may sleep for good
std::optional<std::string> why_not_together(World const& world, Pair const& pair);

// The state after both, where a correct kernel with memory to spare gives the plain answers: advance.h.
// REQUIRES: !why_not_together(world, pair).
std::optional<World> predict(World const& world, Pair const& pair);

// What the two steps did. There is no second outcome where the machine died before the second was asked for.
struct PairOutcome {
    Outcome first;
    std::optional<Outcome> second;
};

// One order of the two that the outcomes allow.
struct Linearisation {
    bool second_comes_first = false;
    World between;  // after the one that comes first
    World after;    // after both; settled
};

struct PairVerdict {
    // Every order that is allowed; empty: none is, and `violation` says why.
    std::vector<Linearisation> orders;
    std::optional<Violation> violation{};
    bool violation_is_the_seconds = false;
    // A step sleeps, and may: what it waits for depends on a choice that the kernel had. The model cannot go on.
    bool undecided = false;
};

// `before`: the free frames before both; `seen`: the machine after both, which tells what steps left open (settle());
// null where it died. REQUIRES: !why_not_together(world, pair).
PairVerdict judge(World const& world, Pair const& pair, PairOutcome const& outcome, FrameCensus const& before,
                  Observation const* seen);

}  // namespace vmcheck::spec
