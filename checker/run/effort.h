#pragma once
// How much is done to a kernel, and how: counted in programs, never in seconds, so that verdicts repeat. And how much
// was done: programs, steps, pairs and checks, for the summary that says what a verdict rests on.

#include "checker/run/steering.h"
#include "spec/invariants.h"
#include "spec/program.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace vmcheck::run {

// A way of making the paths ordinary that defects hide on.
enum class Mode : std::uint8_t {
    plain,     // random programs, some steps of which have an allocation fail
    sweep,     // of short programs every allocation is made to fail in turn
    pressure,  // programs that start with few frames free
    preempt,   // programs in which a step is interrupted, and another process's step comes in between
    harts,     // programs in which two processes do a step each at the same time, on two or three harts
    limits,    // programs that go to an end of what there is: all frames, all processes
};
inline constexpr std::size_t kModes = 6;
// "plain", "allocation faults", "memory pressure", "preemption", "several harts", "limits"
std::string_view to_string(Mode mode);

// How often each mode was used, and met what it is there for.
struct ModeCounts {
    std::uint64_t programs = 0;
    std::uint64_t runs = 0;  // of these programs or of what follows a fault in them
    // Steps in which an allocation was made to fail, or found no frame, and did fail; of preempt and harts, steps
    // within which another process's step began; of limits, also steps that were refused or killed their process.
    std::uint64_t reached = 0;
};
// The same in words, for reports.
inline constexpr std::string_view kWhatIsReached =
    "steps that were refused a frame or a process; with preemption and several harts, steps within which another began";

// How many programs of each mode a batch holds, and of the costliest in how many batches there is one. Their sum:
// enough to keep every worker busy, few enough that a kernel's first failure ends the run soon.
struct Batch {
    std::uint32_t plain = 256;
    std::uint32_t sweep = 3;
    std::uint32_t pressure = 16;
    std::uint32_t preempt = 64;
    std::uint32_t harts = 32;
    std::uint32_t batches_to_limits = 4;  // 0: none
};

// Names for how many programs are run.
enum class Level : std::uint8_t { quick, normal, thorough };
std::optional<Level> parse_level(std::string_view name);  // "quick", "default", "thorough"
// Plain programs of an effort of that level.
std::uint64_t programs_of(Level level);

struct Effort {
    // Plain programs. The other modes go along, in the proportions of a batch.
    std::uint64_t programs = programs_of(Level::normal);
    Batch batch{};
    // Whether some steps of plain programs have an allocation fail. The other modes' are switched off by their share of
    // a batch.
    bool faults_in_plain = true;
    // Stop after this long; results then depend on the machine's speed. Nothing: only `programs` counts.
    std::optional<std::chrono::milliseconds> time{};
    // End after the batch that brought so many families of failures, and make findings of no more: for who wants to
    // know only whether there are any. By default a kernel that fails early is looked at as long as any other.
    std::uint32_t families_max = 1'000;
};

struct Counts {
    std::uint64_t programs = 0;
    std::uint64_t steps = 0;
    std::array<std::uint64_t, spec::kActionKinds> kinds{};  // steps by kind
    std::uint64_t pairs = 0;                                // of two steps that were to overlap
    std::uint64_t preempted = 0;  // of these, those of which the second began within the first
    Steered steered{};
    std::uint64_t undecided = 0;  // programs that ended because of such a pair: Run::undecided
    // Programs that ended because the kernel was too slow in their last step, by its kind: Run::unfinished.
    std::array<std::uint64_t, spec::kActionKinds> unfinished{};
    spec::CheckCounts checks{};
    std::array<ModeCounts, kModes> modes{};
    std::uint64_t second_runs = 0;  // programs that were run a second time where the first run had left the machine

    ModeCounts& of(Mode mode) { return modes[static_cast<std::size_t>(mode)]; }
    ModeCounts const& of(Mode mode) const { return modes[static_cast<std::size_t>(mode)]; }
    void add(Counts const& other);
};

}  // namespace vmcheck::run
