#pragma once
// The rules: for each kind of step, all that correct kernels may answer. process.cpp, memory.cpp and copy.cpp have one
// function for each kind. Internal to spec/; answer.h is what others use.

#include "spec/answer.h"
#include "spec/violation.h"

#include <optional>
#include <span>
#include <string>
#include <utility>
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

// What exec finds as arguments: pointers to strings, up to a null.
struct ArgumentsSeen {
    enum class End : std::uint8_t {
        complete,
        refused,  // at a byte that cannot be read
        unclear,  // where nobody knows what is there, or after more, or longer ones, than a kernel need take
    };
    End end = End::complete;
    bool sure = true;  // every kernel takes all that was read
    std::vector<std::vector<std::byte>> strings{};
    std::vector<std::pair<VirtAddr, std::size_t>> read{};  // where, and how much
};
ArgumentsSeen arguments_seen(World const& world, ProcId actor, VirtAddr at);

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

// ---- the shared pipe's possible contents, and how a step multiplies them

// A failed copy through the pipe leaves open how far it came; a step that could leave more than this many
// possibilities is not asked.
inline constexpr std::size_t kPipeAlternativesMax = 4096;

// `contents` without its first `count` bytes, for each count from `least` to `most`; fewer where it has fewer.
std::vector<PipeContents> after_taking(PipeContents const& contents, std::size_t least, std::size_t most);

// Each of `contents` with the first `count` bytes of `data` behind it, for each count from `least` to `most`.
std::vector<PipeContents> after_adding(std::vector<PipeContents> const& contents, std::span<std::byte const> data,
                                       std::size_t least, std::size_t most);

void append(std::vector<PipeContents>& to, std::vector<PipeContents> const& more);

// ---- what advance() and overlap.h ask beside the answers

// In which way the outcome is none of the answers allowed: a violation of I7 or I9 with all its facts. `given`:
// allowed() of the step. REQUIRES: none of those that may be given shows the outcome.
Violation mistake_in(Question question, Outcome const& outcome, FrameCensus const& before, Answers const& given);

// Whether a panic says no more than that p0 has ended: xv6's exit() panics with "init exiting". A panic of any other
// name is a failure to contain the failed allocation. Where the message is unknown, the kernel has the benefit.
bool is_end_of_init(Panicked const& panicked);

// The step sleeps in the kernel until another process does something: a wait for a child that runs, a read of a pipe
// that is surely empty. REQUIRES: the step's actor is running.
bool would_sleep(World const& world, Step const& step);

// As why_not(), but a step that would sleep may be asked.
std::optional<std::string> why_not_even_asleep(World const& world, Step const& step);

}  // namespace vmcheck::spec
