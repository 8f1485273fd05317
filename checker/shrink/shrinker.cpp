#include "checker/shrink/shrinker.h"

#include "checker/run/result.h"
#include "checker/run/runner.h"
#include "checker/shrink/candidates.h"
#include "spec/text.h"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace vmcheck::shrink {

namespace {

using run::Run;

class Shrinker {
  public:
    Shrinker(run::MachinePool& pool, run::Reference const& reference, Run failing, ShrinkBudget budget,
             std::stop_token stop)
        : pool_(pool), reference_(reference), budget_(budget), stop_(std::move(stop)), best_(std::move(failing)) {}

    Shrunk take() {
        remember_prefixes();
        while (!spent() && improve()) remember_prefixes();
        return {std::move(best_), executions_, spent()};
    }

  private:
    bool spent() const { return executions_ >= budget_.executions || stop_.stop_requested(); }

    // Two panics at the same kind of step are two defects, unless they say the same.
    bool is_the_same(Run const& other) const {
        bool const alike = other.divergence->signature == best_.divergence->signature &&
                           run::explains(run::family_of(other), run::family_of(best_));
        return alike || is_plain_failure(other);
    }

    // Of two steps that overlap, the one that fails is blamed; but where one of them fails as well when they are done
    // one after the other, it is that one that goes wrong, and the overlap has nothing to do with it.
    bool is_plain_failure(Run const& other) const {
        std::size_t const at = best_.divergence->at.value;
        auto const& steps = best_.program.steps;
        std::size_t const second = steps[at].faults.meanwhile ? at : at + 1;
        if (second == 0 || second >= steps.size() || !steps[second].faults.meanwhile) return false;
        auto const overlaps = [](spec::Step const& step) { return step.faults.meanwhile; };
        std::size_t const kind = other.divergence->signature.kind;
        return std::none_of(other.program.steps.begin(), other.program.steps.end(), overlaps) &&
               (kind == steps[second].action.index() || kind == steps[second - 1].action.index());
    }

    // A run ends where it first fails so: what comes before did not, and need not be tried.
    void remember_prefixes() {
        spec::Program prefix = best_.program;
        for (; !prefix.steps.empty(); prefix.steps.pop_back()) seen_.insert(spec::print(prefix));
    }

    // One step down the tree, to the first candidate that fails as the program does; false where there is none.
    bool improve() {
        auto candidates = shrink::tree({best_.program, stage_}).shrinks();
        auto next = candidates.next();
        while (!spent()) {
            // Run at a time, on as many machines as there are. Of fixed size, so that counts do not depend on the
            // machine; of one stage, since the next one is better begun with what this one has found.
            constexpr std::size_t kWave = 8;
            std::vector<Candidate> wave;
            for (; next && wave.size() < kWave; next = candidates.next()) {
                Candidate candidate = next->value();
                if (!wave.empty() && candidate.stage != wave.front().stage) break;
                if (worth_running(candidate.program)) wave.push_back(std::move(candidate));
            }
            if (wave.empty()) return false;
            if (!take_first(wave)) continue;
            // What is left of the stage is not plainer than what will be made of the program found.
            for (; next && next->value().stage == stage_; next = candidates.next())
                seen_.insert(spec::print(next->value().program));
            return true;
        }
        return false;
    }

    // Runs them all, and takes the first that fails as the program does.
    bool take_first(std::vector<Candidate> const& wave) {
        std::vector<std::optional<Run>> results(wave.size());
        pool_.for_each(wave.size(), [&](Execution& machine, std::size_t i) {
            run::Counts uncounted;
            Run run = run::run_program(machine, reference_, wave[i].program,
                                       run::RunOptions{.close = false, .go_on = true}, uncounted);
            for (Run& ending : run::endings(std::move(run)))
                if (!results[i] && is_the_same(ending)) results[i] = std::move(ending);
        });
        executions_ += static_cast<std::uint32_t>(wave.size());
        for (std::size_t i = 0; i < wave.size(); ++i) {
            if (!results[i] || !is_simpler(results[i]->program)) continue;
            best_ = std::move(*results[i]);
            stage_ = wave[i].stage;
            return true;
        }
        return false;
    }

    // Never tried before, and every step can be asked of a kernel that behaves.
    bool worth_running(spec::Program const& program) {
        return !program.steps.empty() && seen_.insert(spec::print(program)).second &&
               can_be_asked(reference_.setting, program);
    }

    // A failure may come earlier in a candidate, never later; equal lengths differ in arguments, which every stage
    // only makes plainer.
    bool is_simpler(spec::Program const& program) const { return program.steps.size() <= best_.program.steps.size(); }

    run::MachinePool& pool_;
    run::Reference const& reference_;
    ShrinkBudget budget_;
    std::stop_token stop_;
    Run best_;
    std::size_t stage_ = 0;
    std::uint32_t executions_ = 0;
    std::set<std::string> seen_;
};

}  // namespace

Shrunk shrink(run::MachinePool& pool, run::Reference const& reference, run::Run failing, ShrinkBudget budget,
              std::stop_token stop) {
    return Shrinker(pool, reference, std::move(failing), budget, std::move(stop)).take();
}

}  // namespace vmcheck::shrink
