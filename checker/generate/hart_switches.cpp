#include "checker/generate/hart_switches.h"

#include "checker/generate/draw.h"
#include "checker/shrink/candidates.h"

#include <utility>

namespace vmcheck::generate {

rc::Gen<std::uint32_t> numbers_of_blocks() {
    return drawn([](Draw& draw) {
        constexpr std::uint32_t kMagnitudes = 12;
        std::uint32_t const least = 1U << draw(below(kMagnitudes));
        return least + draw(below(least));
    });
}

namespace {

void put_switches(spec::Program& program, Draw& draw) {
    auto const blocks = numbers_of_blocks();
    for (std::size_t i = 1; i < program.steps.size(); ++i) {
        spec::Faults& second = program.steps[i].faults;
        if (!second.meanwhile) continue;
        spec::Faults& first = program.steps[i - 1].faults;
        first.preempt.reset();
        second.preempt.reset();
        first.switch_hart = draw(blocks);
        if (draw(chance(1, 4))) second.switch_hart = draw(blocks);
    }
}

}  // namespace

rc::Gen<spec::Program> on_several_harts(rc::Gen<spec::Program> programs, std::uint32_t harts) {
    return rc::Gen<spec::Program>([programs = std::move(programs), harts](rc::Random random, int size) {
        spec::Program program = programs(random.split(), size).value();
        Draw draw(random);
        put_switches(program, draw);
        // Two are what a program with a switch has anyway.
        if (harts > 2 && spec::harts_of(program) > 1) program.harts = harts;
        return shrink::shrinks(std::move(program));
    });
}

}  // namespace vmcheck::generate
