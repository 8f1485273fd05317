#include "checker/generate/hart_switches.h"

#include "checker/generate/dice.h"

#include <utility>

namespace vmcheck::generate {

namespace {

// A page fault takes a hundred blocks, an exec some thousands.
std::uint32_t after_some_blocks(Dice& dice) {
    constexpr std::uint64_t kMagnitudes = 12;
    std::uint64_t const least = std::uint64_t{1} << dice.below(kMagnitudes);
    return static_cast<std::uint32_t>(least + dice.below(least));
}

void put_switches(spec::Program& program, Dice dice) {
    for (std::size_t i = 1; i < program.steps.size(); ++i) {
        spec::Faults& second = program.steps[i].faults;
        if (!second.meanwhile) continue;
        spec::Faults& first = program.steps[i - 1].faults;
        first.preempt.reset();
        second.preempt.reset();
        first.switch_hart = after_some_blocks(dice);
        if (dice.chance(1, 4)) second.switch_hart = after_some_blocks(dice);
    }
}

}  // namespace

rc::Gen<spec::Program> on_several_harts(rc::Gen<spec::Program> programs, std::uint32_t harts) {
    return rc::Gen<spec::Program>([programs = std::move(programs), harts](rc::Random random, int size) {
        spec::Program program = programs(random.split(), size).value();
        put_switches(program, Dice(random));
        // Two are what a program with a switch has anyway.
        if (harts > 2 && spec::harts_of(program) > 1) program.harts = harts;
        return rc::shrinkable::just(std::move(program));
    });
}

}  // namespace vmcheck::generate
