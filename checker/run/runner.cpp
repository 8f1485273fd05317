#include "checker/run/runner.h"

#include "spec/advance.h"
#include "spec/walk.h"

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

// ---- turns

bool overlap_comes(Stepper const& stepper, Steps rest) {
    return std::holds_alternative<spec::Pair>(spec::next_turn(stepper.world(), rest));
}

void take_turn(Stepper& stepper, Steps& rest) {
    spec::Turn const turn = spec::next_turn(stepper.world(), rest);
    rest = rest.subspan(spec::steps_in(turn));
    if (std::holds_alternative<spec::LeftOut>(turn)) return stepper.leave_out();
    if (auto const* step = std::get_if<spec::Step>(&turn)) {
        if (auto const asked = stepper.steered(*step)) stepper.perform(*asked);
        return;
    }
    spec::Pair const& pair = std::get<spec::Pair>(turn);
    auto const first = stepper.steered(pair.first), second = stepper.steered(pair.second);
    if (first && second) return stepper.overlap(pair);
    // What is left of the two: a step that would sleep needs the other.
    for (auto const& each : {first, second})
        if (each && !spec::why_not(stepper.world(), *each)) stepper.perform(*each);
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

std::optional<spec::Step> next_ending(spec::World const& world) {
    std::vector<spec::ProcId> const running = world.running();
    if (running.size() > 1) return spec::Step{running.back(), spec::Exit{0}, {}};
    if (!world.children(spec::kInit).empty()) return spec::Step{spec::kInit, spec::Wait{}, {}};
    return std::nullopt;
}

std::optional<spec::Step> heap_returned(spec::World const& world) {
    std::uint64_t const start = world.layout_of(spec::kInit).heap.value;
    std::uint64_t const brk = world.find(spec::kInit)->space->brk.value;
    // A heap that was shrunk below its start, or grown beyond what one sbrk can say, stays as it is.
    if (brk <= start || brk - start >= (std::uint64_t{1} << 31)) return std::nullopt;
    spec::Step shrink{spec::kInit, spec::Sbrk{static_cast<std::int64_t>(start - brk)}, {}};
    if (spec::why_not(world, shrink)) return std::nullopt;
    return shrink;
}

}  // namespace vmcheck::run
