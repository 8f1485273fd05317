#include "checker/cli/session.h"

#include "checker/cli/builtin.h"
#include "checker/cli/confirm.h"
#include "checker/cli/files.h"
#include "checker/cli/progress.h"
#include "checker/report/html.h"
#include "checker/report/rank.h"
#include "checker/report/text.h"
#include "checker/report/verdict.h"
#include "checker/repro/repro_c.h"
#include "checker/shrink/shrinker.h"
#include "spec/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace vmcheck::cli {

namespace {

// "1-I3-fork", to which each file adds its ending.
std::string file_name(std::size_t number, run::Signature signature) {
    return fmt::format("{}-{}-{}", number, spec::short_name(signature.invariant), spec::kind_name(signature.kind));
}

std::string about(report::Finding const& finding) {
    if (finding.divergence.violations.empty()) return "This failed once and did not come back.";
    spec::Violation const& violation = finding.divergence.violations.front();
    return fmt::format("{} at step {}: {}", report::title_of(violation.invariant), finding.divergence.at.value + 1,
                       violation.story);
}

// What matters most to a student is shrunk and shown first; within a rank what was found first.
void put_the_gravest_first(std::vector<run::Failure>& failures) {
    auto const rank = [](run::Failure const& failure) {
        run::Divergence const& divergence = *failure.run.divergence;
        return std::pair(divergence.advice, report::rank_of(divergence.signature.invariant));
    };
    std::stable_sort(failures.begin(), failures.end(),
                     [&](run::Failure const& a, run::Failure const& b) { return rank(a) < rank(b); });
}

tl::expected<report::Saved, Stop> save(report::Finding const& finding, std::filesystem::path const& stem) {
    auto const write = [](std::filesystem::path const& path, std::string_view contents) -> tl::expected<void, Stop> {
        if (auto written = write_file(path, contents); !written)
            return tl::unexpected(Stop{ExitCode::environment, written.error().message});
        return {};
    };
    report::Saved saved{stem.string() + ".vmc", std::nullopt, {}};
    spec::Program program = finding.program;
    program.about = about(finding);
    if (auto written = write(saved.program, spec::print(program)); !written) return tl::unexpected(written.error());
    auto const repro = report::repro_c(finding);
    if (!repro) {
        saved.why_no_repro_c = repro.error();
        return saved;
    }
    saved.repro_c = stem.string() + ".c";
    if (auto written = write(*saved.repro_c, *repro); !written) return tl::unexpected(written.error());
    return saved;
}

std::string counted(std::size_t number, char const* one, char const* many) {
    return fmt::format("{} {}", number, number == 1 ? one : many);
}

void print_boot_violations(std::FILE* out, std::vector<spec::Violation> const& violations) {
    for (spec::Violation const& violation : violations)
        fmt::print(out, "✗ {} · right after boot\n      {}\n      expected  {}\n      seen      {}\n",
                   report::title_of(violation.invariant), violation.story, violation.expected, violation.seen);
}

}  // namespace

Stop stop_for(BootError const& error) {
    return {error.environment ? ExitCode::environment : ExitCode::kernel_unusable, error.message};
}

tl::expected<void, Stop> check_engines(run::MachinePool const& pool) {
    auto const failure = pool.engine_failure();
    if (!failure) return {};
    return tl::unexpected(Stop{
        ExitCode::environment,
        fmt::format("the emulator failed, which says nothing about the kernel: {} Run the same command again; if it "
                    "fails again, vmcheck doctor says whether vmcheck works on this machine.",
                    *failure)});
}

ExitCode give_up(Stop const& stop) {
    std::fflush(stdout);
    fmt::print(stderr, "vmcheck: {}\n", stop.message);
    return stop.code;
}

tl::expected<KernelOptions, Stop> find_kernel(KernelChoice const& choice) {
    namespace fs = std::filesystem;
    KernelOptions options;
    options.map_file = choice.map_file;
    options.accelerate = choice.accelerate;
    options.profile = choice.profile;
    if (choice.kernel) {
        options.kernel = *choice.kernel;
        std::error_code error;
        if (!fs::exists(options.kernel, error))
            return tl::unexpected(
                Stop{ExitCode::usage,
                     fmt::format("{}: no such file. Give the kernel's ELF image, as in --kernel kernel/kernel.",
                                 options.kernel.string())});
        if (is_source_tree(options.kernel)) {
            auto built = kernel_of_tree(options.kernel);
            if (!built) return tl::unexpected(Stop{ExitCode::kernel_unusable, built.error().message});
            options.tree = options.kernel;
            options.built = std::make_shared<TreeKernel const>(std::move(*built));
            options.kernel = options.built->kernel();
        }
    } else {
        auto const builtin = builtin_kernel(choice.profile.value_or(kProfiles.front()));
        if (!builtin)
            return tl::unexpected(Stop{ExitCode::environment,
                                       "the reference kernel is not beside this program: build it with ci/vmcheck, or "
                                       "give one with --kernel."});
        options.kernel = *builtin;
    }
    return options;
}

tl::expected<std::unique_ptr<Target>, Stop> boot(KernelChoice const& choice) {
    auto const options = find_kernel(choice);
    if (!options) return tl::unexpected(options.error());
    auto target = KernelTarget::boot(*options);
    if (!target) return tl::unexpected(stop_for(target.error()));
    return std::unique_ptr<Target>(std::move(*target));
}

tl::expected<Bench, Stop> set_up(KernelChoice const& choice, unsigned jobs) {
    auto target = boot(choice);
    if (!target) return tl::unexpected(target.error());
    auto pool = run::MachinePool::start(**target, jobs);
    if (!pool) return tl::unexpected(Stop{ExitCode::environment, pool.error().message});
    run::FirstLook look = run::first_look(pool->first(), (*target)->setting());
    return Bench{std::move(*target), std::move(*pool), std::move(look)};
}

tl::expected<report::Finding, Stop> make_finding(Bench& bench, run::Failure failure, Options const& options) {
    run::Signature const signature = failure.run.divergence->signature;
    spec::Program const original = failure.run.program;
    shrink::Shrunk shrunk{failure.run, 0, false};
    if (options.shrink)
        shrunk = shrink::shrink(bench.pool, bench.look.reference, std::move(failure.run), {}, options.stop);
    if (auto well = check_engines(bench.pool); !well) return tl::unexpected(well.error());
    auto finding = report::confirm(*bench.target, shrunk.run.program, signature, shrunk.run.divergence->advice);
    if (!finding) return tl::unexpected(stop_for(finding.error()));
    finding->original = original;
    finding->mode = failure.mode;
    finding->case_index = failure.index;
    finding->seen = failure.seen;
    finding->also.assign(failure.also.begin(), failure.also.end());
    finding->shrink_executions = shrunk.executions;
    finding->shrink_exhausted = shrunk.exhausted;
    return *finding;
}

run::Effort effort_of(Options const& options) {
    run::Effort effort;
    effort.programs = options.runs.value_or(run::programs_of(options.level));
    effort.time = options.time;
    effort.families_max = options.findings_max;
    effort.faults_in_plain = options.allocation_faults;
    if (!options.allocation_faults) effort.batch.sweep = 0;
    if (!options.memory_pressure) effort.batch.pressure = effort.batch.batches_to_limits = 0;
    if (!options.preemption) effort.batch.preempt = 0;
    if (!options.several_harts) effort.batch.harts = 0;
    return effort;
}

tl::expected<report::Session, Stop> run_session(Bench& bench, Options const& options, run::Effort const& effort) {
    report::Session session;
    session.kernel = bench.target->summary();
    session.seed = options.seed;
    fmt::print(options.text, "{}", report::kernel_lines(session.kernel, {options.colour}));
    session.boot_violations = bench.target->summary().wrong;
    session.boot_violations.insert(session.boot_violations.end(), bench.look.violations.begin(),
                                   bench.look.violations.end());
    print_boot_violations(options.text, session.boot_violations);
    if (!bench.look.violations.empty()) return session;
    ProgressDisplay display;
    run::Progress last;
    auto const programs = generate::programs(bench.target->setting(), {.allocation_faults = effort.faults_in_plain});
    auto result = run::run_campaign(bench.pool, bench.look.reference, programs, options.seed, effort, options.stop,
                                    [&](run::Progress const& progress) {
                                        last = progress;
                                        display.show(progress);
                                    });
    display.clear();
    if (auto well = check_engines(bench.pool); !well) return tl::unexpected(well.error());
    last.left.reset();
    fmt::print(options.text, "{}\n", progress_line(last));
    std::fflush(options.text);
    auto const miss = [&](std::string const& what) {
        session.kernel.missing.push_back(what);
        fmt::print(options.text, "{}", report::missing_line(what, {options.colour}));
    };
    if (result.no_pressure) miss("Memory pressure was not tried. " + *result.no_pressure);
    for (std::string const& why : result.no_harts) miss("Programs on several harts were not all run. " + why);
    session.counts = result.counts;
    session.interrupted = result.interrupted;
    session.families = result.failures.size();
    put_the_gravest_first(result.failures);
    for (run::Failure& failure : result.failures) {
        if (session.findings.size() == options.findings_max) break;
        auto finding = make_finding(bench, std::move(failure), options);
        if (!finding) return tl::unexpected(finding.error());
        session.findings.push_back(std::move(*finding));
    }
    report::sort_by_rank(session.findings);
    if (options.confirm) confirm_on_qemu(session, options);
    return session;
}

tl::expected<ExitCode, Stop> conclude(report::Session const& session, std::filesystem::path const& directory,
                                      Options const& options) {
    report::TextStyle const style{options.colour};
    bool const wrong_at_boot = !session.boot_violations.empty();
    if (wrong_at_boot && session.counts.programs == 0) return ExitCode::divergence;
    std::size_t flaky = 0;
    for (std::size_t i = 0; i < session.findings.size(); ++i) {
        report::Finding const& finding = session.findings[i];
        auto const saved = save(finding, directory / file_name(i + 1, finding.signature));
        if (!saved) return tl::unexpected(saved.error());
        fmt::print(options.text, "\n{}", report::finding_text(finding, i + 1, session.findings.size(), *saved, style));
        if (!report::is_solid(finding)) ++flaky;
    }
    fmt::print(options.text, "{}{}", report::checks_table(session.counts, style),
               report::modes_table(session.counts, style));
    if (session.interrupted) fmt::print(options.text, "interrupted: what is above is what was done until then\n");
    if (session.findings.empty() && !wrong_at_boot) {
        fmt::print(options.text, "✓ nothing found in {} programs ({} steps) · seed {}\n", session.counts.programs,
                   session.counts.steps, session.seed);
        return ExitCode::nothing_found;
    }
    std::size_t const defects = report::defects_in(session);
    std::size_t const advice = session.findings.size() + session.boot_violations.size() - flaky - defects;
    fmt::print(options.text, "{}{}{} · seed {}: the same command finds the same again\n",
               counted(defects, "defect", "defects"), advice == 0 ? "" : fmt::format(", {} advice", advice),
               session.families > session.findings.size()
                   ? fmt::format(" shown of {} different failures (--max-findings {} shows all)",
                                 session.families + session.boot_violations.size(), session.families)
                   : "",
               session.seed);
    if (defects > 0) return ExitCode::divergence;
    return flaky > 0 ? ExitCode::not_reproducible : ExitCode::nothing_found;
}

tl::expected<void, Stop> write_report(std::vector<report::Session> const& sessions, Options const& options) {
    using report::Format;
    if (options.json) fmt::print("{}", report::render(Format::json, sessions));
    if (options.out) {
        std::string const document = report::render(options.format.value_or(Format::json), sessions);
        if (auto written = write_file(*options.out, document); !written)
            return tl::unexpected(Stop{ExitCode::environment, written.error().message});
    } else if (options.format && *options.format != Format::text) {
        fmt::print("{}", report::render(*options.format, sessions));
    }
    return {};
}

tl::expected<void, Stop> write_html(std::vector<report::Session> const& sessions,
                                    std::filesystem::path const& directory, Options const& options) {
    bool const found = std::any_of(sessions.begin(), sessions.end(), [](report::Session const& session) {
        return !session.findings.empty() || !session.boot_violations.empty();
    });
    if (!found) return {};
    std::filesystem::path const path = directory / "report.html";
    if (auto written = write_file(path, report::html_document(sessions)); !written)
        return tl::unexpected(Stop{ExitCode::environment, written.error().message});
    fmt::print(options.text, "report    {}\n", path.string());
    return {};
}

}  // namespace vmcheck::cli
