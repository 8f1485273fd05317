#include "checker/shrink/shrinker.h"

#include "checker/run/family.h"
#include "checker/run/runner.h"
#include "checker/shrink/candidates.h"
#include "spec/advance.h"
#include "spec/overlap.h"
#include "spec/predict.h"
#include "spec/scarcity.h"
#include "spec/text.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>
#include <vector>

namespace vmcheck::shrink {

namespace {

using run::Run;

class Shrinker {
  public:
    Shrinker(run::MachinePool& pool, run::Reference const& reference, Run failing, ShrinkBudget budget,
             std::stop_token stop)
        : pool_(pool), reference_(reference), budget_(budget), stop_(std::move(stop)), best_(std::move(failing)) {
        signature_ = best_.divergence->signature;
        family_ = run::family_of(best_);
        advice_ = best_.divergence->advice;
    }

    Shrunk take() {
        adopt_prefix();
        using Stage = std::function<std::vector<spec::Program>(spec::Program const&)>;
        std::vector<Stage> const stages{without_subtrees,
                                        with_children_merged,
                                        without_chunks,
                                        with_simpler_arguments,
                                        with_earlier_failing_allocations,
                                        with_one_switch_for_two};
        // Each stage may make room for the ones before: until none finds anything more.
        for (bool progress = true; progress && !spent();) {
            progress = false;
            for (Stage const& stage : stages)
                while (!spent() && improve(stage(best_.program))) progress = true;
        }
        improve({renumbered(best_.program)});
        return {std::move(best_), executions_, spent()};
    }

  private:
    bool spent() const { return executions_ >= budget_.executions || stop_.stop_requested(); }

    // Two panics at the same kind of step are two defects, unless they say the same.
    bool is_the_same(Run const& other) const {
        return other.divergence->signature == signature_ && run::family_of(other) == family_;
    }

    // A run ends at its divergence: its program is the failing prefix already.
    void adopt_prefix() { seen_.insert(spec::print(best_.program)); }

    bool improve(std::vector<spec::Program> candidates) {
        std::erase_if(candidates, [&](spec::Program const& program) { return !worth_running(program); });
        std::size_t const wave = 8;  // candidates run at a time; fixed, so that counts do not depend on the machine
        for (std::size_t start = 0; start < candidates.size() && !spent(); start += wave) {
            std::size_t const count = std::min(wave, candidates.size() - start);
            std::vector<std::optional<Run>> results(count);
            pool_.for_each(count, [&](Execution& machine, std::size_t i) {
                run::Counts uncounted;
                Run run = run::run_program(machine, reference_, candidates[start + i],
                                           run::RunOptions{.close = false, .stop_at_advice = advice_}, uncounted);
                if (run.divergence && is_the_same(run)) results[i] = std::move(run);
            });
            executions_ += static_cast<std::uint32_t>(count);
            for (auto& result : results) {
                if (!result || !is_simpler(result->program)) continue;
                best_ = std::move(*result);
                return true;
            }
        }
        return false;
    }

    // Never tried before, and every step can be asked of a kernel that behaves. What follows an allocation that fails
    // depends on what the kernel makes of it: the run will tell.
    bool worth_running(spec::Program const& program) {
        if (program.steps.empty() || !seen_.insert(spec::print(program)).second) return false;
        spec::World world = spec::World::initial(spec::setting_for(reference_.setting, program));
        for (std::size_t i = 0; i < program.steps.size(); ++i) {
            spec::Step const& step = program.steps[i];
            if (world.over()) return false;
            if (i + 1 < program.steps.size() && program.steps[i + 1].faults.meanwhile) {
                spec::Pair const pair{step, program.steps[++i]};
                if (spec::why_not_together(world, pair)) return false;
                auto after = spec::predict(world, pair);
                if (!after) return false;
                if (step.faults.oom || pair.second.faults.oom) break;
                world = std::move(*after);
                continue;
            }
            if (step.faults.meanwhile || spec::why_not(world, step)) return false;
            auto prediction = spec::predict(world, step);
            if (!prediction) return false;
            if (step.faults.oom) break;
            world = std::move(prediction->after);
        }
        return true;
    }

    // A failure may come earlier in a candidate, never later; equal lengths differ in arguments, which every stage
    // only makes plainer.
    bool is_simpler(spec::Program const& program) const { return program.steps.size() <= best_.program.steps.size(); }

    run::MachinePool& pool_;
    run::Reference const& reference_;
    ShrinkBudget budget_;
    std::stop_token stop_;
    Run best_;
    run::Signature signature_;
    run::Family family_;
    bool advice_ = false;
    std::uint32_t executions_ = 0;
    std::set<std::string> seen_;
};

}  // namespace

Shrunk shrink(run::MachinePool& pool, run::Reference const& reference, run::Run failing, ShrinkBudget budget,
              std::stop_token stop) {
    return Shrinker(pool, reference, std::move(failing), budget, std::move(stop)).take();
}

}  // namespace vmcheck::shrink
