// The figures of the design's budgets, by Google Benchmark. Each one prints what was measured beside its budget; what
// misses its budget is marked. Ratios and counts are of one run, so that a slow machine does not change a verdict.

#include "checker/generate/generator.h"
#include "checker/run/campaign.h"
#include "checker/run/runner.h"
#include "checker/shrink/shrinker.h"
#include "impl/base/child.h"
#include "impl/base/files.h"
#include "impl/boot/kernel_target.h"

#include <benchmark/benchmark.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace vmcheck {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string kernel_path(std::string const& name) {
    return std::string(VMCHECK_KERNELS "/") + name + "/kernel";
}

// Nothing can be measured without the kernel: says so and ends.
std::unique_ptr<KernelTarget> boot(std::string const& name) {
    auto target = KernelTarget::boot({.kernel = kernel_path(name)});
    if (!target) {
        fmt::print(stderr, "bench: {}\n", target.error().sentence());
        std::exit(4);
    }
    return std::move(*target);
}

// "0.21 s of <= 0.30 s" beside the numbers, with the mark where it is missed.
void verdict(benchmark::State& state, double measured, bool at_most, double budget, char const* unit) {
    bool const met = at_most ? measured <= budget : measured >= budget;
    state.SetLabel(fmt::format("{:.3g} {} (budget {} {:.3g}){}", measured, unit, at_most ? "<=" : ">=", budget,
                               met ? "" : "  MISSED"));
}

void BootToAgent(benchmark::State& state) {
    double best = 1e9;
    for (auto _ : state) {
        Clock::time_point const start = Clock::now();
        auto const target = boot("cow-lazy");
        best = std::min(best, seconds_since(start));
        benchmark::DoNotOptimize(target);
    }
    verdict(state, best, true, 0.3, "s");
}
BENCHMARK(BootToAgent)->Unit(benchmark::kMillisecond)->Iterations(5);

// Restores after programs of different length, and splits the time into a constant and a cost for each dirty page.
void Restore(benchmark::State& state) {
    auto const target = boot("cow-lazy");
    auto const execution = target->start_on_board();
    auto const look = run::first_look(**execution, target->setting());
    auto const programs = generate::programs(target->setting(), {});
    std::uint64_t pages = 0, restores = 0, index = 0;
    double seconds = 0;
    for (auto _ : state) {
        run::Counts counts;
        run::run_program(**execution, look.reference, generate::program_of_case(programs, 1, index++), {}, counts);
        pages += (*execution)->board().dirty_frames().size();
        ++restores;
        Clock::time_point const start = Clock::now();
        (*execution)->reset();
        seconds += seconds_since(start);
    }
    double const budget_us = 2.0 + 0.15 * static_cast<double>(pages) / static_cast<double>(restores);
    state.counters["dirty_pages"] = static_cast<double>(pages) / static_cast<double>(restores);
    verdict(state, seconds * 1e6 / static_cast<double>(restores), true, budget_us, "us for each restore");
}
BENCHMARK(Restore)->Iterations(500);

run::CampaignResult campaign(run::MachinePool& pool, run::Reference const& reference, std::uint64_t count,
                             run::Batch const& batch = {}) {
    run::Effort effort;
    effort.programs = count;
    effort.batch = batch;
    return run::run_campaign(pool, reference, 1, effort, {}, [](run::Progress const&) {});
}

constexpr run::Batch kPlainOnly{
    .plain = 256, .sweep = 0, .pressure = 0, .preempt = 0, .harts = 0, .batches_to_limits = 0};

double programs_per_second(KernelTarget const& target, unsigned jobs, std::uint64_t count) {
    auto pool = run::MachinePool::start(target, jobs);
    auto const look = run::first_look(pool->first(), target.setting());
    campaign(*pool, look.reference, 256, kPlainOnly);
    Clock::time_point const start = Clock::now();
    auto const result = campaign(*pool, look.reference, count, kPlainOnly);
    return static_cast<double>(result.counts.programs) / seconds_since(start);
}

void ProgramsPerSecond(benchmark::State& state) {
    auto const target = boot("cow-lazy");
    double best = 0;
    for (auto _ : state) best = std::max(best, programs_per_second(*target, 1, 2'000));
    verdict(state, best, false, 2'000, "programs/s on one worker");
}
BENCHMARK(ProgramsPerSecond)->Unit(benchmark::kMillisecond)->Iterations(3);

double processor_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Making programs by themselves, beside running them; what the model costs is in both. In processor time, so that
// others on the machine disturb them alike.
void ShareOfGeneration(benchmark::State& state) {
    auto const target = boot("cow-lazy");
    auto const execution = target->start_on_board();
    auto const look = run::first_look(**execution, target->setting());
    auto const generator = generate::programs(target->setting(), {});
    double making = 0, running = 0;
    std::uint64_t index = 0;
    for (auto _ : state) {
        std::vector<spec::Program> programs(1'000);
        double const start = processor_seconds();
        for (spec::Program& program : programs) program = generate::program_of_case(generator, 1, index++);
        double const made = processor_seconds();
        run::Counts counts;
        for (spec::Program const& program : programs)
            run::run_program(**execution, look.reference, program, {}, counts);
        making += made - start;
        running += processor_seconds() - made;
    }
    state.counters["programs_made_per_s"] = static_cast<double>(index) / making;
    verdict(state, 100 * making / running, true, 5, "% of a run");
}
BENCHMARK(ShareOfGeneration)->Unit(benchmark::kMillisecond)->Iterations(3);

void TwoWorkers(benchmark::State& state) {
    auto const target = boot("cow-lazy");
    double best = 0;
    for (auto _ : state) {
        double const one = programs_per_second(*target, 1, 2'000);
        best = std::max(best, programs_per_second(*target, 2, 4'000) / one);
    }
    verdict(state, best, false, 1.8, "x the speed of one worker");
}
BENCHMARK(TwoWorkers)->Unit(benchmark::kMillisecond)->Iterations(3);

// What a program of a mode costs, with all its runs, as a multiple of a plain one; and what the mode adds to the
// default effort. By difference: the same plain programs are run with the mode and without it.
// `with`: plain programs and that mode. `share`: programs of the mode in a batch of the default effort, on average.
void CostOfMode(benchmark::State& state, run::Mode mode, run::Batch const& with, double share) {
    auto const target = boot("cow-lazy");
    auto pool = run::MachinePool::start(*target, 1);
    auto const look = run::first_look(pool->first(), target->setting());
    std::uint64_t const count = 1'024;
    campaign(*pool, look.reference, count, with);  // what is only made once
    double plain_seconds = 0, mode_seconds = 0;
    run::Counts counts;
    for (auto _ : state) {
        Clock::time_point const start = Clock::now();
        campaign(*pool, look.reference, count, kPlainOnly);
        plain_seconds += seconds_since(start);
        Clock::time_point const again = Clock::now();
        counts.add(campaign(*pool, look.reference, count, with).counts);
        mode_seconds += seconds_since(again);
    }
    run::ModeCounts const& seen = counts.of(mode);
    auto const iterations = static_cast<double>(state.iterations());
    double const plain = plain_seconds / (static_cast<double>(count) * iterations);
    double const each = (mode_seconds - plain_seconds) / static_cast<double>(seen.programs);
    double const part = each * share / (plain * run::Batch{}.plain);
    state.counters["runs_per_program"] = static_cast<double>(seen.runs) / static_cast<double>(seen.programs);
    state.counters["reached_per_run"] = static_cast<double>(seen.reached) / static_cast<double>(seen.runs);
    state.SetLabel(fmt::format("{:.3g} ms a program, {:.2g} x a plain one; {:+.0f} % time at the default effort",
                               each * 1e3, each / plain, 100 * part));
}

void CostOfShare(benchmark::State& state, run::Mode mode, std::uint32_t run::Batch::*share) {
    run::Batch with = kPlainOnly;
    with.*share = 64;
    CostOfMode(state, mode, with, run::Batch{}.*share);
}
BENCHMARK_CAPTURE(CostOfShare, allocation_faults, run::Mode::sweep, &run::Batch::sweep)->Iterations(2);
BENCHMARK_CAPTURE(CostOfShare, memory_pressure, run::Mode::pressure, &run::Batch::pressure)->Iterations(2);
BENCHMARK_CAPTURE(CostOfShare, preemption, run::Mode::preempt, &run::Batch::preempt)->Iterations(2);
BENCHMARK_CAPTURE(CostOfShare, several_harts, run::Mode::harts, &run::Batch::harts)->Iterations(2);

void CostOfLimits(benchmark::State& state) {
    run::Batch with = kPlainOnly;
    with.batches_to_limits = 1;
    CostOfMode(state, run::Mode::limits, with, 1.0 / run::Batch{}.batches_to_limits);
}
BENCHMARK(CostOfLimits)->Iterations(2);

// The kernel alone does the same steps again; what is left of a checked run is the checks.
void ShareOfChecks(benchmark::State& state) {
    auto const target = boot("cow-lazy");
    auto const execution = target->start_on_board();
    auto const look = run::first_look(**execution, target->setting());
    auto const programs = generate::programs(target->setting(), {});
    struct Stopwatch final : run::Watcher {
        void before(spec::StepIndex, Execution&) override { start = Clock::now(); }
        void after(spec::StepIndex, Execution&) override { kernel_seconds += seconds_since(start); }
        Clock::time_point start;
        double kernel_seconds = 0;
    } stopwatch;
    double total = 0;
    std::uint64_t index = 0;
    for (auto _ : state) {
        spec::Program const program = generate::program_of_case(programs, 1, index++);
        run::Counts counts;
        Clock::time_point const start = Clock::now();
        run::run_program(**execution, look.reference, program, {.watcher = &stopwatch}, counts);
        total += seconds_since(start);
    }
    verdict(state, 100 * (1 - stopwatch.kernel_seconds / total), true, 30, "% of a run");
}
BENCHMARK(ShareOfChecks)->Iterations(1'000);

// One after the other, all mutants that fail within 2,000 programs: how long shrinking takes, and how short the result
// is.
void ShrinkMutants(benchmark::State& state) {
    std::vector<double> seconds, steps;
    for (auto _ : state) {
        for (auto const& entry : std::filesystem::directory_iterator(VMCHECK_KERNELS "/mutants")) {
            // Some mutants do not come up at all: nothing to shrink there.
            auto booted = KernelTarget::boot({.kernel = entry.path() / "kernel"});
            if (!booted) continue;
            auto const target = std::move(*booted);
            auto pool = run::MachinePool::start(*target, 2);
            auto const look = run::first_look(pool->first(), target->setting());
            if (!look.violations.empty()) continue;
            auto result = campaign(*pool, look.reference, 2'000);
            if (result.failures.empty()) continue;
            Clock::time_point const start = Clock::now();
            auto const shrunk = shrink::shrink(*pool, look.reference, std::move(result.failures.front().run), {}, {});
            seconds.push_back(seconds_since(start));
            steps.push_back(static_cast<double>(shrunk.run.program.steps.size()));
        }
    }
    std::sort(seconds.begin(), seconds.end());
    std::sort(steps.begin(), steps.end());
    double const median_seconds = seconds[seconds.size() / 2], median_steps = steps[steps.size() / 2];
    state.counters["mutants"] = static_cast<double>(seconds.size());
    state.SetLabel(fmt::format("median {:.3g} s (budget <= 2){}, {:.3g} steps (budget <= 6){}", median_seconds,
                               median_seconds <= 2 ? "" : "  MISSED", median_steps,
                               median_steps <= 6 ? "" : "  MISSED"));
}
BENCHMARK(ShrinkMutants)->Unit(benchmark::kMillisecond)->Iterations(1);

// What only this process uses, and its memory files as they are: of these, a resident or proportional size would leave
// out what nobody has mapped just now, or count twice what two have.
std::uint64_t memory_of(pid_t process) {
    std::string const proc = fmt::format("/proc/{}", process);
    std::uint64_t bytes = 0;
    std::ifstream sizes(proc + "/smaps_rollup");
    for (std::string line; std::getline(sizes, line);)
        for (char const* kind : {"Pss_Anon:", "Pss_File:"})
            if (line.starts_with(kind)) bytes += 1024 * std::stoull(line.substr(line.find(':') + 1));
    std::error_code error;
    std::set<ino_t> files;
    for (auto const& entry : std::filesystem::directory_iterator(proc + "/fd", error)) {
        struct stat found {};
        bool const in_memory = std::filesystem::read_symlink(entry, error).string().starts_with("/memfd:");
        if (in_memory && ::stat(entry.path().c_str(), &found) == 0 && files.insert(found.st_ino).second)
            bytes += 512 * static_cast<std::uint64_t>(found.st_blocks);
    }
    return bytes;
}

// Another vmcheck to be measured in the same run, which has the same commands: of the commit before, say.
std::optional<std::string> baseline() {
    char const* const program = std::getenv("VMCHECK_BASELINE");
    return program == nullptr ? std::nullopt : std::optional<std::string>(program);
}

// What is measured, and beside it the same of the baseline, where there is one.
void verdict_beside(benchmark::State& state, std::function<std::optional<double>(std::string const&)> const& measure,
                    double at_most, char const* unit) {
    auto const measured = measure(VMCHECK_BINARY);
    if (!measured) return state.SkipWithError("vmcheck verify did not come to it");
    if (auto const other = baseline()) {
        auto const before = measure(*other);
        if (!before) return state.SkipWithError("the baseline's verify did not come to it");
        state.counters["baseline"] = *before;
        state.counters["of_baseline"] = *measured / *before;
    }
    verdict(state, *measured, true, at_most, unit);
}

// Of `verify` at its default effort on two workers, in MiB. Nothing where it cannot be started.
std::optional<double> peak_memory(std::string const& vmcheck, std::string const& kernel) {
    auto const scratch = base::ScratchDirectory::make("bench");
    if (!scratch) return std::nullopt;
    auto verify = base::Child::start({.arguments = {vmcheck, "verify", "--kernel", kernel_path(kernel), "--jobs", "2",
                                                    "--findings", scratch->path() / "findings"},
                                      .output = scratch->path() / "said"});
    if (!verify) return std::nullopt;
    std::uint64_t peak = 0;
    for (; !verify->poll(); std::this_thread::sleep_for(std::chrono::milliseconds{10}))
        peak = std::max(peak, memory_of(verify->process()));
    return static_cast<double>(peak) / (1 << 20);
}

void PeakMemory(benchmark::State& state, std::string const& kernel) {
    for (auto _ : state)
        verdict_beside(
            state, [&](std::string const& vmcheck) { return peak_memory(vmcheck, kernel); }, 300,
            "MiB for verify on two workers");
}
BENCHMARK_CAPTURE(PeakMemory, no_findings, "cow-eager")->Unit(benchmark::kMillisecond)->Iterations(1);
// Of a kernel in which much is found, machines of all kinds are at work, and it is booted anew for each finding.
BENCHMARK_CAPTURE(PeakMemory, many_findings, "mutants/19-copy-keeps-old-reference")
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);

// From the command to the first line that tells of a defect. Nothing where none comes.
std::optional<double> first_finding(std::string const& vmcheck, std::string const& kernel) {
    auto const scratch = base::ScratchDirectory::make("bench");
    if (!scratch) return std::nullopt;
    Clock::time_point const start = Clock::now();
    auto const ran =
        base::run({.arguments = {vmcheck, "verify", "--kernel", kernel_path(kernel), "--jobs", "2", "--findings",
                                 scratch->path() / "findings"}},
                  {.enough = [](std::string_view said) { return said.find("seen      ") != std::string_view::npos; }});
    if (!ran || ran->end != base::RunResult::End::enough) return std::nullopt;
    return seconds_since(start);
}

// The latest of some mutants, each the fastest of three.
void FirstFinding(benchmark::State& state) {
    constexpr std::array kMutants{
        "01-every-store-is-copy-on-write", "05-fork-error-path-keeps-reference", "16-parent-keeps-w",
        "19-copy-keeps-old-reference",     "27-frame-and-size-swapped",          "74-half-a-copy"};
    auto const latest = [&](std::string const& vmcheck) -> std::optional<double> {
        double worst = 0;
        for (std::string const mutant : kMutants) {
            double best = std::numeric_limits<double>::infinity();
            for (int i = 0; i < 3; ++i) {
                auto const seconds = first_finding(vmcheck, "mutants/" + mutant);
                if (!seconds) return std::nullopt;
                best = std::min(best, *seconds);
            }
            worst = std::max(worst, best);
        }
        return worst;
    };
    for (auto _ : state) verdict_beside(state, latest, 3, "s to the first line about a defect");
}
BENCHMARK(FirstFinding)->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace
}  // namespace vmcheck

BENCHMARK_MAIN();
