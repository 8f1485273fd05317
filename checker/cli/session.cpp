#include "checker/cli/session.h"

#include "checker/cli/builtin.h"
#include "checker/cli/files.h"
#include "checker/cli/progress.h"
#include "checker/report/text.h"
#include "checker/shrink/shrinker.h"
#include "impl/target/kernel_target.h"
#include "spec/text.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <fmt/format.h>

namespace vmcheck::cli {

namespace {

// Findings that are shrunk and shown; more are counted.
constexpr std::size_t kFindingsMax = 5;

std::string file_name(std::size_t number, run::Signature signature) {
    return fmt::format("{}-{}-{}.vmc", number, spec::short_name(signature.invariant), spec::kind_name(signature.kind));
}

std::string about(report::Finding const& finding) {
    if (finding.divergence.violations.empty()) return "This failed once and did not come back.";
    spec::Violation const& violation = finding.divergence.violations.front();
    return fmt::format("{} at step {}: {}", report::title_of(violation.invariant), finding.divergence.at.value + 1, violation.story);
}

void print_boot_violations(std::FILE* out, std::vector<spec::Violation> const& violations) {
    for (spec::Violation const& violation : violations)
        fmt::print(out, "✗ {} · right after boot\n      {}\n      expected  {}\n      seen      {}\n", report::title_of(violation.invariant),
                   violation.story, violation.expected, violation.seen);
}

}  // namespace

ExitCode give_up(Stop const& stop) {
    std::fflush(stdout);
    fmt::print(stderr, "vmcheck: {}\n", stop.message);
    return stop.code;
}

tl::expected<std::unique_ptr<Target>, Stop> boot(KernelChoice const& choice) {
    namespace fs = std::filesystem;
    KernelOptions options;
    options.map_file = choice.map_file;
    options.accelerate = choice.accelerate;
    options.profile = choice.profile;
    if (choice.kernel) {
        options.kernel = *choice.kernel;
        std::error_code error;
        if (!fs::exists(options.kernel, error))
            return tl::unexpected(Stop{ExitCode::usage, fmt::format("{}: no such file. Give the kernel's ELF image, as in --kernel kernel/kernel.", options.kernel.string())});
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
            return tl::unexpected(Stop{ExitCode::environment, "the reference kernel is not beside this program: build it with ci/vmcheck, or give one with --kernel."});
        options.kernel = *builtin;
    }
    auto target = KernelTarget::boot(options);
    if (!target) return tl::unexpected(Stop{ExitCode::kernel_unusable, target.error().message});
    return std::unique_ptr<Target>(std::move(*target));
}

tl::expected<Bench, Stop> set_up(KernelChoice const& choice, unsigned jobs) {
    auto target = boot(choice);
    if (!target) return tl::unexpected(target.error());
    auto crew = run::Crew::hire(**target, jobs);
    if (!crew) return tl::unexpected(Stop{ExitCode::environment, crew.error().message});
    run::FirstLook look = run::first_look(crew->first(), (*target)->setting());
    return Bench{std::move(*target), std::move(*crew), std::move(look)};
}

tl::expected<report::Finding, Stop> make_finding(Bench& bench, run::Failure failure, Options const& options) {
    run::Signature const signature = failure.run.divergence->signature;
    spec::Program const original = failure.run.program;
    shrink::Shrunk shrunk{failure.run, 0, false};
    if (options.shrink) shrunk = shrink::shrink(bench.crew, bench.look.reference, std::move(failure.run), {}, options.stop);
    auto finding = report::confirm(*bench.target, shrunk.run.program, signature);
    if (!finding) return tl::unexpected(Stop{ExitCode::kernel_unusable, finding.error().message});
    finding->original = original;
    finding->case_index = failure.index;
    finding->seen = failure.seen;
    finding->shrink_executions = shrunk.executions;
    finding->shrink_exhausted = shrunk.exhausted;
    return *finding;
}

tl::expected<report::Session, Stop> run_session(Bench& bench, Options const& options, run::Effort const& effort) {
    report::Session session;
    session.kernel = bench.target->summary();
    session.seed = options.seed;
    fmt::print(options.text, "{}", report::kernel_lines(session.kernel, {options.colour}));
    if (!bench.look.violations.empty()) {
        print_boot_violations(options.text, bench.look.violations);
        session.boot_violations = bench.look.violations;
        return session;
    }
    ProgressDisplay display;
    run::Progress last;
    auto result = run::run_campaign(bench.crew, bench.look.reference, generate::programs(bench.target->setting(), {}), options.seed, effort,
                                    options.stop, [&](run::Progress const& progress) {
                                        last = progress;
                                        display.show(progress);
                                    });
    display.clear();
    last.left.reset();
    fmt::print(options.text, "{}\n", progress_line(last));
    std::fflush(options.text);
    session.tally = result.tally;
    session.interrupted = result.interrupted;
    session.signatures = result.failures.size();
    for (run::Failure& failure : result.failures) {
        if (session.findings.size() == kFindingsMax) break;
        auto finding = make_finding(bench, std::move(failure), options);
        if (!finding) return tl::unexpected(finding.error());
        session.findings.push_back(std::move(*finding));
    }
    return session;
}

tl::expected<ExitCode, Stop> conclude(report::Session const& session, std::filesystem::path const& directory,
                                      Options const& options) {
    report::TextStyle const style{options.colour};
    if (!session.boot_violations.empty()) return ExitCode::divergence;
    std::size_t solid = 0;
    for (std::size_t i = 0; i < session.findings.size(); ++i) {
        report::Finding const& finding = session.findings[i];
        std::filesystem::path const saved = directory / file_name(i + 1, finding.signature);
        spec::Program program = finding.program;
        program.about = about(finding);
        if (auto written = write_file(saved, spec::print(program)); !written)
            return tl::unexpected(Stop{ExitCode::environment, written.error().message});
        fmt::print(options.text, "\n{}", report::finding_text(finding, i + 1, session.findings.size(), saved, style));
        if (finding.reproduced > 0) ++solid;
    }
    fmt::print(options.text, "{}", report::checks_table(session.tally, style));
    if (session.interrupted) fmt::print(options.text, "interrupted: what is above is what was done until then\n");
    if (session.findings.empty()) {
        fmt::print(options.text, "✓ nothing found in {} programs ({} steps) · seed {}\n", session.tally.programs, session.tally.steps, session.seed);
        return ExitCode::nothing_found;
    }
    fmt::print(options.text, "{} defect{}{} · seed {}: the same command finds the same again\n", solid, solid == 1 ? "" : "s",
               session.signatures > session.findings.size() ? fmt::format(" shown of {} different failures", session.signatures) : "",
               session.seed);
    return solid > 0 ? ExitCode::divergence : ExitCode::not_reproducible;
}

tl::expected<void, Stop> write_report(std::vector<report::Session> const& sessions, Options const& options) {
    if (!options.json && !options.out) return {};
    std::string const document = report::json_document(sessions);
    if (options.json) fmt::print("{}", document);
    if (options.out)
        if (auto written = write_file(*options.out, document); !written)
            return tl::unexpected(Stop{ExitCode::environment, written.error().message});
    return {};
}

}  // namespace vmcheck::cli
