#pragma once
// The way of a program through the model: which of its steps are asked, in which company, and what a correct kernel
// makes of them. Generator, shrinker, `show`, tests and the run on a kernel all go this way; it is decided here alone.
//
//     walk(World::initial(setting), program.steps, [](World const& before, Turn const& turn) { ...; return true; });

#include "spec/overlap.h"
#include "spec/program.h"
#include "spec/world.h"

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>

namespace vmcheck::spec {

// A step that cannot be asked in the state that was reached.
struct LeftOut {
    Step step;
    std::string why;  // why_not(), a sentence
};

// What comes next of a program: a step by itself, two that overlap, or a step that is left out.
using Turn = std::variant<Step, Pair, LeftOut>;

// How many steps of the program it takes up.
inline std::size_t steps_in(Turn const& turn) {
    return std::holds_alternative<Pair>(turn) ? 2 : 1;
}

// The next turn of `steps` in `world`. A step that is `meanwhile`, and may not overlap with the one before it, is done
// after it instead, by itself.
// REQUIRES: !steps.empty().
Turn next_turn(World const& world, std::span<Step const> steps);

// The state after the turn, where a correct kernel with memory to spare gives the plainest answers; nothing where
// nobody can say. Unchanged where the step is left out.
std::optional<World> predict(World const& world, Turn const& turn);

struct Walked {
    World world;            // what was reached
    std::size_t steps = 0;  // how many were taken up until then; all of them, unless the walk ended before
};

// Takes `steps` through the model. Calls `visit` with each turn and the state before it; ends where that returns false
// (the turn is then not taken), where everything is over, and where nobody can say what comes of a turn.
Walked walk(World world, std::span<Step const> steps, std::function<bool(World const&, Turn const&)> const& visit);

// The step with its symbolic addresses replaced by the absolute ones that they stand for at this moment.
// REQUIRES: the step's actor is running in `world`.
Step ground(World const& world, Step const& step);

}  // namespace vmcheck::spec
