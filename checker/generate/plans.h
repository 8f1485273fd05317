#pragma once
// Places that are reached only by steps that belong together: such a sequence is planned as a whole.

#include "checker/generate/generator.h"
#include "spec/program.h"
#include "spec/world.h"

#include <rapidcheck.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace vmcheck::generate {

struct PlanContext {
    spec::World const& world;
    spec::ProcId actor;  // running; makes the plan's first steps
    // The names of the next children to be forked start here, each one higher than the last.
    spec::ProcId child;
    bool allocation_faults = false;
    std::optional<std::uint32_t> memory{};  // as Program::memory
};

// Steps to be proposed one after the other, before any others; some may turn out not to be askable. May be empty.
rc::Gen<std::vector<spec::Step>> plans(PlanContext context);

// Steps that reach `limit` from p0's state after boot. Empty where the limit is not known.
rc::Gen<std::vector<spec::Step>> plans_to(Limit limit, PlanContext context);

}  // namespace vmcheck::generate
