#include "spec/walk.h"

#include "spec/advance.h"
#include "spec/step_kinds.h"

#include <utility>

namespace vmcheck::spec {

Turn next_turn(World const& world, std::span<Step const> steps) {
    if (steps.size() > 1 && steps[1].faults.meanwhile) {
        Pair pair{steps[0], steps[1]};
        if (!why_not_together(world, pair)) return pair;
    }
    if (auto why = why_not(world, steps[0])) return LeftOut{steps[0], std::move(*why)};
    return steps[0];
}

std::optional<World> predict(World const& world, Turn const& turn) {
    if (auto const* pair = std::get_if<Pair>(&turn)) return predict(world, *pair);
    if (auto const* step = std::get_if<Step>(&turn)) {
        auto prediction = predict(world, *step);
        return prediction ? std::optional{std::move(prediction->after)} : std::nullopt;
    }
    return world;
}

Walked walk(World world, std::span<Step const> steps, std::function<bool(World const&, Turn const&)> const& visit) {
    Walked walked{std::move(world)};
    while (walked.steps < steps.size() && !walked.world.over()) {
        Turn const turn = next_turn(walked.world, steps.subspan(walked.steps));
        if (!visit(walked.world, turn)) break;
        auto after = predict(walked.world, turn);
        if (!after) break;
        walked.world = std::move(*after);
        walked.steps += steps_in(turn);
    }
    return walked;
}

Step ground(World const& world, Step const& step) {
    Step grounded = step;
    for_each_address(grounded.action, [&](Address& address, Access, std::uint64_t) {
        address = Address{Anchor::absolute, static_cast<std::int64_t>(world.resolve(step.actor, address).value)};
    });
    return grounded;
}

}  // namespace vmcheck::spec
