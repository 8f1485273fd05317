#include "checker/report/text.h"

#include "checker/finding/cause.h"
#include "checker/finding/finding.h"
#include "checker/report/escape.h"
#include "checker/report/page_view.h"
#include "checker/report/pseudo_code.h"
#include "checker/report/step_words.h"
#include "checker/report/suspects.h"
#include "checker/report/violation_words.h"
#include "spec/advance.h"
#include "spec/layout.h"
#include "spec/text.h"
#include "spec/walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

namespace vmcheck::report {

namespace {

enum class Paint { red, yellow, bold, dim };

std::string paint(std::string_view text, Paint how, TextStyle style) {
    if (!style.colour) return std::string(text);
    static constexpr std::array<std::string_view, 4> kCodes{"31", "33", "1", "2"};
    return fmt::format("\033[{}m{}\033[0m", kCodes[static_cast<std::size_t>(how)], text);
}

// Breaks a sentence into lines that fit a terminal beside the indentation.
std::string wrapped(std::string_view text, std::size_t indent, Paint how, TextStyle style) {
    constexpr std::size_t kColumns = 100;
    std::string out;
    while (!text.empty()) {
        std::size_t end = text.size();
        if (end > kColumns) {
            std::size_t const space = text.rfind(' ', kColumns);
            end = space == std::string_view::npos || space == 0 ? std::min(text.find(' '), text.size()) : space;
        }
        out += std::string(indent, ' ') + paint(text.substr(0, end), how, style) + '\n';
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

std::string title_line(Finding const& finding, std::size_t number, std::size_t total, TextStyle style) {
    std::string const title =
        fmt::format("✗ {} of {}   {} · at {}", number, total, title_of(finding.signature.invariant),
                    spec::kind_name(finding.signature.kind));
    return fmt::format("{} · {} · {} · seen in {} run{}, reproduced {} of {} times from a fresh boot\n\n",
                       paint(title, finding.severity == Severity::defect ? Paint::red : Paint::yellow, style),
                       to_string(finding.severity), rank_words(finding), finding.seen, finding.seen == 1 ? "" : "s",
                       finding.reproduced, finding.attempts);
}

std::string step_table(Finding const& finding, TextStyle style) {
    std::array<std::size_t, 2> widths{4, 16};
    for (run::StepRecord const& record : finding.records) {
        widths[0] = std::max(widths[0], spec::print_without_actor(record.step).size());
        widths[1] = std::max(widths[1], expected_words(record).size());
    }
    std::string const head = fmt::format("    {:>3}  who  {:<{}}   {:<{}}   {}", "#", "step", widths[0],
                                         "a correct kernel", widths[1], "this kernel");
    std::string text = paint(head, Paint::dim, style) + '\n';
    for (std::size_t i = 0; i < finding.records.size(); ++i) {
        run::StepRecord const& record = finding.records[i];
        bool const here = i == finding.divergence.at.value;
        std::string const seen = one_line(seen_words(record));
        std::string_view const mark =
            seen == expected_words(record) ? "   ← here: the result is right, the memory is not" : "   ← here";
        std::string const line =
            fmt::format("    {:>3}  {:<3}  {:<{}}   {:<{}}   {}{}", i + 1, fmt::format("p{}", record.step.actor.value),
                        spec::print_without_actor(record.step), widths[0], expected_words(record), widths[1], seen,
                        here ? mark : "");
        text += (here ? paint(line, Paint::bold, style) : line) + '\n';
        if (std::string const free = free_words(finding, i); !free.empty())
            text += paint(fmt::format("{:14}({})", "", free), Paint::dim, style) + '\n';
    }
    if (auto const meaning = free_legend(finding); !meaning.empty())
        text += paint(fmt::format("         (any ...): {}", meaning), Paint::dim, style) + '\n';
    for (auto const& [mark, meaning] : legend(finding.program))
        text += paint(fmt::format("         {}: {}", mark, meaning), Paint::dim, style) + '\n';
    return text;
}

std::string in_c(Finding const& finding) {
    auto const lines = pseudo_code(finding);
    std::size_t width = 0;
    for (CodeLine const& line : lines) width = std::max(width, line.code.size());
    std::string text;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        std::string const lead = fmt::format("      {:<10}{:<4} ", i == 0 ? "In C" : "", lines[i].process);
        text += lines[i].remark.empty()
                    ? fmt::format("{}{}\n", lead, lines[i].code)
                    : fmt::format("{}{:<{}}   // {}\n", lead, lines[i].code, width, one_line(lines[i].remark));
    }
    return text;
}

constexpr std::string_view kPageLegend =
    "R W X U: rights in the page table entry · PTEs: entries that map the frame · count: the kernel's own";

std::string page_table(Finding const& finding, TextStyle style) {
    PageView const view = page_view(finding);
    std::size_t width = 16;
    std::size_t name = view.page.size();
    for (PageView::Row const& row : view.rows) width = std::max(width, row.before.size());
    for (PageView::Row const& row : view.rows) name = std::max(name, row.process.size() + 3);
    std::string const head = fmt::format("      {:<{}}   {:<{}}   {}", view.page, name, view.before, width, view.after);
    std::string text = paint(head, Paint::dim, style) + '\n';
    for (PageView::Row const& row : view.rows)
        text += fmt::format("         {:<{}}   {:<{}}   {}\n", row.process, name - 3, row.before, width, row.after);
    return text + paint(fmt::format("         {}\n", kPageLegend), Paint::dim, style);
}

// Functions on the way that the step took; a long one begins in the middle, since the end tells more.
std::string entered(std::vector<CodePlace> const& ran) {
    constexpr std::size_t kMost = 12;
    std::size_t const from = ran.size() > kMost ? ran.size() - kMost : 0;
    std::string text = from > 0 ? "..., " : "";
    for (std::size_t i = from; i < ran.size(); ++i) text += (i > from ? ", " : "") + ran[i].function;
    return text;
}

std::string places(Finding const& finding) {
    Suspects const suspects = suspects_in(finding);
    std::string text;
    for (std::size_t i = 0; i < suspects.at.size(); ++i) {
        Suspect const& suspect = suspects.at[i];
        std::string const why = why_suspected(finding, suspect), source = source_text(finding, suspect.place);
        text += fmt::format("      {:<9} {}{}{}\n", place_label(suspects, i), to_string(suspect.place),
                            why.empty() ? "" : ": ", why);
        if (!source.empty()) text += fmt::format("      {:<9}   {}\n", "", source);
    }
    for (FailedAllocation const& failed : finding.evidence.failed_allocations)
        text += fmt::format("      {:<9} {}\n", "No frame", describe(failed));
    if (!suspects.ran.empty()) text += fmt::format("      Entered   in this order: {}\n", entered(suspects.ran));
    return text;
}

std::string also(Finding const& finding) {
    constexpr std::size_t kMost = 3;
    std::string text;
    auto const& violations = finding.divergence.violations;
    for (std::size_t i = 1; i < violations.size() && i <= kMost; ++i)
        text += fmt::format("      {:<9} {}: {}\n", i == 1 ? "Also" : "", spec::short_name(violations[i].invariant),
                            one_line(words_of(violations[i]).story));
    if (violations.size() > kMost + 1)
        text += fmt::format("                and {} more\n", violations.size() - kMost - 1);
    return text;
}

// What was not confirmed catches the eye.
std::string on_qemu(Finding const& finding, TextStyle style) {
    if (!finding.on_qemu) return {};
    std::string const text = one_line(describe(*finding.on_qemu));
    bool const sure = finding.on_qemu->state == QemuVerdict::State::confirmed;
    return fmt::format("      {:<9} {}\n", "On QEMU", sure ? text : paint(text, Paint::bold, style));
}

std::string what_to_do(Finding const& finding, Saved const& saved) {
    std::string const on = fmt::format("{} --kernel {}", shell_word(saved.program.string()), shell_word(saved.kernel));
    std::string text = fmt::format("      Replay    vmcheck replay {}\n      Step      vmcheck debug {} --gdb\n",
                                   one_line(on), one_line(on));
    if (saved.repro_c)
        text += fmt::format(
            "      Show it   {} is an xv6 program: copy it to user/repro.c, add $U/_repro to UPROGS, make qemu, run "
            "repro\n",
            saved.repro_c->string());
    if (!saved.gdb_command.empty())
        text += fmt::format(
            "      {:<9} {}GDB shows it on QEMU{}:\n                {}\n", saved.repro_c ? "" : "Show it",
            saved.repro_c ? "" : fmt::format("no program in C: {}. ", finding.repro_c.error()),
            saved.not_built ? ", after make kernel/kernel in the tree" : "", one_line(shell_line(saved.gdb_command)));
    if (saved.repro_c || !saved.gdb_command.empty()) return text;
    // QEMU's line says why, too.
    if (finding.repro_c || finding.on_qemu) return text;
    return text + fmt::format("      Show it   no user program: {}\n", finding.repro_c.error());
}

// What a correct kernel does at each of the steps that a turn takes up.
struct TurnInWords {
    spec::World const& world;

    static std::string expected(spec::World const& before, spec::Step const& step) {
        return expected_words(spec::expected_results(before, step), step);
    }

    std::vector<std::string> operator()(spec::Step const& step) const {
        return {expected(world, step) +
                (step.faults.meanwhile ? "   (after the step before: the two may not overlap)" : "")};
    }
    std::vector<std::string> operator()(spec::LeftOut const& left_out) const { return {"left out: " + left_out.why}; }
    // In the order in which both can be done: one that sleeps waits for the other.
    std::vector<std::string> operator()(spec::Pair const& pair) const {
        bool const second_first = spec::why_not(world, pair.first).has_value();
        auto const between = spec::predict(world, second_first ? pair.second : pair.first);
        spec::World const& later = between ? between->after : world;
        return {expected(second_first ? later : world, pair.first),
                expected(second_first ? world : later, pair.second) + "   (within the step before)"};
    }
};

// What most programs leave out, since the kernel is known to fail at it.
std::string steered_lines(run::Steered const& steered) {
    std::map<std::string, std::uint64_t> alike;
    for (auto const& [trigger, steps] : steered) alike[words_of(trigger)] += steps;
    std::string text;
    for (auto const& [words, steps] : alike)
        text += fmt::format("  not asked any more, having failed often enough: {} ({} step{} left out)\n", words, steps,
                            steps == 1 ? "" : "s");
    return text;
}

}  // namespace

std::string kernel_lines(TargetSummary const& summary, TextStyle style) {
    std::string const vintage = summary.vintage.empty() ? "" : " · " + summary.vintage;
    std::string text = fmt::format("kernel    {}{} · {} · {} MiB · booted in {:.1f} s\n", one_line(summary.name),
                                   vintage, summary.profile, summary.ram_bytes >> 20, summary.boot_seconds);
    if (summary.as_found) text += fmt::format("image     {}\n", kAsFound);
    if (!summary.windows.empty()) text += fmt::format("windows   {}\n", fmt::join(summary.windows, " · "));
    for (std::string const& inherited : summary.inherited) text += fmt::format("inherited {}\n", inherited);
    for (std::string const& advice : summary.advice) text += fmt::format("advice    {}\n", advice);
    for (std::string const& line : left_out_lines(summary.left_out)) text += fmt::format("left out  {}\n", line);
    for (std::string const& missing : summary.missing) text += missing_line(missing, style);
    return text;
}

std::vector<std::string> left_out_lines(std::vector<base::Link> const& links) {
    std::vector<std::string> lines;
    lines.reserve(links.size());
    for (base::Link const& link : links)
        lines.push_back(one_line(
            fmt::format("{}: is a link that leads out of the tree (to {}), and was left out", link.name, link.target)));
    return lines;
}

std::vector<std::string> said_of(Stop const& stop) {
    std::vector<std::string> lines = left_out_lines(stop.left_out);
    std::ranges::transform(stop.details, std::inserter(lines, lines.begin()), one_line);
    return lines;
}

std::string missing_line(std::string const& missing, TextStyle style) {
    return paint(fmt::format("missing   {}", missing), Paint::bold, style) + "\n";
}

std::string finding_text(Finding const& finding, std::size_t number, std::size_t total,
                         std::optional<Saved> const& saved, TextStyle style) {
    std::string text = title_line(finding, number, total, style);
    if (!is_solid(finding))
        return text + fmt::format("      The program {}: this is not counted.\n\n", why_not_solid(finding)) +
               spec::print(finding.program) + on_qemu(finding, style) + "\n";
    Cause const cause = cause_of(finding.family);
    text += fmt::format("      {} ({})\n", cause.title, cause.id);
    constexpr std::size_t kWhole = 10;
    if (number > kWhole) return text + (saved ? what_to_do(finding, *saved) : "") + on_qemu(finding, style);
    text += '\n';
    ViolationWords const words = words_of(finding.divergence.violations.front());
    text += wrapped(one_line(story_of(finding)), 6, Paint::bold, style) + '\n';
    text += step_table(finding, style) + '\n';
    text += fmt::format("      {:<9} {}\n      {:<9} {}\n\n", "Expected", one_line(words.expected), "Seen",
                        one_line(words.seen));
    if (finding.evidence.pages) text += page_table(finding, style) + '\n';
    text += in_c(finding) + '\n';
    text += places(finding) + also(finding);
    std::string const steps = likewise_at(finding), lines = one_line(likewise_points_at(finding));
    if (!steps.empty()) text += fmt::format("      Likewise  at {}\n", steps);
    if (!lines.empty())
        text += fmt::format("      {:<9} such failures also point at {}\n", steps.empty() ? "Likewise" : "", lines);
    if (finding.shrink_exhausted) text += "      Shrinking ended by its budget: a shorter program may exist.\n";
    if (saved) text += what_to_do(finding, *saved);
    return text + on_qemu(finding, style) + "\n";
}

std::string issue_text(Finding const& finding, Saved const& saved) {
    std::string const title =
        is_solid(finding) ? story_of(finding) : fmt::format("A program {}", why_not_solid(finding));
    std::string text = fmt::format("# {}\n\nOn {}, by vmcheck:\n\n", one_line(title), one_line(saved.kernel));
    // Four spaces make a block of code, whatever a kernel has printed.
    std::string const body = finding_text(finding, 1, 1, saved, {});
    for (std::size_t at = 0; at < body.size();) {
        std::size_t const end = std::min(body.find('\n', at), body.size());
        if (end > at) text += "    " + body.substr(at, end - at);
        text += '\n';
        at = end + 1;
    }
    return text;
}

std::string_view why_not_solid(Finding const& finding) {
    return finding.attempts == 0 ? "failed, and vmcheck was ended before it could be run again"
                                 : "did not fail again: it is flaky";
}

std::string walk_text(spec::Program const& program, std::shared_ptr<spec::Setting const> setting) {
    std::string text;
    std::size_t number = 0;
    auto const line = [&](std::string const& words) {
        spec::Step const& step = program.steps[number++];
        text += fmt::format("  {:>3}  {:<36}  {}\n", number, spec::print(step), words);
    };
    spec::walk(spec::World::initial(spec::setting_for(std::move(setting), program)), program.steps,
               [&](spec::World const& world, spec::Turn const& turn) {
                   for (std::string const& words : std::visit(TurnInWords{world}, turn)) line(words);
                   return true;
               });
    while (number < program.steps.size()) line("not reached");
    return text;
}

std::string unfinished_line(run::Counts const& counts) {
    std::uint64_t all = 0;
    std::string where;
    for (std::size_t i = 0; i < spec::kActionKinds; ++i) {
        if (counts.unfinished[i] == 0) continue;
        all += counts.unfinished[i];
        where += fmt::format("{}{} ({})", where.empty() ? "" : ", ", spec::kind_name(i), counts.unfinished[i]);
    }
    if (all == 0) return "";
    return fmt::format("{} run{} not finished: the kernel was too slow in {}", all, all == 1 ? " was" : "s were",
                       where);
}

std::string modes_table(run::Counts const& counts, TextStyle style) {
    std::string text = "modes                    programs      runs  reached\n";
    for (std::size_t i = 0; i < run::kModes; ++i) {
        auto const mode = static_cast<run::Mode>(i);
        run::ModeCounts const& of_mode = counts.of(mode);
        text += of_mode.programs == 0 ? paint(fmt::format("  {:<20} not used", to_string(mode)), Paint::bold, style)
                                      : fmt::format("  {:<20} {:>10} {:>9} {:>8}", to_string(mode), of_mode.programs,
                                                    of_mode.runs, of_mode.reached);
        text += '\n';
    }
    text += fmt::format("  reached: {}\n", run::kWhatIsReached);
    text += fmt::format("  {} program{} run a second time, from where the first run had left the machine\n",
                        counts.second_runs, counts.second_runs == 1 ? " was" : "s were") +
            steered_lines(counts.steered);
    std::string const unfinished = unfinished_line(counts);
    return unfinished.empty() ? text : text + paint("  " + unfinished, Paint::bold, style) + '\n';
}

std::string checks_table(run::Counts const& counts, TextStyle style) {
    std::string text = "checks                  evaluated   skipped\n";
    for (std::size_t i = 1; i <= spec::kInvariants; ++i) {
        auto const invariant = static_cast<spec::Invariant>(i);
        std::string const line = fmt::format("  {:<20} {:>10} {:>9}", title_of(invariant), counts.checks.evaluated[i],
                                             counts.checks.skipped[i]);
        text +=
            (counts.checks.evaluated[i] == 0 || counts.checks.skipped[i] > 0 ? paint(line, Paint::bold, style) : line) +
            "\n";
    }
    return text;
}

}  // namespace vmcheck::report
