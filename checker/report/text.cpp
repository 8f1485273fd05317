#include "checker/report/text.h"

#include "spec/text.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace vmcheck::report {

namespace {

enum class Paint { red, green, bold, dim };

std::string paint(std::string_view text, Paint how, TextStyle style) {
    if (!style.colour) return std::string(text);
    static constexpr std::array<std::string_view, 4> kCodes{"31", "32", "1", "2"};
    return fmt::format("\033[{}m{}\033[0m", kCodes[static_cast<std::size_t>(how)], text);
}

std::string step_table(Finding const& finding, TextStyle style) {
    std::array<std::size_t, 2> widths{4, 16};
    for (run::StepRecord const& record : finding.records) {
        widths[0] = std::max(widths[0], spec::print(record.step).size());
        widths[1] = std::max(widths[1], record.expected.size());
    }
    std::string text = fmt::format("     {:>2}  {:<{}}  {:<{}}  {}\n", "#", "step", widths[0], "a correct kernel", widths[1],
                                   "this kernel");
    for (std::size_t i = 0; i < finding.records.size(); ++i) {
        run::StepRecord const& record = finding.records[i];
        bool const here = i == finding.divergence.at.value;
        std::string const line = fmt::format("     {:>2}  {:<{}}  {:<{}}  {}{}", i + 1, spec::print(record.step), widths[0],
                                             record.expected, widths[1], record.seen, here ? "   <- here" : "");
        text += here ? paint(line, Paint::bold, style) : line;
        text += '\n';
    }
    return text;
}

std::string rights_of(spec::Rights rights) {
    return fmt::format("{} {} {} {}", rights.read ? 'R' : '-', rights.write ? 'W' : '-', rights.execute ? 'X' : '-',
                       rights.user ? 'U' : '-');
}

std::string cell(PageRow const& row) {
    if (!row.mapped) return "not mapped";
    std::string text = fmt::format("frame {:#x}  {}", row.page.frame.value, rights_of(row.page.rights));
    if (row.references > 0) text += fmt::format("  {} PTE{}", row.references, row.references == 1 ? "" : "s");
    if (row.count) text += fmt::format(", count {}", *row.count);
    if (row.on_free_list == true) text += ", ON THE FREE LIST";
    return text;
}

std::string page_table(PageTable const& table) {
    std::string text = fmt::format("      page at {:#x}\n", start_of(table.page).value);
    constexpr int kWidth = 46;
    text += fmt::format("        {:<9} {:<{}} {}\n", "", "before the last step", kWidth, "after it");
    auto const find = [](std::vector<PageRow> const& rows, spec::ProcId id) {
        return std::find_if(rows.begin(), rows.end(), [&](PageRow const& row) { return row.process == id; });
    };
    std::vector<PageRow> all = table.before;
    for (PageRow const& row : table.after)
        if (find(all, row.process) == all.end()) all.push_back(row);
    for (PageRow const& row : all) {
        auto const before = find(table.before, row.process);
        auto const after = find(table.after, row.process);
        text += fmt::format("        {:<9} {:<{}} {}\n", fmt::format("p{}{}", row.process.value, row.zombie ? " zombie" : ""),
                            before == table.before.end() ? "-" : cell(*before), kWidth,
                            after == table.after.end() ? "-" : cell(*after));
    }
    return text;
}

std::string place(CodePlace const& place) {
    if (place.line == 0) return place.function;
    return fmt::format("{} ({}:{})", place.function, place.file, place.line);
}

std::string trace_lines(KernelTrace const& trace) {
    std::string text;
    if (trace.last) text += fmt::format("      Died in   {}\n", place(*trace.last));
    if (trace.functions.empty()) return text;
    // The first functions of a step are the trap's entry, the same every time; the last ones tell more.
    constexpr std::size_t kMost = 14;
    std::size_t const from = trace.functions.size() > kMost ? trace.functions.size() - kMost : 0;
    text += "      Ran       ";
    if (from > 0) text += "... -> ";
    for (std::size_t i = from; i < trace.functions.size(); ++i)
        text += (i > from ? " -> " : "") + trace.functions[i].function;
    return text + "\n";
}

}  // namespace

std::string title_of(spec::Invariant invariant) {
    return fmt::format("{} {}", spec::short_name(invariant), spec::title(invariant));
}

std::string kernel_lines(TargetSummary const& summary, TextStyle style) {
    std::string text = fmt::format("kernel    {} · {} · {} MiB · booted in {:.1f} s\n", summary.name, summary.profile,
                                   summary.ram_bytes >> 20, summary.boot_seconds);
    if (!summary.windows.empty()) text += fmt::format("windows   {}\n", fmt::join(summary.windows, " · "));
    for (std::string const& missing : summary.missing) text += paint(fmt::format("missing   {}", missing), Paint::bold, style) + "\n";
    return text;
}

std::string finding_text(Finding const& finding, std::size_t number, std::size_t total,
                         std::optional<std::filesystem::path> const& saved, TextStyle style) {
    std::string text = paint(fmt::format("✗ {} of {}   {} · at {}", number, total, title_of(finding.signature.invariant),
                                         spec::kind_name(finding.signature.kind)),
                             Paint::red, style);
    text += fmt::format(" · defect · seen in {} program{}, reproduced {} of {} times after a fresh boot\n\n", finding.seen,
                        finding.seen == 1 ? "" : "s", finding.reproduced, finding.attempts);
    if (finding.divergence.violations.empty())
        return text + "      The program did not fail again: this finding is flaky, and not counted.\n\n" + spec::print(finding.program) + "\n";
    spec::Violation const& violation = finding.divergence.violations.front();
    text += fmt::format("      {}\n\n", paint(violation.story, Paint::bold, style));
    text += step_table(finding, style) + "\n";
    text += fmt::format("      expected  {}\n      seen      {}\n", violation.expected, violation.seen);
    if (finding.evidence.pages) text += "\n" + page_table(*finding.evidence.pages);
    text += "\n" + trace_lines(finding.evidence.trace);
    constexpr std::size_t kAlsoMost = 3;
    for (std::size_t i = 1; i < finding.divergence.violations.size() && i <= kAlsoMost; ++i)
        text += fmt::format("      Also      {}: {}\n", title_of(finding.divergence.violations[i].invariant),
                            finding.divergence.violations[i].story);
    if (finding.shrink_exhausted) text += "      Shrinking ended by its budget: a shorter program may exist.\n";
    if (saved) text += fmt::format("      Replay    vmcheck replay {}\n", saved->string());
    return text + "\n";
}

std::string checks_table(run::Tally const& tally, TextStyle style) {
    std::string text = "checks    evaluated   skipped\n";
    for (std::size_t i = 1; i <= spec::kInvariants; ++i) {
        auto const invariant = static_cast<spec::Invariant>(i);
        std::string const line = fmt::format("  {:<17} {:>9} {:>9}", title_of(invariant), tally.checks.evaluated[i], tally.checks.skipped[i]);
        text += (tally.checks.evaluated[i] == 0 || tally.checks.skipped[i] > 0 ? paint(line, Paint::bold, style) : line) + "\n";
    }
    return text;
}

}  // namespace vmcheck::report
