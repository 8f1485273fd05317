#pragma once
// The stepper: has one step done, or two that overlap, by the kernel and by the model, and compares the two. It holds
// all that a run has reached so far, and can go back to where it was. Here is, too, what a kernel is measured against.

#include "checker/run/effort.h"
#include "checker/run/result.h"
#include "checker/run/steering.h"
#include "impl/target.h"
#include "spec/adopt.h"
#include "spec/invariants.h"
#include "spec/overlap.h"
#include "spec/program.h"
#include "spec/world.h"

#include <tl/expected.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vmcheck::generate {
struct Interruptions;
}

namespace vmcheck::run {

// Made once for each target, shared by the workers.
struct Reference {
    std::shared_ptr<spec::Setting const> setting;
    std::optional<spec::Baseline> baseline;
};
// Looks at the machine right after boot. Violations are those of a kernel that is wrong before anything was asked of
// it; the reference puts up with them, so that they are not seen again at every step.
struct FirstLook {
    Reference reference;
    std::vector<spec::Violation> violations{};
    bool can_go_on = true;  // false: nothing that is asked of such a kernel could be judged
};
FirstLook first_look(Execution& execution, std::shared_ptr<spec::Setting const> setting);

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
    // Go on after a divergence that leaves a state which is known: Run::passed.
    bool go_on = false;
    Mode mode = Mode::plain;  // what it is counted as
    bool records = false;
    Steering const* steering = nullptr;  // what is known of the kernel, to be avoided. Not owned.
    Watcher* watcher = nullptr;          // not owned
    // Adds where steps can be interrupted; costs time. Not owned.
    generate::Interruptions* interruptions = nullptr;
};

class Stepper {
    // What has been reached, but for the machine.
    struct State {
        spec::World world;
        std::uint64_t pages = 0;    // that the address spaces have spanned at most: a measure of time
        bool sharing_known = true;  // no copy to user memory has failed so far
        std::optional<spec::Baseline> baseline{};
        Run result{};
    };

  public:
    // REQUIRES: `execution`, `reference` and `counts` outlive the stepper.
    Stepper(Execution& execution, Reference const& reference, RunOptions options, Counts& counts);

    // Brings the machine to where `program` starts; where it cannot be brought there, the run is over.
    void begin(spec::Program const& program);
    // The kernel has diverged or cannot be asked further.
    bool done() const;
    spec::World const& world() const { return state_.world; }
    Run const& so_far() const { return state_.result; }
    // Hands it over: what follows is a run of its own.
    Run take() { return std::exchange(state_.result, {}); }

    // The following REQUIRE: !done().

    // REQUIRES: !why_not(world(), step).
    void perform(spec::Step step);
    // REQUIRES: !why_not_together(world(), pair).
    void overlap(spec::Pair pair);
    // Notes that a step could not be asked.
    void leave_out() { ++state_.result.left_out; }
    // The step as it is to be asked, where what is known of the kernel is avoided; nothing: not at all.
    std::optional<spec::Step> steered(spec::Step step);
    // In the latest step, an allocation failed.
    bool allocation_failed() const { return allocation_failed_; }

    class Bookmark {
        friend class Stepper;
        Bookmark(State reached, std::unique_ptr<Moment const> machine)
            : state(std::move(reached)), moment(std::move(machine)) {}
        State state;
        std::unique_ptr<Moment const> moment;
    };
    Bookmark save();
    // Whatever has happened since.
    void rewind(Bookmark const& to);
    // Does the step on the machine alone, by itself and without another hart, and goes back.
    // REQUIRES: `here` was saved in this state; !why_not(world(), step).
    WatchedStep watch(spec::Step step, Bookmark const& here);
    // Counts what follows as a run of its mode.
    void count_run() { ++counts_.of(options_.mode).runs; }

  private:
    tl::expected<void, std::string> bring_machine(spec::Program const& program);
    spec::Step on_its_own(spec::Step step);
    spec::StepIndex enter(spec::Step const& step);
    StepResult run(spec::Step const& step);
    bool engine_failed();
    void judge(spec::Pair const& pair, std::array<spec::StepIndex, 2> at, spec::PairOutcome const& outcome,
               spec::FrameCensus const& before);
    void give_up();
    bool leaves_unfinished(spec::Step const& step, spec::Outcome const& outcome);
    void count_judged(spec::Outcome const& outcome);
    void count_judged(spec::Invariant invariant);
    void diverge(spec::StepIndex at, spec::Step const& step, std::vector<spec::Violation> violations,
                 spec::Circumstances const& met);
    void look_behind(spec::Taken const& taken);
    // After the divergence just noted, where there is a state to go on from.
    void go_on_from(std::optional<spec::Adopted> adopted);
    void pass(Divergence divergence);
    void note_panic(spec::Outcome const& outcome);

    Execution& execution_;
    Reference const& reference_;
    RunOptions options_;
    Counts& counts_;
    State state_;
    bool allocation_failed_ = false;
};

// Two steps that overlapped may have been done in either order, as far as their outcomes say. Which of the two it was
// is seen from the machine: it has to be right for one of them.
struct AgreeingOrder {
    // The state after both steps. Nothing: the machine agrees with no order, or nobody can say with which.
    std::optional<spec::World> world{};
    // It agrees with two that differ in what cannot be seen.
    bool ambiguous = false;
    // What breaks where it agrees with none: of the first order.
    std::vector<spec::Violation> violations{};
    spec::CheckCounts checks{};  // of one order
};

// REQUIRES: `orders` is not empty.
AgreeingOrder agreeing_order(std::vector<spec::Linearisation> orders, spec::Observation const& seen,
                             std::optional<spec::Baseline> const& baseline);

}  // namespace vmcheck::run
