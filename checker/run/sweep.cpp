#include "checker/run/sweep.h"

#include "checker/run/interruption_places.h"
#include "checker/run/result.h"
#include "checker/run/runner.h"
#include "checker/run/stepper.h"
#include "spec/advance.h"

#include <map>
#include <memory>
#include <utility>

namespace vmcheck::run {

namespace {

// Of each family the shortest.
class Shortest {
  public:
    void add(Run run, bool advises) {
        for (Run& each : endings(std::move(run))) {
            if (each.divergence->advice && !advises) continue;
            auto const [at, fresh] = by_family_.try_emplace(family_of(each));
            if (fresh || each.program.steps.size() < at->second.program.steps.size()) at->second = std::move(each);
        }
    }
    std::vector<Run> take() {
        std::vector<Run> runs;
        for (auto& [family, run] : by_family_) runs.push_back(std::move(run));
        return runs;
    }

  private:
    std::map<Family, Run> by_family_;
};

// A way of varying a step, by a number.
class Variation {
  public:
    virtual ~Variation() = default;
    // To the first of `rest`.
    virtual bool applies(Stepper const& stepper, Steps rest) const = 0;
    // By which numbers, ascending. `here`: the moment before `step`, and the present one.
    virtual std::vector<std::uint32_t> numbers(Stepper& stepper, spec::Step const& step,
                                               Stepper::Bookmark const& here) const = 0;
    // Takes the first of `rest` varied by `number`, and what is to follow it. False: no greater number tells more.
    virtual bool attempt(Stepper& stepper, Steps rest, std::uint32_t number) const = 0;
    // Whether advice counts.
    virtual bool advises() const { return false; }
};

class Sweep {
  public:
    Sweep(Stepper& stepper, Variation const& variation) : stepper_(stepper), variation_(variation) {}

    void run(spec::Program const& program) {
        stepper_.begin(program);
        for (Steps rest(program.steps); !rest.empty() && !stepper_.done();) {
            if (variation_.applies(stepper_, rest) && !vary(rest)) return;
            take_turn(stepper_, rest);
        }
        close(stepper_);
        keep_failure();
    }
    std::vector<Run> failures() { return shortest_.take(); }

  private:
    // Each variant of the first of `rest`, and back. False: the emulator failed.
    bool vary(Steps rest) {
        auto const before = stepper_.save();
        for (std::uint32_t const number : variation_.numbers(stepper_, rest.front(), before)) {
            bool const more = variation_.attempt(stepper_, rest, number);
            keep_failure();
            if (stepper_.so_far().engine_failed) return false;
            stepper_.rewind(before);
            if (!more) break;
        }
        return true;
    }

    void keep_failure() {
        Run const& run = stepper_.so_far();
        if (run.divergence || !run.passed.empty()) shortest_.add(stepper_.take(), variation_.advises());
    }

    Stepper& stepper_;
    Variation const& variation_;
    Shortest shortest_;
};

class FailedAllocation final : public Variation {
  public:
    bool applies(Stepper const& stepper, Steps rest) const override {
        return !spec::why_not(stepper.world(), rest.front());
    }
    // As far as there are allocations: attempt() tells.
    std::vector<std::uint32_t> numbers(Stepper&, spec::Step const&, Stepper::Bookmark const&) const override {
        constexpr std::uint32_t kEachUpTo = 16, kEnd = std::uint32_t{1} << 31;
        std::vector<std::uint32_t> all;
        for (std::uint32_t oom = 1; oom < kEnd; oom += oom < kEachUpTo ? 1 : oom / 4) all.push_back(oom);
        return all;
    }
    bool attempt(Stepper& stepper, Steps rest, std::uint32_t number) const override {
        spec::Step faulty = rest.front();
        faulty.faults.oom = number;
        stepper.perform(faulty);
        if (stepper.so_far().engine_failed || !stepper.allocation_failed()) return false;
        stepper.count_run();
        take_steps(stepper, rest.subspan(1));
        close(stepper);
        return true;
    }
    bool advises() const override { return true; }
};

class OtherInterruption final : public Variation {
  public:
    bool applies(Stepper const& stepper, Steps rest) const override { return overlap_comes(stepper, rest); }
    std::vector<std::uint32_t> numbers(Stepper& stepper, spec::Step const& step,
                                       Stepper::Bookmark const& here) const override {
        constexpr std::size_t kPlacesMax = 64;
        if (spec::why_not(stepper.world(), step)) return {};  // it sleeps: nobody knows how it goes on
        return thinned(stepper.watch(step, here).interruptions, kPlacesMax);
    }
    bool attempt(Stepper& stepper, Steps rest, std::uint32_t number) const override {
        std::vector<spec::Step> varied(rest.begin(), rest.end());
        varied.front().faults.preempt = number;
        stepper.count_run();
        take_steps(stepper, varied);
        close(stepper);
        return true;
    }
};

class OtherSwitch final : public Variation {
  public:
    bool applies(Stepper const& stepper, Steps rest) const override {
        return overlap_comes(stepper, rest) && rest.front().faults.switch_hart;
    }
    std::vector<std::uint32_t> numbers(Stepper& stepper, spec::Step const& step,
                                       Stepper::Bookmark const& here) const override {
        constexpr std::uint32_t kUntilItSleeps = 300;
        bool const sleeps = spec::why_not(stepper.world(), step).has_value();
        std::uint32_t const blocks = sleeps ? kUntilItSleeps : stepper.watch(step, here).blocks;
        return switch_places(blocks, step.faults.switch_hart.value_or(0));
    }
    bool attempt(Stepper& stepper, Steps rest, std::uint32_t number) const override {
        spec::Pair pair{rest[0], rest[1]};
        pair.first.faults.switch_hart = number;
        stepper.count_run();
        stepper.overlap(pair);
        return true;
    }
};

std::unique_ptr<Variation const> variation_of(Mode mode) {
    if (mode == Mode::sweep) return std::make_unique<FailedAllocation const>();
    if (mode == Mode::preempt) return std::make_unique<OtherInterruption const>();
    return std::make_unique<OtherSwitch const>();
}

}  // namespace

Swept sweep(Execution& execution, Reference const& reference, spec::Program const& program, Mode mode, Counts& counts) {
    // Of those for several harts, some have no two steps that overlap; on one hart these tell nothing new.
    if (mode == Mode::harts && spec::harts_of(program) == 1) return {};
    auto const variation = variation_of(mode);
    Stepper stepper(execution, reference, RunOptions{.go_on = true, .mode = mode}, counts);
    Sweep all(stepper, *variation);
    all.run(program);
    return {all.failures(), stepper.so_far().cannot_start};
}

}  // namespace vmcheck::run
