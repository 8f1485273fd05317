#pragma once
// The rules: for each kind of step, all that correct kernels may answer. process.cpp, memory.cpp and copy.cpp have one
// function for each kind. Internal to spec/; answer.h is what others use.

#include "spec/answer.h"

#include <vector>

namespace vmcheck::spec {

// What is answered: `step`, asked in `world`. Both outlive every answer.
struct Question {
    World const& world;
    Step const& step;

    ProcId actor() const { return step.actor; }
    VirtAddr at(Address address) const { return world.resolve(step.actor, address); }
};

using Answers = std::vector<Answer>;

Answers answers(Question question, Fork const& fork);
Answers answers(Question question, Exit const& exit);
Answers answers(Question question, Wait const& wait);
Answers answers(Question question, Kill const& kill);
Answers answers(Question question, Exec const& exec);
Answers answers(Question question, Sbrk const& sbrk);
Answers answers(Question question, Load const& load);
Answers answers(Question question, Store const& store);
Answers answers(Question question, Touch const& touch);
Answers answers(Question question, Fetch const& fetch);
Answers answers(Question question, SetSp const& set_sp);
Answers answers(Question question, PipeWrite const& write);
Answers answers(Question question, PipeRead const& read);
Answers answers(Question question, FileRead const& read);
Answers answers(Question question, Fstat const& fstat);
Answers answers(Question question, Pipe const& pipe);
Answers answers(Question question, Open const& open);
Answers answers(Question question, Yield const& yield);

// ---- what several rules share

// What an outcome returned. REQUIRES: it returned (its answer's result shows it).
std::uint64_t value_of(Outcome const& outcome);

// The state when nothing changed but for what the last step left open.
World unchanged(World const& world);

// -1 for want of memory, and nothing changed.
Answer fails_for_memory(Question question, WantOfMemory excuse = {});

// Of all zombies and living: whose pid it is; null: nobody's. p0's is not known.
Process const* with_pid(World const& world, std::uint64_t pid);

// Pids are ints (proc.h), and so are descriptors.
inline constexpr std::uint64_t kIntMax = 0x7fff'ffff;

}  // namespace vmcheck::spec
