// vmcheck-mutants: the kill table. For ci/mutants, which builds what it needs.

#include "checker/cli/exit_code.h"
#include "checker/mutants/runs.h"
#include "checker/mutants/table.h"
#include "impl/base/files.h"
#include "impl/base/interrupt.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <thread>

namespace {

using namespace vmcheck;
using cli::ExitCode;

struct Options {
    mutants::KillTableOptions runs;
    std::filesystem::path patches;
    std::filesystem::path table;
    std::vector<std::string> only;
};

int give_up(ExitCode code, std::string const& message) {
    fmt::print(stderr, "mutants: {}\n", message);
    return static_cast<int>(code);
}

// Those whose name contains one of the words; all where there are no words.
std::vector<mutants::Mutant> chosen(std::vector<mutants::Mutant> all, std::vector<std::string> const& words) {
    if (words.empty()) return all;
    std::erase_if(all, [&](mutants::Mutant const& mutant) {
        return std::ranges::none_of(words,
                                    [&](auto const& word) { return mutant.name.find(word) != std::string::npos; });
    });
    return all;
}

// What a patch says that is not so: a mutant that survives without a reason, one that does not although there is one,
// another signature than expected.
std::vector<std::string> surprises(std::vector<mutants::Row> const& rows) {
    std::vector<std::string> lines;
    for (auto const& [mutant, result] : rows) {
        mutants::VerifyResult const& verdict = result.verdict;
        if (!verdict.killed && mutant.survives.empty()) lines.push_back(mutant.name + " survives");
        if (verdict.killed && !mutant.survives.empty())
            lines.push_back(mutant.name + " is killed, but says 'survives:'");
        if (verdict.killed && !mutant.expects(verdict.signature))
            lines.push_back(fmt::format("{} is found as {}, but expects {}", mutant.name, verdict.signature,
                                        fmt::join(mutant.expected, " or ")));
    }
    return lines;
}

int table(Options const& options, std::stop_token const& stop) {
    auto all = mutants::read_mutants(options.patches);
    if (!all) return give_up(ExitCode::usage, all.error().message);
    auto const some = chosen(std::move(*all), options.only);
    if (some.empty()) return give_up(ExitCode::usage, "no mutant has a name like that.");
    auto const rows = mutants::run_mutants(options.runs, some, stop);
    if (!rows)
        return give_up(
            rows.error().kind == base::Error::Kind::interrupted ? ExitCode::interrupted : ExitCode::environment,
            rows.error().message);
    std::string const text = mutants::markdown(*rows, options.runs.suites, mutants::verify_command(options.runs));
    fmt::print("{}", text);
    if (options.only.empty())
        if (auto written = base::write_file(options.table, text); !written)
            return give_up(ExitCode::environment, written.error().message);
    auto const unexpected = surprises(*rows);
    for (std::string const& line : unexpected) fmt::print(stderr, "mutants: {}\n", line);
    return static_cast<int>(unexpected.empty() ? ExitCode::nothing_found : ExitCode::divergence);
}

}  // namespace

int main(int argc, char** argv) {
    base::Interrupt const interrupt;  // before any thread
    CLI::App app{"Builds nothing; runs vmcheck verify and each suite on every mutant, and writes the kill table.",
                 "mutants"};
    app.footer(
        "\nExit codes: 0 every mutant is as its patch says, 1 one is not (survives, or is found as something else), 2 "
        "wrong\n"
        "usage, 3 a problem of this machine, or a suite that fails on the reference kernel, 130 Ctrl-C. What is done "
        "is kept:\n"
        "the same command goes on where it stopped, and runs again only what has changed.");
    Options options;
    options.runs.jobs = std::max(1U, std::thread::hardware_concurrency());
    options.runs.suites = {"cowtest", "lazytests", "usertests"};
    app.add_option("only", options.only, "Only mutants whose name contains one of these; no table is written then");
    app.add_option("--vmcheck", options.runs.vmcheck, "The program")->required();
    app.add_option("--kernels", options.runs.kernels, "Where the build leaves kernels")->required();
    app.add_option("--patches", options.patches, "Where the patches are")->required();
    app.add_option("--table", options.table, "The table to write")->required();
    app.add_option("--work", options.runs.work, "Where results are kept")->required();
    app.add_option("--suite", options.runs.suites, "Suites to run on each")->capture_default_str();
    app.add_option("--seed", options.runs.seed, "Of verify")->capture_default_str();
    app.add_option("--jobs,-j", options.runs.jobs, "Processes at a time")
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
    app.add_flag("--again", options.runs.again, "Keep no earlier result");
    try {
        app.parse(argc, argv);
    } catch (CLI::ParseError const& error) {
        // CLI11 reports by exception; this is the border at which that ends.
        return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::usage);
    }
    return table(options, interrupt.token());
}
