#pragma once
// A Target over the toy kernel of spec/testing: no emulator, so the checker's own tests take milliseconds, and a defect
// can be planted to see that the checker finds it.

#include "checker/run/campaign.h"
#include "impl/target.h"
#include "spec/layout.h"
#include "spec/testing/concrete_machine.h"
#include "spec/testing/test_setting.h"

#include <memory>

namespace vmcheck::run {

class TwinExecution : public Execution {
  public:
    TwinExecution(std::shared_ptr<spec::Setting const> setting, spec::testing::PlantedDefect defect)
        : setting_(std::move(setting)), defect_(defect) {
        reset();
    }

    void reset() override {
        ++resets_;
        auto const defect = resets_ < defect_after ? spec::testing::PlantedDefect::none : defect_;
        machine_ = std::make_unique<spec::testing::ConcreteMachine>(setting_, defect);
    }
    tl::expected<void, std::string> reset_to(std::uint32_t free_frames) override {
        spec::Program program;
        program.memory = free_frames;
        machine_ = std::make_unique<spec::testing::ConcreteMachine>(spec::setting_for(setting_, program), defect_);
        auto state = machine_->save();
        if (state.frames.free_count() < free_frames) return tl::unexpected(std::string("The toy has fewer frames."));
        while (state.frames.free_count() > free_frames) state.frames.allocate();
        machine_->restore(std::move(state));
        return {};
    }
    tl::expected<void, std::string> reset_on(std::uint32_t) override {
        reset();
        return {};
    }
    std::unique_ptr<Moment const> save() override { return std::make_unique<Saved>(machine_->save()); }
    void restore(Moment const& moment) override { machine_->restore(dynamic_cast<Saved const&>(moment).state); }
    StepResult run(spec::Step const& step, std::uint64_t) override {
        ++steps_;
        kind_ = step.action.index();
        kinds_.insert(kind_);
        auto const before = machine_->census();
        if (engine_failure()) return {{spec::Unfinished{}}, before};
        return {machine_->run(step), before};
    }
    // One after the other: the toy knows no interrupts. What would sleep comes second.
    Overlap run_overlapping(spec::Pair const& pair, std::uint64_t pages) override {
        auto before = machine_->save();
        StepResult const first = run(pair.first, pages);
        Overlap overlap{{first.outcome, std::nullopt}, first.before};
        if (std::holds_alternative<spec::Blocked>(overlap.outcome.first.what)) {
            machine_->restore(std::move(before));
            overlap.outcome.second = run(pair.second, pages).outcome;
            // Killed in its sleep, the first has no step to do any more.
            if (std::erase(overlap.outcome.second->ended_others, pair.first.actor) > 0)
                overlap.outcome.first = {spec::Ended{}};
            else
                overlap.outcome.first = run(pair.first, pages).outcome;
        } else {
            overlap.outcome.second = run(pair.second, pages).outcome;
        }
        return overlap;
    }
    WatchedStep run_watched(spec::Step const& step, std::uint64_t pages) override { return {run(step, pages), {}}; }
    spec::Observation observe() override { return machine_->observe(); }
    void record(bool) override {}
    KernelTrace trace() override { return {}; }
    // A line of toy.c for each kind of step.
    std::vector<VirtAddr> lines() override { return {VirtAddr{kind_}}; }
    std::vector<CodePlace> places_of(VirtAddr code) const override {
        return {{std::string(spec::kind_name(code.value)), "toy.c", static_cast<unsigned>(code.value) + 1}};
    }
    void fence_at_traps(bool) override {}
    // A kind of step that was not run here before.
    std::uint64_t fresh_code() const override { return kinds_.size(); }
    std::optional<CodePlace> failed_allocation() const override { return std::nullopt; }
    std::string console_tail(std::size_t) const override { return {}; }
    std::optional<std::string> engine_failure() const override {
        if (steps_ < engine_fails_after) return std::nullopt;
        return "Unicorn failed.";
    }

    // From the step of this number on, over all programs.
    std::uint64_t engine_fails_after = UINT64_MAX;
    // From the reset of this number on: most programs begin with one.
    std::uint64_t defect_after = 0;

  private:
    struct Saved : Moment {
        explicit Saved(spec::testing::ConcreteMachine::State saved) : state(std::move(saved)) {}
        spec::testing::ConcreteMachine::State state;
    };

    std::uint64_t steps_ = 0;
    std::uint64_t resets_ = 0;
    std::size_t kind_ = 0;
    std::set<std::size_t> kinds_;
    std::shared_ptr<spec::Setting const> setting_;
    spec::testing::PlantedDefect defect_;
    std::unique_ptr<spec::testing::ConcreteMachine> machine_;
};

class Twin : public Target {
  public:
    explicit Twin(spec::Profile profile, spec::testing::PlantedDefect defect = spec::testing::PlantedDefect::none)
        : defect_(defect), setting_(spec::testing::shared_setting(profile)) {}

    std::shared_ptr<spec::Setting const> setting() const override { return setting_; }
    TargetSummary const& summary() const override { return summary_; }
    tl::expected<std::unique_ptr<Execution>, BootError> start() const override {
        return std::make_unique<TwinExecution>(setting_, defect_);
    }
    tl::expected<std::unique_ptr<Target>, BootError> reboot(spec::Profile profile, std::stop_token) const override {
        return std::make_unique<Twin>(profile, defect_);
    }

  private:
    spec::testing::PlantedDefect defect_;
    std::shared_ptr<spec::Setting const> setting_;
    TargetSummary summary_{};
};

inline constexpr spec::Profile kCowLazy{spec::ForkPolicy::cow, spec::SbrkPolicy::lazy};

// What the tests run on.
struct Bench {
    explicit Bench(spec::Profile profile, spec::testing::PlantedDefect defect = spec::testing::PlantedDefect::none,
                   unsigned jobs = 1)
        : target(profile, defect),
          pool(*MachinePool::start(target, jobs)),
          look(first_look(pool.first(), target.setting())) {}

    CampaignResult run(Effort const& effort, std::uint64_t seed = 1, std::stop_token const& stop = {}) {
        return run_campaign(pool, look.reference, seed, effort, stop, [](Progress const&) {});
    }

    Twin target;
    MachinePool pool;
    FirstLook look;
};

}  // namespace vmcheck::run
