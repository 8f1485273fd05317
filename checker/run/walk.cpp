#include "checker/run/walk.h"

#include "checker/run/closing.h"
#include "spec/walk.h"

namespace vmcheck::run {

bool overlap_comes(Stepper const& stepper, Steps rest) {
    return std::holds_alternative<spec::Pair>(spec::next_turn(stepper.world(), rest));
}

void take_turn(Stepper& stepper, Steps& rest) {
    spec::Turn const turn = spec::next_turn(stepper.world(), rest);
    if (auto const* pair = std::get_if<spec::Pair>(&turn))
        stepper.overlap(*pair);
    else if (std::holds_alternative<spec::LeftOut>(turn))
        stepper.leave_out();
    else
        stepper.perform(rest.front());
    rest = rest.subspan(spec::steps_in(turn));
}

void take_steps(Stepper& stepper, Steps steps) {
    while (!steps.empty() && !stepper.done()) take_turn(stepper, steps);
}

void close(Stepper& stepper) {
    // Asked one after the other, since each depends on the state that the one before has left.
    while (!stepper.done()) {
        auto const step = next_ending(stepper.world());
        if (!step) break;
        stepper.perform(*step);
    }
    if (stepper.done()) return;
    if (auto const step = heap_returned(stepper.world())) stepper.perform(*step);
}

}  // namespace vmcheck::run
