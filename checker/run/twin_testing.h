#pragma once
// A Target over the toy kernel of spec/testing: no emulator, so the checker's own tests take milliseconds, and a defect
// can be planted to see that the checker finds it.

#include "impl/target/target.h"
#include "spec/testing/concrete_machine.h"
#include "spec/testing/test_setting.h"

#include <memory>

namespace vmcheck::run {

class TwinExecution : public Execution {
  public:
    TwinExecution(std::shared_ptr<spec::Setting const> setting, spec::testing::PlantedDefect defect)
        : machine_(std::move(setting), defect), start_(machine_.save()) {}

    void reset() override { machine_.restore(start_); }
    spec::Outcome run(spec::Step const& step, std::uint64_t) override { return machine_.run(step); }
    spec::FrameCensus census() override { return machine_.census(); }
    spec::Observation observe() override { return machine_.observe(); }
    void record(bool) override {}
    KernelTrace trace() override { return {}; }
    std::string console_tail(std::size_t) const override { return {}; }

  private:
    spec::testing::ConcreteMachine machine_;
    spec::testing::ConcreteMachine::State start_;
};

class Twin : public Target {
  public:
    explicit Twin(spec::Profile profile, spec::testing::PlantedDefect defect = spec::testing::PlantedDefect::none)
        : profile_(profile), defect_(defect), setting_(spec::testing::shared_setting(profile)) {}

    std::shared_ptr<spec::Setting const> setting() const override { return setting_; }
    TargetSummary const& summary() const override { return summary_; }
    tl::expected<std::unique_ptr<Execution>, BootError> start() const override {
        return std::make_unique<TwinExecution>(setting_, defect_);
    }
    tl::expected<std::unique_ptr<Target>, BootError> reboot() const override {
        return std::make_unique<Twin>(profile_, defect_);
    }

  private:
    spec::Profile profile_;
    spec::testing::PlantedDefect defect_;
    std::shared_ptr<spec::Setting const> setting_;
    TargetSummary summary_{};
};

}  // namespace vmcheck::run
