#pragma once
// What a step may answer, as data: stated once, by allowed(). The judgement of an outcome and the prediction
// of one (advance.h), what a report says that a correct kernel does, and what a reproducer in C checks are all made
// from it.

#include "spec/observation.h"
#include "spec/program.h"
#include "spec/world.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <variant>
#include <vector>

namespace vmcheck::spec {

inline constexpr std::uint64_t kFailed = ~std::uint64_t{0};  // -1 in a0

// ---- results: what the actor of a step can see of its answer

struct Exactly {  // returns this
    std::uint64_t value = 0;
    friend bool operator==(Exactly const&, Exactly const&) = default;
};
struct AtMost {  // returns a count: this or any lower one, 0 included
    std::uint64_t most = 0;
    friend bool operator==(AtMost const&, AtMost const&) = default;
};
struct NewChild {  // fork: returns a pid that no other process has, and the child comes up
    ProcId child;
    friend bool operator==(NewChild const&, NewChild const&) = default;
};
struct PidOf {  // wait: returns the pid of this child
    ProcId child;
    std::uint64_t pid = 0;  // the kernel's
    friend bool operator==(PidOf const&, PidOf const&) = default;
};
struct SomeDescriptor {  // returns any descriptor
    friend bool operator==(SomeDescriptor const&, SomeDescriptor const&) = default;
};
struct GoesOn {  // an instruction that gives nothing: the process goes on behind it
    friend bool operator==(GoesOn const&, GoesOn const&) = default;
};
struct EndsOther {  // kill: returns 0, and this process ends
    ProcId target;
    friend bool operator==(EndsOther const&, EndsOther const&) = default;
};
struct Ends {  // the actor ends: by exit, or killed
    friend bool operator==(Ends const&, Ends const&) = default;
};
struct Restarts {  // exec: goes on at the entry of a fresh image
    friend bool operator==(Restarts const&, Restarts const&) = default;
};

using Result = std::variant<Exactly, AtMost, NewChild, PidOf, SomeDescriptor, GoesOn, EndsOther, Ends, Restarts>;

// Whether the outcome shows this result, as far as can be told without knowing who else is there.
bool shows(Result const& result, Outcome const& outcome);
// The same of a step in `world`, where a new child's pid must be nobody's.
bool shows(Result const& result, Outcome const& outcome, World const& world);

// An outcome of a step in `world` that shows the result.
Outcome outcome_showing(Result const& result, World const& world);

// ---- answers

// Why an answer is allowed. All but `required` are freedoms of correct kernels: spec/freedoms.md has each with its
// reason.
enum class Reason : std::uint8_t {
    required,            // every correct kernel with memory to spare may be held to it
    want_of_memory,      // a frame was refused, or so few were free that it may have been
    on_the_breaks_page,  // above the break, but on its page: served or fatal
    bad_byte,            // a copy meets a byte that it must refuse: -1, or the count up to there
    any_zombie,          // of several children that have ended
    perhaps_reaped,      // the child's parent was killed within a wait before
    zombie_by_pid,       // a kill finds a zombie by its pid, or looks for the living
    int_or_long,         // sbrk's amount read as 32 or as 64 bits
    below_zero,          // an sbrk below zero is refused, or does nothing
    below_the_heap,      // an sbrk into stack and image is done, or refused
    far_growth,          // a lazy sbrk promises more than the labs' tests ask for, or refuses to
    path_walk,           // what a path means that is no plain name
    inherited,           // the bare tree of the vintage does so: Traits
};

// What must be true of the machine for an answer to be right.
struct WantOfMemory {
    // Where fewer frames than this were free, one may have been refused; nothing: what the step as a whole may need.
    std::optional<std::uint64_t> frames{};
};

struct Answer {
    Result result;
    Reason reason = Reason::required;
    // Allowed only where memory was short.
    std::optional<WantOfMemory> excuse{};
    // The state that follows, for an outcome that shows the result. `world` and `step` of allowed() must still be
    // there.
    std::function<World(Outcome const&)> after;
};

// All answers of correct kernels to `step` in `world`; the plainest first. Never empty.
// REQUIRES: !why_not(world, step); both outlive the answers.
std::vector<Answer> allowed(World const& world, Step const& step);

// What a reader is told that a correct kernel does: the results of allowed(), each once; those that need an excuse
// only where `memory_was_short`. REQUIRES: !why_not(world, step).
std::vector<Result> expected_results(World const& world, Step const& step, bool memory_was_short = false);

// Whether the answer's excuse holds, of a step with this outcome and so many frames free before.
bool is_excused(Answer const& answer, World const& world, Step const& step, Outcome const& outcome,
                FrameCensus const& before);

}  // namespace vmcheck::spec
