#include "checker/run/cases.h"

#include "checker/generate/hart_switches.h"
#include "checker/run/interruption_places.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace vmcheck::run {

namespace {

generate::GeneratorConfig plain(Effort const& effort) {
    return {.allocation_faults = effort.faults_in_plain};
}

// Short, since all that follows a step is run once for each of its allocations.
generate::GeneratorConfig swept() {
    return {.steps_max = 12, .allocation_faults = false};
}

generate::GeneratorConfig pressed() {
    return {.allocation_faults = false, .little_memory = true};
}

generate::GeneratorConfig preempted(Execution& machine, Reference const& reference) {
    auto interruptions = std::make_shared<generate::Interruptions const>(measure_interruptions(machine, reference));
    // Of a frame that two processes share, each may be the last: with more, that is rare.
    return {.steps_max = 14,
            .processes_max = 3,
            .allocation_faults = false,
            .overlaps_max = 3,
            .kills_sleepers = true,
            .interruptions = std::move(interruptions)};
}

// A third hart adds little: what it does beside the other two is to take up who wakes.
std::vector<rc::Gen<spec::Program>> side_by_side(Reference const& reference) {
    auto const programs = generate::programs(
        reference.setting, {.steps_max = 14, .processes_max = 3, .allocation_faults = false, .overlaps_max = 3});
    std::vector<rc::Gen<spec::Program>> series(3, generate::on_several_harts(programs, 2));
    series.push_back(generate::on_several_harts(programs, 3));
    return series;
}

// A few steps at the limit, each of which costs as much as there is.
std::vector<rc::Gen<spec::Program>> to_limits(Reference const& reference) {
    std::vector<rc::Gen<spec::Program>> programs;
    programs.reserve(generate::kLimits.size());
    for (generate::Limit limit : generate::kLimits)
        programs.push_back(
            generate::programs(reference.setting, {.steps_max = 6, .allocation_faults = false, .limit = limit}));
    return programs;
}

// Which programs are begun first: those that take long, since workers that have nothing left to do wait for them.
constexpr std::array kLongestFirst{Mode::limits, Mode::harts, Mode::preempt, Mode::sweep, Mode::pressure, Mode::plain};
static_assert(kLongestFirst.size() == kModes);

}  // namespace

// Cases of different modes have nothing in common, whatever their numbers.
Series::Series(Mode mode, std::vector<rc::Gen<spec::Program>> programs, std::uint64_t seed)
    : mode_(mode),
      programs_(std::move(programs)),
      seed_(seed + static_cast<std::uint64_t>(mode) * 0x9e37'79b9'7f4a'7c15) {}

void Series::add_batch(std::uint64_t batch, std::uint64_t size, std::uint64_t parts, std::uint64_t whole,
                       std::vector<Case>& cases) const {
    std::uint64_t const count = size == 0 ? 0 : std::max<std::uint64_t>(batch == 0 ? 1 : 0, size * parts / whole);
    for (std::uint64_t i = 0; i < count; ++i) cases.push_back({mode_, batch * size + i, nullptr});
}

spec::Program Series::program(std::uint64_t index) const {
    return generate::program_of_case(programs_[index % programs_.size()], seed_, index);
}

Cases::Cases(Reference const& reference, Effort const& effort, std::uint64_t seed)
    : reference_(reference),
      effort_(effort),
      seed_(seed),
      sizes_{effort.batch.plain,   effort.batch.sweep, effort.batch.pressure,
             effort.batch.preempt, effort.batch.harts, 0},
      series_{
          Series{Mode::plain, {generate::programs(reference.setting, plain(effort))}, seed},
          Series{Mode::sweep, {generate::programs(reference.setting, swept())}, seed},
          Series{Mode::pressure, {generate::programs(reference.setting, pressed())}, seed},
          Series{Mode::preempt, {}, seed},
          Series{Mode::harts, side_by_side(reference), seed},
          Series{Mode::limits, to_limits(reference), seed},
      } {}

std::uint64_t Cases::plain_in(std::uint64_t batch) const {
    std::uint64_t const size = effort_.batch.plain;
    return batch > effort_.programs / size ? 0 : std::min(size, effort_.programs - batch * size);
}

std::vector<Case> Cases::batch(std::uint64_t number) const {
    std::vector<Case> cases;
    std::uint32_t const batches_to_limits = effort_.batch.batches_to_limits;
    if (batches_to_limits > 0 && number % batches_to_limits == 0)
        cases.push_back({Mode::limits, number / batches_to_limits, nullptr});
    for (std::size_t mode = 0; mode < kModes; ++mode)
        series_[mode].add_batch(number, sizes_[mode], plain_in(number), effort_.batch.plain, cases);
    return cases;
}

void Cases::prepare_preemption(Execution& machine) {
    series_[static_cast<std::size_t>(Mode::preempt)] = {
        Mode::preempt, {generate::programs(reference_.setting, preempted(machine, reference_))}, seed_};
}

spec::Program Cases::program(Case const& which) const {
    if (which.given != nullptr) return which.given->program;
    return series_[static_cast<std::size_t>(which.mode)].program(which.index);
}

// The cases by number, in stages that do not overlap, of which the first two are empty but for the first batch. There,
// the second has what takes a place in a step to interrupt, and a program that goes to a limit; the third, what takes a
// machine for little memory or with several harts. Such a machine is made when it is first asked for, which takes as
// much of the host's memory as the guest has, and so does the program. Each has a part of the plain programs, for
// workers that would wait; the first has nothing else, since they find most, and time may be up before the rest.
Stages stages_of(std::vector<Case> const& cases, bool is_first_batch) {
    Stages stages;
    auto const plain = static_cast<std::size_t>(std::ranges::count(cases, Mode::plain, &Case::mode));
    for (Mode const mode : kLongestFirst) {
        std::size_t nth = 0;
        bool const needs_no_machine = mode == Mode::limits || mode == Mode::preempt || mode == Mode::sweep;
        for (std::size_t i = 0; i < cases.size(); ++i) {
            if (cases[i].mode != mode) continue;
            std::size_t const stage = mode == Mode::plain ? nth++ * stages.size() / plain : needs_no_machine ? 1 : 2;
            stages[is_first_batch ? stage : 2].push_back(i);
        }
    }
    return stages;
}

}  // namespace vmcheck::run
