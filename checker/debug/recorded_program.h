#pragma once
// A program, run on a kernel and on the model, and recorded: what a debugger goes through, with what is known of each
// step beside it.

#include "checker/debug/timeline.h"
#include "checker/finding/finding.h"
#include "checker/run/result.h"
#include "impl/boot/kernel_target.h"
#include "spec/world.h"

#include <tl/expected.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::debug {

class RecordedProgram {
  public:
    // Runs it. `name`: of the program, for messages. REQUIRES: the target outlives this.
    static tl::expected<std::unique_ptr<RecordedProgram>, BootError> make(KernelTarget const& target,
                                                                          spec::Program const& program,
                                                                          std::string_view name);

    Timeline& timeline() { return *timeline_; }
    board::Board& board() { return machine_->now().board(); }

    std::vector<run::StepRecord> const& records() const { return run_.records; }
    // The failure that it shows, its last; null: none.
    run::Divergence const* failure() const { return failure_ ? &*failure_ : nullptr; }
    // The failing step, else the program's last one.
    std::size_t step_of_interest() const;

    // Where a step begins: its process is given it. REQUIRES: step < steps().
    std::size_t steps() const { return starts_.size(); }
    Position start_of(std::size_t step) const { return starts_[step].at; }
    // The board stands at the first instruction that the kernel's code executes for it, or where it begins, if there is
    // none.
    void go_to_kernel_in(std::size_t step);
    // Which step the board stands in; nothing: before the first.
    std::optional<std::size_t> present_step() const;
    // What the model has before it; behind the last step, after that.
    spec::World const& model_before(std::size_t step) const;

    // What a monitor command asks for: in words for a reader.
    std::string monitor(std::string_view words);

  private:
    struct Start {
        Position at;
        spec::World model;
        AgentState agents;
    };
    RecordedProgram() = default;
    tl::expected<void, BootError> run(spec::Program const& program);

    std::string pages(std::string_view address);
    std::string where();
    std::string go(std::string_view number);
    std::string go_to_step(std::string_view number);

    std::shared_ptr<spec::Setting const> setting_;
    std::unique_ptr<KernelMachine> machine_;
    std::vector<Start> starts_;
    std::optional<Start> end_;
    run::Run run_;
    std::size_t own_steps_ = 0;  // those behind them close the program
    std::optional<run::Divergence> failure_;
    std::unique_ptr<Timeline> timeline_;
};

}  // namespace vmcheck::debug
