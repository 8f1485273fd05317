#pragma once
// Programs at random, guided by the model: every step is one that can be asked in the state that a correct kernel
// would be in, and arguments are drawn from the places where kernels go wrong.
//
// Swarm testing (Groce et al., "Swarm Testing", ISSTA 2012): each program uses a random subset of step kinds, so that
// rare combinations are not drowned by the ever-present ones.

#include "checker/generate/arguments.h"
#include "spec/layout.h"
#include "spec/program.h"

#include <rapidcheck.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace vmcheck::generate {

// Where steps can be interrupted, by kind: values for Faults::preempt, as they were seen in some steps of that kind.
struct Interruptions {
    std::array<std::vector<std::uint32_t>, spec::kActionKinds> by_kind{};
};

// What there is an end of.
enum class Limit : std::uint8_t { memory, processes };
inline constexpr std::array kLimits{Limit::memory, Limit::processes};

struct GeneratorConfig {
    // Steps in a program: up to this many, most programs near it. More where a limit is to be reached, or memory is
    // little and is to be used up.
    std::uint32_t steps_max = 20;
    // Processes alive at once, p0 included.
    std::uint32_t processes_max = 5;
    // Some programs have steps in which an allocation is made to fail.
    bool allocation_faults = true;
    // They start with few frames free: Program::memory.
    bool little_memory = false;
    // Every program starts by going to this limit, with all of the machine's memory free.
    std::optional<Limit> limit{};
    // Pairs of steps that overlap in a program, at most: few, since most races need no more (Burckhardt et al., "A
    // Randomized Scheduler with Probabilistic Guarantees of Finding Bugs", ASPLOS 2010).
    std::uint32_t overlaps_max = 0;
    // Some of them kill a process that sleeps. REQUIRES: one hart.
    bool kills_sleepers = false;
    std::shared_ptr<Interruptions const> interruptions{};  // null: nothing is known of them
};

// A pure generator: calling it with the same random state gives the same program, from any thread.
// Its values have no shrinks: programs are shrunk on the kernel, by their failure's signature (checker/shrink).
rc::Gen<spec::Program> programs(std::shared_ptr<spec::Setting const> setting, GeneratorConfig config);

// A step for the scene, of any kind, each as often as programs have it; may be one that cannot be asked.
rc::Gen<spec::Step> steps(Scene const& scene);

// Case `index` of the run with `seed`; depends on nothing else.
spec::Program program_of_case(rc::Gen<spec::Program> const& generator, std::uint64_t seed, std::uint64_t index);

}  // namespace vmcheck::generate
