#include "checker/run/campaign.h"

#include <algorithm>
#include <map>
#include <utility>

namespace vmcheck::run {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

struct CaseResult {
    std::optional<Run> failure;
    Tally tally;
};

Progress progress_of(CampaignResult const& result, std::size_t families, Effort const& effort,
                     Clock::time_point started) {
    Progress progress;
    progress.tally = result.tally;
    progress.programs_wanted = effort.programs;
    progress.families = families;
    progress.elapsed = std::chrono::duration_cast<milliseconds>(Clock::now() - started);
    std::uint64_t const done = result.tally.programs;
    if (done > 0 && effort.programs < UINT64_MAX)
        progress.left = milliseconds{static_cast<std::int64_t>(static_cast<double>(progress.elapsed.count()) *
                                                               static_cast<double>(effort.programs - done) /
                                                               static_cast<double>(done))};
    if (effort.time) {
        milliseconds const by_clock = std::max(milliseconds{0}, *effort.time - progress.elapsed);
        progress.left = progress.left ? std::min(*progress.left, by_clock) : by_clock;
    }
    return progress;
}

}  // namespace

CampaignResult run_campaign(Crew& crew, Reference const& reference, rc::Gen<spec::Program> const& programs,
                            std::uint64_t seed, Effort const& effort, std::stop_token stop,
                            std::function<void(Progress const&)> const& report) {
    Clock::time_point const started = Clock::now();
    CampaignResult result;
    std::map<Family, Failure> by_family;
    for (std::uint64_t next = 0; next < effort.programs;) {
        if (stop.stop_requested()) {
            result.interrupted = true;
            break;
        }
        if (effort.time && Clock::now() - started >= *effort.time) break;
        auto const count = static_cast<std::size_t>(std::min<std::uint64_t>(effort.batch, effort.programs - next));
        std::vector<CaseResult> cases(count);
        crew.for_each(count, [&](Execution& machine, std::size_t i) {
            spec::Program const program = generate::program_of_case(programs, seed, next + i);
            Run run = run_program(machine, reference, program, RunOptions{}, cases[i].tally);
            if (run.divergence) cases[i].failure = std::move(run);
        });
        for (std::size_t i = 0; i < count; ++i) {
            result.tally.add(cases[i].tally);
            if (!cases[i].failure) continue;
            auto const [at, fresh] = by_family.try_emplace(family_of(*cases[i].failure));
            Failure& failure = at->second;
            failure.seen += fresh ? 0 : 1;
            failure.also.insert(cases[i].failure->divergence->signature);
            // The shortest speaks for its family: it is likely to shrink to something simple.
            if (fresh || cases[i].failure->program.steps.size() < failure.run.program.steps.size()) {
                failure.index = next + i;
                failure.run = std::move(*cases[i].failure);
            }
        }
        next += count;
        if ((result.engine_failure = crew.engine_failure())) break;
        report(progress_of(result, by_family.size(), effort, started));
        if (by_family.size() >= effort.families_max) break;
    }
    for (auto& [family, failure] : by_family) {
        failure.also.erase(failure.run.divergence->signature);
        result.failures.push_back(std::move(failure));
    }
    std::sort(result.failures.begin(), result.failures.end(),
              [](Failure const& a, Failure const& b) { return a.index < b.index; });
    return result;
}

}  // namespace vmcheck::run
