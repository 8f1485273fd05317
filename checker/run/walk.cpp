#include "checker/run/walk.h"

#include "checker/run/closing.h"
#include "spec/advance.h"
#include "spec/overlap.h"

namespace vmcheck::run {

bool overlaps(Stepper const& stepper, Steps steps, std::size_t i) {
    return i + 1 < steps.size() && steps[i + 1].faults.meanwhile &&
           !spec::why_not_together(stepper.world(), {steps[i], steps[i + 1]});
}

void take_step(Stepper& stepper, Steps steps, std::size_t& i) {
    if (overlaps(stepper, steps, i)) {
        stepper.overlap({steps[i], steps[i + 1]});
        ++i;
    } else if (spec::why_not(stepper.world(), steps[i])) {
        stepper.leave_out();
    } else {
        stepper.perform(steps[i]);
    }
    ++i;
}

void take_steps(Stepper& stepper, Steps steps) {
    for (std::size_t i = 0; i < steps.size() && !stepper.done();) take_step(stepper, steps, i);
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
