#pragma once
// Runs one program on the model and on a kernel, side by side, and compares them after every step.
//
// The rule: before each step the free frames are counted; the kernel does the step; the model says whether that outcome
// is allowed and what state follows; then the whole machine is looked at and held against that state (I1...I10). The
// first step at which anything is amiss is where the program ends.

#include "checker/generate/generator.h"
#include "checker/run/effort.h"
#include "impl/target/target.h"
#include "spec/invariants.h"
#include "spec/program.h"
#include "spec/world.h"

#include <array>
#include <cstdint>
#include <memory>
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
    std::string panic{};  // the message, where the kernel panicked and gave one
    bool advice = false;  // legal by the labs' texts, but poor: breaks no invariant
};

// One step as it went.
struct StepRecord {
    spec::Step step;
    std::string expected;  // what a correct kernel does
    std::string seen;      // what this kernel did
};

struct Run {
    spec::Program
        program;  // the steps that were run: those that could not be asked are left out, the closing ones added
    std::vector<StepRecord> records;  // only where RunOptions::records
    std::optional<Divergence> divergence;
    std::optional<Divergence> advice{};         // the first, where the program went on after it
    std::optional<std::string> cannot_start{};  // why there is no machine such as the program asks for
    bool engine_failed = false;                 // the emulator did, at the last step: nothing is known of the kernel
    std::uint32_t left_out = 0;                 // steps that could not be asked in the state that had been reached
    std::uint32_t parted = 0;  // steps that may not overlap with the one before them and were run after it
    // The last step sleeps and may, or of two that overlapped nobody can say what came first: the model cannot go on.
    bool undecided = false;
};

struct Tally {
    std::uint64_t programs = 0;
    std::uint64_t steps = 0;
    std::array<std::uint64_t, spec::kActionKinds> kinds{};  // steps by kind
    std::uint64_t pairs = 0;                                // of two steps that were to overlap
    std::uint64_t preempted = 0;  // of these, those of which the second began within the first
    std::uint64_t undecided = 0;  // programs that ended because of such a pair: Run::undecided
    spec::CheckTally checks{};
    std::array<ModeTally, kModes> modes{};
    std::uint64_t second_runs = 0;  // programs that were run a second time where the first run had left the machine

    ModeTally& of(Mode mode) { return modes[static_cast<std::size_t>(mode)]; }
    ModeTally const& of(Mode mode) const { return modes[static_cast<std::size_t>(mode)]; }
    void add(Tally const& other);
};

// Called before and after each step, with the machine as it stands then. For evidence; costs time.
struct Watcher {
    virtual void before(spec::StepIndex at, Execution& execution) = 0;
    virtual void after(spec::StepIndex at, Execution& execution) = 0;

  protected:
    ~Watcher() = default;
};

struct RunOptions {
    // After the last step: every child exits and is waited for, and p0's heap shrinks to its start; what is missing
    // then is lost for good.
    bool close = true;
    // Then the same steps once more, from the machine as it was left (children under new names), and to their end
    // again.
    bool twice = false;
    // End at what is no more than advice, as at a divergence.
    bool stop_at_advice = false;
    Mode mode = Mode::plain;  // what it is counted as
    bool records = false;
    Watcher* watcher = nullptr;  // not owned
    // Adds where steps can be interrupted; costs time. Not owned.
    generate::Interruptions* interruptions = nullptr;
};

// What a kernel is measured against. Made once for each target, shared by the workers.
struct Reference {
    std::shared_ptr<spec::Setting const> setting;
    std::optional<spec::Baseline> baseline;
};
// Looks at the machine right after boot. Violations are those of a kernel that is wrong before anything was asked of
// it.
struct FirstLook {
    Reference reference;
    std::vector<spec::Violation> violations;
};
FirstLook first_look(Execution& execution, std::shared_ptr<spec::Setting const> setting);

// The ways in which a run ended or could have: at its divergence, and at what is advice. Each ends with a divergence.
std::vector<Run> endings(Run run);

// Runs a program, and then what follows each of its steps with the k-th allocation of that step failing: for k from 1
// until there are no more, with gaps where there are many. Each is run from just before the step, to the end of the
// program and its closing. Returns what ended with a divergence: of each family the shortest, by family.
// REQUIRES: no step of `program` has faults.
std::vector<Run> sweep_allocations(Execution& execution, Reference const& reference, spec::Program const& program,
                                   Tally& tally);

// Runs a program, and then, for each of its steps that overlap, what follows the first of them being interrupted at
// each place where it can be: of many places so many, evenly spaced. Each is run from just before the two steps, to the
// end of the program and its closing. Returns what ended with a divergence: of each family the shortest, by family.
std::vector<Run> sweep_interruptions(Execution& execution, Reference const& reference, spec::Program const& program,
                                     Tally& tally);

// Runs a program, and then, for each two of its steps that overlap on two harts, those two once more with the switch at
// other places: of many so many, evenly spaced, each from just before the two steps. Returns what ended with a
// divergence: of each family the shortest, by family.
struct SwitchSweep {
    std::vector<Run> failures;
    std::optional<std::string> cannot_start{};  // why the kernel does not run on two harts
};
SwitchSweep sweep_switches(Execution& execution, Reference const& reference, spec::Program const& program,
                           Tally& tally);

// Where steps of each kind can be interrupted, as seen in a few programs: the same for the same kernel.
generate::Interruptions measure_interruptions(Execution& execution, Reference const& reference);

Run run_program(Execution& execution, Reference const& reference, spec::Program const& program, RunOptions options,
                Tally& tally);

}  // namespace vmcheck::run
