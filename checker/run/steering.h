#pragma once
// Steering: what a kernel is known to fail at is left out of most programs, so that they come past it to what else is
// wrong.

#include "checker/run/result.h"
#include "spec/circumstances.h"
#include "spec/step_kinds.h"
#include "spec/world.h"

#include <compare>
#include <cstdint>
#include <map>
#include <vector>

namespace vmcheck::run {

// A step that goes this way and meets at least this fails.
struct Trigger {
    spec::Way way = spec::Way::none;
    spec::Circumstances met{};
    friend auto operator<=>(Trigger const&, Trigger const&) = default;
};

// How many steps were left out, or done without their failing allocation, because of each.
using Steered = std::map<Trigger, std::uint64_t>;

class Steering {
  public:
    // What fails in this way is to be avoided, if there is something about it that can be. Returns whether that is new.
    bool avoid(Family const& family);
    bool empty() const { return triggers_.empty(); }

    enum class Verdict : std::uint8_t { ask, ask_without_fault, leave_out };
    // What to do with the step; counts what it does. REQUIRES: the step's actor is running.
    Verdict judge(spec::World const& world, spec::Step const& step, Steered& steered) const;

  private:
    std::vector<Trigger> triggers_;
};

}  // namespace vmcheck::run
