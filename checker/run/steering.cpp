#include "checker/run/steering.h"

#include <algorithm>

namespace vmcheck::run {

bool Steering::avoid(Family const& family) {
    spec::Circumstances const& met = family.circumstances;
    // A step of that kind is asked nowhere else than in such circumstances only if there are any.
    bool const can_be = !met.overlapped && !family.advice && (!met.grounds.empty() || met.refused);
    Trigger const trigger{family.way, met};
    if (!can_be || std::find(triggers_.begin(), triggers_.end(), trigger) != triggers_.end()) return false;
    triggers_.push_back(trigger);
    return true;
}

Steering::Verdict Steering::judge(spec::World const& world, spec::Step const& step, Steered& steered) const {
    if (triggers_.empty()) return Verdict::ask;
    spec::Circumstances met = spec::circumstances_of(world, step);
    met.refused = step.faults.oom.has_value();
    spec::Way const way = spec::way_of(step.action);
    for (Trigger const& trigger : triggers_) {
        // With a failing allocation it may do something else.
        bool const same = trigger.met.refused == met.refused && spec::are_within(trigger.met, met);
        if (trigger.way != way || !same) continue;
        ++steered[trigger];
        return trigger.met.refused ? Verdict::ask_without_fault : Verdict::leave_out;
    }
    return Verdict::ask;
}

}  // namespace vmcheck::run
