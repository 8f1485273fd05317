#include "checker/run/runner.h"

#include "checker/run/stepper.h"
#include "checker/run/walk.h"

#include <algorithm>
#include <vector>

namespace vmcheck::run {

namespace {

// The names of the first run's children are used up.
std::vector<spec::Step> renamed(std::vector<spec::Step> steps) {
    std::uint32_t highest = 0;
    for (spec::Step const& step : steps)
        if (auto const* fork = std::get_if<spec::Fork>(&step.action)) highest = std::max(highest, fork->child.value);
    auto const rename = [&](spec::ProcId& id) {
        if (id != spec::kInit) id.value += highest;
    };
    for (spec::Step& step : steps) {
        rename(step.actor);
        if (auto* fork = std::get_if<spec::Fork>(&step.action)) rename(fork->child);
        if (auto* kill = std::get_if<spec::Kill>(&step.action)) rename(kill->target);
    }
    return steps;
}

}  // namespace

Run run_program(Execution& execution, Reference const& reference, spec::Program const& program, RunOptions options,
                Counts& counts) {
    Stepper stepper(execution, reference, options, counts);
    stepper.begin(program);
    take_steps(stepper, program.steps);
    if (options.close) close(stepper);
    if (options.twice && !stepper.done()) {
        ++counts.second_runs;
        take_steps(stepper, renamed(program.steps));
        close(stepper);
    }
    return stepper.take();
}

}  // namespace vmcheck::run
