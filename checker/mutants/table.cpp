#include "checker/mutants/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace vmcheck::mutants {

namespace {

std::optional<double> median(std::vector<double> values) {
    if (values.empty()) return std::nullopt;
    std::sort(values.begin(), values.end());
    std::size_t const middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::string percent(std::size_t part, std::size_t whole) {
    return whole == 0 ? "-" : fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

bool noticed_by_a_suite(Row const& row, std::vector<std::string> const& suites) {
    return std::ranges::any_of(suites, [&](std::string const& suite) { return row.result.suites.at(suite).noticed; });
}

bool as_expected(Row const& row) {
    return row.result.verdict.killed && row.mutant.expects(row.result.verdict.signature);
}

// Within a table's cell.
std::string cell(std::string text) {
    for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.replace(at, 1, "\\|");
    return text;
}

// What it needs, and whether nothing is found where that is switched off.
std::string without_its_faults(Row const& row) {
    auto const& without = row.result.without_its_faults;
    if (!without) return "-";
    return row.mutant.needs +
           (without->killed ? ": **found without, " + without->signature + "**" : ": not found without");
}

bool is_of_the_patch(Named named) {
    return named != Named::elsewhere;
}

// The first place that is of what the patch changes.
std::string named_place(std::vector<Named> const& named) {
    auto const at = std::ranges::find_if(named, is_of_the_patch);
    if (at == named.end()) return named.empty() ? "-" : "not";
    return fmt::format("{}: {}", at - named.begin() + 1, *at == Named::line ? "line" : "function");
}

std::string print_row(Row const& row, std::vector<std::string> const& suites) {
    VerifyResult const& verdict = row.result.verdict;
    std::string line = fmt::format("| [{0}]({0}.patch) | {1} |", row.mutant.name, row.mutant.profile);
    if (verdict.killed)
        line += fmt::format(" {} | {} | {:.1f} s | {} | {} |", verdict.signature, as_expected(row) ? "yes" : "**no**",
                            verdict.seconds, verdict.programs == 0 ? "-" : fmt::format("{}", verdict.programs),
                            verdict.steps ? fmt::format("{}", *verdict.steps) : "-");
    else
        line += fmt::format(" **survives** | - | {:.1f} s | {} | - |", verdict.seconds, verdict.programs);
    line += fmt::format(" {} | {} |", named_place(verdict.named), without_its_faults(row));
    for (std::string const& suite : suites) {
        SuiteResult const& result = row.result.suites.at(suite);
        line += fmt::format(" {} |", result.noticed ? result.how : "passes");
    }
    return line + "\n";
}

std::string survivors(std::vector<Row> const& rows) {
    std::string text;
    for (Row const& row : rows)
        if (!row.result.verdict.killed)
            text += fmt::format("- **{}**: {} Why: {}.\n", row.mutant.name, row.mutant.story,
                                row.mutant.survives.empty() ? "not known yet" : row.mutant.survives);
    return text.empty() ? text : "\n## What survives\n\n" + text;
}

}  // namespace

Summary summarize(std::vector<Row> const& rows, std::vector<std::string> const& suites) {
    Summary summary;
    summary.noticed_by_suite.resize(suites.size());
    std::vector<double> seconds, steps;
    for (Row const& row : rows) {
        VerifyResult const& verdict = row.result.verdict;
        ++summary.mutants;
        summary.killed += verdict.killed ? 1U : 0U;
        summary.numbered += row.mutant.numbered() ? 1U : 0U;
        summary.numbered_killed += row.mutant.numbered() && verdict.killed ? 1U : 0U;
        summary.as_expected += as_expected(row) ? 1U : 0U;
        summary.need_a_fault += row.result.without_its_faults ? 1U : 0U;
        summary.not_without += row.result.without_its_faults && !row.result.without_its_faults->killed ? 1U : 0U;
        bool const by_suite = noticed_by_a_suite(row, suites);
        summary.only_vmcheck += verdict.killed && !by_suite ? 1U : 0U;
        summary.only_vmcheck_as_advice += verdict.advice && !by_suite ? 1U : 0U;
        summary.nobody += !verdict.killed && !by_suite ? 1U : 0U;
        for (std::size_t i = 0; i < suites.size(); ++i)
            summary.noticed_by_suite[i] += row.result.suites.at(suites[i]).noticed ? 1U : 0U;
        auto const& named = verdict.named;
        summary.with_places += named.empty() ? 0U : 1U;
        summary.named_first += !named.empty() && is_of_the_patch(named.front()) ? 1U : 0U;
        summary.named_among_three += std::ranges::any_of(named, is_of_the_patch) ? 1U : 0U;
        if (!verdict.killed) continue;
        seconds.push_back(verdict.seconds);
        if (verdict.steps) steps.push_back(static_cast<double>(*verdict.steps));
    }
    summary.seconds_median = median(std::move(seconds));
    summary.steps_median = median(std::move(steps));
    return summary;
}

std::string print(Summary const& summary, std::vector<std::string> const& suites) {
    std::string text = fmt::format(
        "- **{} of {} mutants are killed by vmcheck** ({}); of those that the labs or stock kernels had first, {} of "
        "{} "
        "({}).\n",
        summary.killed, summary.mutants, percent(summary.killed, summary.mutants), summary.numbered_killed,
        summary.numbered, percent(summary.numbered_killed, summary.numbered));
    text += fmt::format("- **Killed by vmcheck, and noticed by none of {}: {} of {}**{}.\n", fmt::join(suites, ", "),
                        summary.only_vmcheck, summary.mutants,
                        summary.only_vmcheck_as_advice == 0
                            ? ""
                            : fmt::format(", {} of them as advice only", summary.only_vmcheck_as_advice));
    text += "- Noticed by";
    for (std::size_t i = 0; i < suites.size(); ++i)
        text += fmt::format("{} {} {}", i == 0 ? "" : ",", suites[i], summary.noticed_by_suite[i]);
    text += fmt::format("; by nobody: {}.\n", summary.nobody);
    text += fmt::format("- The first finding has the signature that its patch expects: {} of {}.\n",
                        summary.as_expected, summary.killed);
    text += fmt::format(
        "- Said to need a fault (`oom`: an allocation that fails; `preempt`: an interrupt within a step; `harts`: "
        "another "
        "hart within a step): {}. The same verify with these switched off finds nothing in {} of them.\n",
        summary.need_a_fault, summary.not_without);
    text += fmt::format(
        "- *Look at* names a line that the patch changes, or its function, first for {} of {} ({}), and among its "
        "three places for {} ({}).\n",
        summary.named_first, summary.with_places, percent(summary.named_first, summary.with_places),
        summary.named_among_three, percent(summary.named_among_three, summary.with_places));
    if (summary.seconds_median)
        text +=
            fmt::format("- Median from start to verdict, one core: {:.1f} s (boot, search, shrinking, confirmation).\n",
                        *summary.seconds_median);
    if (summary.steps_median)
        text += fmt::format("- Median length of the shrunk program: {:g} steps.\n", *summary.steps_median);
    return text;
}

std::string markdown(std::vector<Row> const& rows, std::vector<std::string> const& suites, std::string const& command) {
    std::string text =
        "# The kill table\n\n"
        "Written by `ci/mutants`; not to be edited. Each mutant is the reference kernel of its profile with one "
        "planted\n"
        "defect (`kernel/README.md`). \"Found as\": invariant and step of the first finding of `" +
        command +
        "`,\n"
        "which stops at the first batch of programs with one; \"expected\": whether the patch says so; \"look at\": "
        "the "
        "first\n"
        "of its three places that the patch changes, or that lies in a function that it changes. A suite notices a "
        "mutant\n"
        "when `vmcheck run` on it ends with another code than 0.\n\n";
    text += print(summarize(rows, suites), suites);
    text += "\n| mutant | profile | found as | expected | verdict after | programs | steps | look at | needs |";
    for (std::string const& suite : suites) text += " " + cell(suite) + " |";
    text += "\n|---|---|---|---|---|---|---|---|---|";
    for (std::size_t i = 0; i < suites.size(); ++i) text += "---|";
    text += "\n";
    for (Row const& row : rows) text += print_row(row, suites);
    return text + survivors(rows);
}

}  // namespace vmcheck::mutants
