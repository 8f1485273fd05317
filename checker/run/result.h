#pragma once
// What came of one program: the steps that were run, and where the kernel and the model parted, if they did.

#include "spec/circumstances.h"
#include "spec/invariants.h"
#include "spec/program.h"
#include "spec/step_kinds.h"
#include "spec/violation.h"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vmcheck::run {

// What makes two failures the same: the invariant and the kind of step.
struct Signature {
    spec::Invariant invariant = spec::Invariant::contents;
    std::size_t kind = 0;  // index in spec::Action
    friend auto operator<=>(Signature const&, Signature const&) = default;
};
std::string to_string(Signature signature);  // "I3 fork"

struct Divergence {
    spec::StepIndex at;                       // in Run::program
    std::vector<spec::Violation> violations;  // at least one; the first is the most telling
    Signature signature;
    spec::Circumstances circumstances{};
    std::vector<VirtAddr> died{};  // spec::Panicked::stack, where the kernel panicked
    bool advice = false;           // legal by the labs' texts, but poor: breaks no invariant
    // The state is known all the same (spec/adopt.h), so that it hides nothing: the program goes on where that is
    // wanted. So it does after advice.
    bool settled = false;
};

// One step as it went.
struct StepRecord {
    spec::Step step;
    // What a correct kernel does: spec::expected_results(). Empty: it depends on another step, which has not done what
    // it should.
    std::vector<spec::Result> expected;
    std::optional<spec::Outcome> seen;  // what this kernel did; nothing: it did not come to this step
};

struct Run {
    spec::Program
        program;  // the steps that were run: those that could not be asked are left out, the closing ones added
    std::vector<StepRecord> records;            // only where RunOptions::records
    std::optional<Divergence> divergence;       // at which it ended
    std::vector<Divergence> passed{};           // after which it went on: of each family the first
    std::optional<std::string> cannot_start{};  // why there is no machine such as the program asks for
    bool engine_failed = false;                 // the emulator did, at the last step: nothing is known of the kernel
    std::uint32_t left_out = 0;                 // steps that could not be asked in the state that had been reached
    std::uint32_t serialised = 0;  // steps that may not overlap with the one before them and were run after it
    // The last step sleeps and may, or of two that overlapped nobody can say what came first: the model cannot go on.
    bool undecided = false;
    // The kernel was too slow in the last step: nobody waits for what comes of it.
    bool unfinished = false;
};

// The ways in which a run ended or could have: at each divergence that it went on after, and at its last. Each ends
// with a divergence, in the order of the steps.
std::vector<Run> endings(Run run);

// What goes wrong, whatever the step: several invariants may show one symptom, and one invariant several.
enum class Symptom : std::uint8_t {
    died,          // the kernel panicked, or took an exception itself
    no_end,        // the step did not end, slept for nothing, or the machine went astray
    killed,        // a process, for what it may do
    refused,       // what must be done: a good address given -1
    accepted,      // what must not be: a bad address, a wild access survived
    wrong_result,  // another one
    wrong_bytes,   // or none where there must be some
    wrong_rights,
    writable_shared,
    kept,         // a frame is lost, or counted too often
    freed_early,  // a frame is free or in two places, or counted too seldom
    not_lazy,     // more memory is used than was promised, or less
    child_lost,
    stale,  // a translation is used that the page table has no more
    lab_not_done,
    break_wraps,
    break_below_zero,
    break_moved_twice,
    break_moved_by_failure,
    wrong_break,
};
Symptom symptom_of(spec::Violation const& violation);

// Which failures are one to a reader: those of one cause, as far as can be told from how they fail. A defect in copyout
// shows at fstat, at read and at wait; a panic in the code that frees memory shows at exit, at exec and at sbrk. But a
// copy to the guard page and one across a page border that go wrong are two defects. Signatures would tell the former
// apart and not the latter.
struct Family {
    Symptom symptom = Symptom::wrong_result;
    spec::Way way = spec::Way::none;
    spec::Circumstances circumstances{};
    // Where the kernel died, if it did, and who called that.
    std::vector<VirtAddr> died{};
    bool advice = false;
    friend auto operator<=>(Family const&, Family const&) = default;
};

// Whether what fails as `plain` does is all that is needed for a failure of `other`: the same goes wrong on the same
// way, and nothing but more circumstances come together. A kernel that died at the same place has died of the same.
bool explains(Family const& plain, Family const& other);

// `failed`: the step at which it shows.
Family family_of(Divergence const& divergence, spec::Step const& failed);
// REQUIRES: run.divergence.
Family family_of(Run const& run);

}  // namespace vmcheck::run
