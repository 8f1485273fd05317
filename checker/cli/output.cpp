#include "checker/cli/output.h"

#include "checker/cli/print.h"
#include "checker/qemu/script.h"
#include "checker/report/coverage.h"
#include "checker/report/escape.h"
#include "checker/report/format.h"
#include "checker/report/text.h"
#include "checker/report/verdict.h"
#include "checker/report/violation_words.h"
#include "impl/base/error.h"
#include "impl/base/files.h"
#include "spec/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace vmcheck::cli {

namespace {

std::string about(Finding const& finding) {
    if (finding.divergence.violations.empty()) return fmt::format("This {}", report::why_not_solid(finding));
    spec::Violation const& violation = finding.divergence.violations.front();
    return fmt::format("{} at step {}: {}", report::title_of(violation.invariant), finding.divergence.at.value + 1,
                       report::words_of(violation).story);
}

// Where the program in C, which is plainer, is not there or did not show it.
bool needs_script(Finding const& finding) {
    bool const shown = finding.repro_c && (!finding.on_qemu || finding.on_qemu->by == QemuVerdict::By::program);
    return finding.repro_gdb && !shown;
}

// `kernel_file`: its image, for GDB.
tl::expected<report::Saved, Stop> save(Finding const& finding, std::string_view kernel,
                                       std::filesystem::path const& kernel_file, std::filesystem::path const& stem,
                                       bool once) {
    report::Saved saved{.program = stem.string() + ".vmc", .kernel = std::string(kernel)};
    std::vector<std::pair<std::filesystem::path, std::string>> files;
    if (finding.repro_c) files.emplace_back(saved.repro_c.emplace(stem.string() + ".c"), *finding.repro_c);
    if (needs_script(finding)) {
        std::filesystem::path const script = stem.string() + ".gdb";
        saved.gdb_command = qemu::gdb_command("gdb-multiarch", kernel_file, script);
        std::error_code unknown;
        saved.not_built = !std::filesystem::exists(kernel_file, unknown);
        files.emplace_back(script, *finding.repro_gdb);
        files.emplace_back(script.parent_path() / qemu::kPlayer, qemu::player());
    }
    if (once) files.emplace_back(stem.string() + ".md", report::issue_text(finding, saved));
    spec::Program program = finding.program;
    program.about = report::one_line(about(finding) + '.');
    // A name that a line cannot hold as it is would be another.
    if (report::one_line(kernel) == kernel) program.found_on = kernel;
    files.emplace_back(saved.program, spec::print(program));
    std::error_code error;
    if (once && std::filesystem::exists(saved.program, error)) return saved;
    for (auto const& [path, text] : files)
        if (auto written = once ? base::write_file_for_good(path, text) : base::write_file(path, text); !written)
            return tl::unexpected(Stop{Stop::Cause::machine, written.error().message});
    return saved;
}

std::string counted(std::size_t number, char const* one, char const* many) {
    return fmt::format("{} {}", number, number == 1 ? one : many);
}

}  // namespace

tl::expected<void, Stop> check_place(std::optional<std::filesystem::path> const& path) {
    if (!path) return {};
    return base::check_writable(*path).map_error([](base::Error const& error) {
        return Stop{Stop::Cause::machine, error.message};
    });
}

std::string signature_name(run::Signature signature) {
    return fmt::format("{}-{}", spec::short_name(signature.invariant), spec::kind_name(signature.kind));
}

Filing numbered_in(std::filesystem::path const& directory) {
    return {[directory](std::size_t number, Finding const& finding) {
        return directory / fmt::format("{}-{}", number, signature_name(finding.signature));
    }};
}

tl::expected<ExitCode, Stop> conclude(SessionResult const& session, Filing const& filing, Options const& options) {
    report::TextStyle const style{options.colour};
    bool const wrong_at_boot = !session.boot_violations.empty();
    if (wrong_at_boot && session.counts.programs == 0) return ExitCode::divergence;
    std::size_t flaky = 0, unconfirmed = 0;
    std::optional<Stop> not_written;
    // A tree's own, where the student's make puts it; what was built for this run goes with it.
    std::filesystem::path kernel_file = session.kernel.name;
    if (std::filesystem::is_directory(kernel_file)) kernel_file = kernel_file / "kernel" / "kernel";
    if (session.disk && std::ranges::any_of(session.findings, needs_script))
        if (auto written = base::write_file(filing.stem(1, session.findings.front()).parent_path() / qemu::kPlayersDisk,
                                            *session.disk);
            !written)
            not_written = Stop{Stop::Cause::machine, written.error().message};
    for (std::size_t i = 0; i < session.findings.size(); ++i) {
        Finding const& finding = session.findings[i];
        auto const saved = save(finding, session.kernel.name, kernel_file, filing.stem(i + 1, finding), filing.once);
        if (!saved) not_written = saved.error();
        tell(options.text, "\n{}",
             report::finding_text(finding, i + 1, session.findings.size(), saved ? std::optional(*saved) : std::nullopt,
                                  style));
        if (!is_solid(finding)) ++(finding.attempts == 0 ? unconfirmed : flaky);
    }
    tell(options.text, "{}{}", report::checks_table(session.counts, style),
         report::modes_table(session.counts, style) + report::coverage_text(session));
    auto const incomplete = report::why_incomplete(session);
    if (incomplete) tell(options.text, "not checked to the end: {}\n", *incomplete);
    ExitCode const without_findings = session.interrupted ? ExitCode::interrupted
                                      : incomplete        ? ExitCode::incomplete
                                                          : ExitCode::nothing_found;
    if (session.findings.empty() && !wrong_at_boot) {
        if (incomplete) {
            tell(options.text, "nothing was found until then, which is no verdict · seed {}\n", session.seed);
            return without_findings;
        }
        std::vector<std::string> const& others = session.kernel.never_called;
        tell(options.text, "✓ nothing found in {} programs ({} steps) · seed {}{}\n", session.counts.programs,
             session.counts.steps, session.seed,
             others.empty() ? "" : fmt::format(" · never called: {}", fmt::join(others, ", ")));
        return ExitCode::nothing_found;
    }
    std::size_t const defects = report::defects_in(session);
    if (not_written) return tl::unexpected(*not_written);
    std::size_t const advice = session.findings.size() + session.boot_violations.size() - flaky - unconfirmed - defects;
    tell(options.text, "{}{}{} · seed {}: the same command finds the same again\n",
         counted(defects, "defect", "defects"), advice == 0 ? "" : fmt::format(", {} advice", advice),
         session.families > options.findings_max
             ? fmt::format(" of the gravest of {} different failures (without --max-findings all are told)",
                           session.families)
         : session.families > session.findings.size()
             ? fmt::format(" · shrunk and compared, {} different failures came down to {}", session.families,
                           session.findings.size() == 1 ? "one" : "these")
             : "",
         session.seed);
    if (defects > 0) return ExitCode::divergence;
    return flaky > 0 ? ExitCode::not_reproducible : without_findings;
}

tl::expected<void, Stop> write_report(std::vector<SessionResult> const& sessions, Options const& options,
                                      std::optional<Stop> const& stop) {
    using report::Format;
    if (options.coverage)
        if (auto written = base::write_file(*options.coverage, report::lcov_document(sessions)); !written)
            return tl::unexpected(Stop{Stop::Cause::machine, written.error().message});
    report::ReportOptions const how{stop, options.grant_unchecked};
    if (options.json) put(stdout, report::render(Format::json, sessions, how));
    if (options.out) {
        std::string const document = report::render(options.format.value_or(Format::json), sessions, how);
        if (auto written = base::write_file(*options.out, document); !written)
            return tl::unexpected(Stop{Stop::Cause::machine, written.error().message});
    } else if (options.format && *options.format != Format::text) {
        put(stdout, report::render(*options.format, sessions, how));
    }
    return {};
}

tl::expected<void, Stop> write_html(std::vector<SessionResult> const& sessions, std::filesystem::path const& directory,
                                    Options const& options, std::optional<Stop> const& stop) {
    std::filesystem::path const path = directory / "report.html";
    if (auto written = base::write_file(path, report::html_document(sessions, {.stop = stop})); !written)
        return tl::unexpected(Stop{Stop::Cause::machine, written.error().message});
    tell(options.text, "report    {}\n", path.string());
    return {};
}

ExitCode give_up(Stop const& stop) {
    std::fflush(stdout);
    tell(stderr, "vmcheck: {}{}\n", report::one_line(base::sentence(stop.about, stop.message)),
         stop.details.empty() ? "" : ":");
    for (std::string const& line : report::said_of(stop)) tell(stderr, "    {}\n", line);
    return exit_code(stop.cause);
}

ExitCode give_up(Stop const& stop, std::vector<SessionResult> const& sessions, Options const& options) {
    ExitCode const code = give_up(stop);
    if (auto written = write_report(sessions, options, stop); !written) give_up(written.error());
    return code;
}

}  // namespace vmcheck::cli
