#include "checker/report/escape.h"
#include "checker/report/format.h"
#include "checker/report/story.h"
#include "checker/report/suspects.h"
#include "checker/report/text.h"
#include "checker/report/verdict.h"
#include "checker/report/violation_words.h"
#include "impl/base/error.h"
#include "spec/text.h"

#include <fmt/core.h>

namespace vmcheck::report {

namespace {

// What an annotation is attached to.
std::string where(Finding const& finding) {
    auto const place = place_to_mark(finding);
    return place ? fmt::format("file={},line={},", escape_property(place->file), place->line) : std::string{};
}

std::string annotation(Finding const& finding) {
    bool const solid = is_solid(finding);
    std::string const title =
        fmt::format("{} at {}", title_of(finding.signature.invariant), spec::kind_name(finding.signature.kind));
    std::string const program = spec::print(finding.program);
    std::string message = solid ? fmt::format("{}\nShrunk program:\n{}", story_of(finding), program)
                                : fmt::format("Seen, but the program {}:\n{}", why_not_solid(finding), program);
    if (finding.on_qemu) message += fmt::format("\nOn QEMU: {}", describe(*finding.on_qemu));
    return fmt::format("::{} {}title={}::{}\n", solid && finding.severity == Severity::defect ? "error" : "warning",
                       where(finding), escape_property(title), escape_message(message));
}

}  // namespace

std::string github_annotations(std::vector<SessionResult> const& sessions, ReportOptions const& options) {
    std::string text;
    for (SessionResult const& session : sessions) {
        for (spec::Violation const& violation : session.boot_violations)
            text +=
                fmt::format("::error title={} right after boot::{}\n", escape_property(title_of(violation.invariant)),
                            escape_message(words_of(violation).story));
        for (Finding const& finding : session.findings) text += annotation(finding);
        for (std::string const& line : left_out_lines(session.kernel.left_out))
            text += fmt::format("::notice title=vmcheck::{}\n", escape_message(line));
        if (auto const why = why_incomplete(session))
            text += fmt::format("::warning title=vmcheck::{}\n",
                                escape_message(fmt::format("{}: not checked to the end: {}", name_of(session), *why)));
        else if (session.findings.empty() && session.boot_violations.empty())
            text += fmt::format("::notice title=vmcheck::{}\n",
                                escape_message(fmt::format("{}: nothing found in {} programs, seed {}",
                                                           name_of(session), session.counts.programs, session.seed)));
    }
    if (options.stop) {
        std::string message = base::sentence(options.stop->about, options.stop->message);
        for (std::string const& line : said_of(*options.stop)) message += '\n' + line;
        text += fmt::format("::error title=vmcheck::{}\n", escape_message(message));
    }
    return text;
}

}  // namespace vmcheck::report
