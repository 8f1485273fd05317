#include "checker/finding/cause.h"
#include "checker/finding/finding.h"
#include "checker/report/coverage.h"
#include "checker/report/escape.h"
#include "checker/report/format.h"
#include "checker/report/html_style.h"
#include "checker/report/page_view.h"
#include "checker/report/picture.h"
#include "checker/report/pseudo_code.h"
#include "checker/report/step_words.h"
#include "checker/report/story.h"
#include "checker/report/suspects.h"
#include "checker/report/text.h"
#include "checker/report/verdict.h"
#include "checker/report/violation_words.h"
#include "impl/base/error.h"
#include "spec/text.h"

#include <fmt/core.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <vector>

namespace vmcheck::report {

namespace {

// Everything that comes from a kernel, a file or a program goes through here.
std::string safe(std::string_view text) {
    return escape_markup(text);
}

// A table that a phone shows as a list: each cell under the last one, after the name of its column.
class Table {
  public:
    Table(std::initializer_list<std::string> heads) : heads_(heads) {}

    // REQUIRES: a cell for each head.
    void add(std::initializer_list<std::string_view> cells, bool here = false) {
        rows_ += here ? "<tr class=\"here\">" : "<tr>";
        auto head = heads_.begin();
        for (std::string_view cell : cells)
            rows_ += fmt::format("<td data-head=\"{}\">{}</td>", safe(*head++), safe(cell));
        rows_ += "</tr>\n";
    }

    std::string text() const {
        std::string text = "<div class=\"scroll\"><table>\n<thead><tr>";
        for (std::string const& head : heads_) text += fmt::format("<th scope=\"col\">{}</th>", safe(head));
        return text + "</tr></thead>\n<tbody>\n" + rows_ + "</tbody></table></div>\n";
    }

  private:
    std::vector<std::string> heads_;
    std::string rows_;
};

std::string details(std::string_view summary, std::string const& contents) {
    return fmt::format("<details><summary>{}</summary>\n<pre>{}</pre></details>\n", safe(summary), safe(contents));
}

std::string steps(Finding const& finding) {
    Table table{"#", "who", "step", "a correct kernel", "this kernel"};
    for (std::size_t i = 0; i < finding.records.size(); ++i) {
        run::StepRecord const& record = finding.records[i];
        bool const here = i == finding.divergence.at.value;
        std::string const free = free_words(finding, i);
        table.add({fmt::format("{}", i + 1), fmt::format("p{}", record.step.actor.value),
                   spec::print_without_actor(record.step) + (free.empty() ? "" : fmt::format(" ({})", free)),
                   expected_words(record), seen_words(record) + (here ? "  ←\u00a0here" : "")},
                  here);
    }
    std::string text = table.text();
    if (auto const meaning = free_legend(finding); !meaning.empty())
        text += fmt::format("<p class=\"dim\">(any ...) {}</p>\n", meaning);
    for (auto const& [mark, meaning] : legend(finding.program))
        text += fmt::format("<p class=\"dim\"><code>{}</code> {}</p>\n", mark, meaning);
    return text;
}

std::string page(Finding const& finding) {
    PageView const view = page_view(finding);
    Table table{"who", view.before, view.after};
    for (PageView::Row const& each : view.rows) table.add({each.process, each.before, each.after});
    return fmt::format("<h4>Page table at {}</h4>\n", safe(view.page)) + picture_of_pages(finding) + table.text();
}

std::string code(Finding const& finding) {
    std::string text;
    for (CodeLine const& line : pseudo_code(finding)) {
        text += fmt::format("{:<4}{}", line.process + ":", line.code);
        if (!line.remark.empty()) text += "  // " + line.remark;
        text += '\n';
    }
    return text;
}

std::string places_list(Finding const& finding) {
    Suspects const suspects = suspects_in(finding);
    std::string text;
    for (std::size_t i = 0; i < suspects.at.size(); ++i) {
        Suspect const& suspect = suspects.at[i];
        std::string const why = why_suspected(finding, suspect), source = source_text(finding, suspect.place);
        text += fmt::format("<dt>{}</dt><dd><code>{}</code>{}{}{}</dd>\n", place_label(suspects, i),
                            safe(to_string(suspect.place)), why.empty() ? "" : ": ", why,
                            source.empty() ? "" : fmt::format("<br><code>{}</code>", safe(source)));
    }
    for (FailedAllocation const& failed : finding.evidence.failed_allocations)
        text += fmt::format("<dt>No frame</dt><dd><code>{}</code></dd>\n", safe(describe(failed)));
    std::string ran;
    for (CodePlace const& place : suspects.ran) ran += (ran.empty() ? "" : ", ") + place.function;
    if (!ran.empty()) text += fmt::format("<dt>Entered, in this order</dt><dd><code>{}</code></dd>\n", safe(ran));
    return text;
}

std::string on_qemu(Finding const& finding) {
    if (!finding.on_qemu) return {};
    return fmt::format("<dl>\n<dt>On QEMU</dt><dd>{}</dd>\n</dl>\n", safe(describe(*finding.on_qemu)));
}

std::string also_wrong(Finding const& finding) {
    std::string text;
    for (std::size_t i = 1; i < finding.divergence.violations.size(); ++i)
        text += fmt::format("{}: {}\n", title_of(finding.divergence.violations[i].invariant),
                            words_of(finding.divergence.violations[i]).story);
    return text.empty() ? text : details("Also wrong after this step", text);
}

std::string solid(Finding const& finding) {
    ViolationWords const words = words_of(finding.divergence.violations.front());
    std::string text = fmt::format("<p class=\"story\">{}</p>\n", safe(story_of(finding)));
    text += steps(finding) + picture_of_turns(finding);
    std::string const steps_too = likewise_at(finding), lines_too = likewise_points_at(finding);
    std::string likewise;
    if (!steps_too.empty()) likewise += fmt::format("<dt>Likewise</dt><dd>at {}</dd>\n", safe(steps_too));
    if (!lines_too.empty())
        likewise += fmt::format("<dt>{}</dt><dd>such failures also point at {}</dd>\n",
                                steps_too.empty() ? "Likewise" : "", safe(lines_too));
    text += fmt::format("<dl>\n<dt>Expected</dt><dd>{}</dd>\n<dt>Seen</dt><dd>{}</dd>\n{}{}</dl>\n",
                        safe(words.expected), safe(words.seen), places_list(finding), likewise);
    text += fmt::format("<h4>The program in C</h4>\n<pre>{}</pre>\n", safe(code(finding)));
    if (finding.evidence.pages) text += page(finding);
    text += also_wrong(finding);
    if (!finding.evidence.console.empty()) text += details("What the kernel printed last", finding.evidence.console);
    text += details("The program for vmcheck replay", spec::print(finding.program));
    if (finding.repro_c)
        return text + details(
                          "An xv6 user program that shows it: copy it to user/repro.c, add $U/_repro to UPROGS, make "
                          "qemu, run repro",
                          *finding.repro_c);
    if (finding.repro_gdb)
        return text + details(fmt::format("A script for GDB that shows it on QEMU; no program in C does: {}",
                                          finding.repro_c.error()),
                              *finding.repro_gdb);
    if (finding.on_qemu) return text;  // which says why there is none
    return text + fmt::format("<p class=\"dim\">There is no user program that shows it: {}.</p>\n",
                              safe(finding.repro_c.error()));
}

std::string article(Finding const& finding, std::size_t number, std::size_t total) {
    std::string text =
        fmt::format("<article{}>\n<h3><span class=\"tag\">{}</span> · at {}</h3>\n",
                    finding.severity == Severity::advice ? " class=\"advice\"" : "",
                    safe(title_of(finding.signature.invariant)), safe(spec::kind_name(finding.signature.kind)));
    Cause const cause = cause_of(finding.family);
    text += fmt::format("<p class=\"dim\">What must hold: {}.</p>\n", safe(spec::promise(finding.signature.invariant)));
    text += fmt::format("<p>{} <span class=\"dim\">({})</span></p>\n", safe(cause.title), safe(cause.id));
    text += fmt::format(
        "<p class=\"dim\">{} of {} · {} · {} · seen in {} run{} · reproduced {} of {} times from a fresh "
        "boot</p>\n",
        number, total, to_string(finding.severity), rank_words(finding), finding.seen, finding.seen == 1 ? "" : "s",
        finding.reproduced, finding.attempts);
    text += is_solid(finding) ? solid(finding)
                              : fmt::format("<p>The program {}: this is not counted.</p>\n<pre>{}</pre>\n",
                                            why_not_solid(finding), safe(spec::print(finding.program)));
    return text + on_qemu(finding) + "</article>\n";
}

std::string mark_of(InvariantVerdict const& verdict, std::uint64_t skipped) {
    if (verdict.state == InvariantVerdict::State::failed) return "✗ broken";
    if (!verdict.beside.empty()) return "✗ broken by " + numbers_of(verdict.beside);
    if (verdict.state == InvariantVerdict::State::not_applicable) return "– does not apply";
    if (verdict.evaluated == 0) return "– not checked";
    return verdict.state == InvariantVerdict::State::skipped || skipped > 0 ? "◐ partly checked" : "✓ held";
}

std::string checks(SessionResult const& session) {
    Table table{"invariant", "what must hold", "here", "evaluated", "skipped"};
    for (InvariantVerdict const& verdict : verdicts(session)) {
        std::uint64_t const skipped = session.counts.checks.skipped[static_cast<std::size_t>(verdict.invariant)];
        table.add({title_of(verdict.invariant), spec::promise(verdict.invariant), mark_of(verdict, skipped),
                   fmt::format("{}", verdict.evaluated), fmt::format("{}", skipped)});
    }
    return "<h4>What was checked</h4>\n<div class=\"words\">" + table.text() + "</div>\n";
}

std::string modes(SessionResult const& session) {
    Table table{"mode", "programs", "runs", "reached"};
    for (std::size_t i = 0; i < run::kModes; ++i) {
        auto const mode = static_cast<run::Mode>(i);
        run::ModeCounts const& counts = session.counts.of(mode);
        table.add({std::string(to_string(mode)), counts.programs == 0 ? "not used" : fmt::format("{}", counts.programs),
                   fmt::format("{}", counts.runs), fmt::format("{}", counts.reached)});
    }
    std::string const unfinished = unfinished_line(session.counts);
    return "<h4>How it was run</h4>\n<div class=\"short\">" + table.text() + "</div>\n" +
           fmt::format("<p class=\"dim\">reached: {}</p>\n", run::kWhatIsReached) +
           (unfinished.empty() ? unfinished : fmt::format("<p><strong>{}</strong></p>\n", safe(unfinished)));
}

std::string section(SessionResult const& session) {
    std::string text =
        fmt::format("<section>\n<h2>{}</h2>\n<p class=\"dim\">{} · {} programs · {} steps · seed {}</p>\n",
                    safe(session.kernel.name), safe(session.kernel.profile), session.counts.programs,
                    session.counts.steps, session.seed);
    if (session.kernel.as_found) text += fmt::format("<p><strong>image</strong> {}</p>\n", kAsFound);
    for (std::string const& inherited : session.kernel.inherited)
        text += fmt::format("<p><strong>inherited</strong> {}</p>\n", safe(inherited));
    for (std::string const& advice : session.kernel.advice)
        text += fmt::format("<p><strong>advice</strong> {}</p>\n", safe(advice));
    for (std::string const& line : left_out_lines(session.kernel.left_out))
        text += fmt::format("<p><strong>left out</strong> {}</p>\n", safe(line));
    for (std::string const& missing : session.kernel.missing)
        text += fmt::format("<p><strong>missing</strong> {}</p>\n", safe(missing));
    for (spec::Violation const& violation : session.boot_violations)
        text += fmt::format(
            "<article>\n<h3><span class=\"tag\">{}</span> · right after boot</h3>\n<p "
            "class=\"story\">{}</p>\n</article>\n",
            safe(title_of(violation.invariant)), safe(words_of(violation).story));
    for (std::size_t i = 0; i < session.findings.size(); ++i)
        text += article(session.findings[i], i + 1, session.findings.size());
    if (auto const why = why_incomplete(session))
        text += fmt::format("<p><strong>Not checked to the end</strong>: {}.</p>\n", safe(*why));
    else if (session.findings.empty() && session.boot_violations.empty())
        text += session.kernel.missing.empty()
                    ? "<p class=\"good\">✓ Nothing found.</p>\n"
                    : "<p><strong>◐ Nothing found</strong> by the checks that could be made.</p>\n";
    text += checks(session) + modes(session);
    for (std::string const& line : coverage_lines(session))
        text += fmt::format("<p class=\"dim\">{}</p>\n", safe(line));
    return text + "</section>\n";
}

std::string stopped(Stop const& stop) {
    std::string said;
    for (std::string const& line : said_of(stop)) said += line + '\n';
    return fmt::format("<section>\n<p class=\"story\">{}</p>\n{}</section>\n",
                       safe(base::sentence(stop.about, stop.message)),
                       said.empty() ? "" : fmt::format("<pre>{}</pre>\n", safe(said)));
}

}  // namespace

std::string html_document(std::vector<SessionResult> const& sessions, ReportOptions const& options) {
    std::size_t defects = 0;
    for (SessionResult const& session : sessions) defects += defects_in(session);
    bool const complete = !options.stop && std::none_of(sessions.begin(), sessions.end(), why_incomplete);
    std::string const title =
        fmt::format("vmcheck: {} defect{}{}", defects, defects == 1 ? "" : "s", complete ? "" : ", not all checked");
    std::string text = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n"
        "<style>{}</style>\n</head>\n<body>\n<main>\n<h1>{}</h1>\n",
        title, kHtmlStyle, title);
    for (SessionResult const& session : sessions) text += section(session);
    if (options.stop) text += stopped(*options.stop);
    return text + "</main>\n</body>\n</html>\n";
}

}  // namespace vmcheck::report
