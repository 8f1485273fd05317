#include "checker/report/format.h"

#include "checker/report/coverage.h"
#include "checker/report/escape.h"
#include "checker/report/text.h"
#include "checker/report/verdict.h"
#include "checker/report/violation_words.h"
#include "impl/base/error.h"

#include <fmt/core.h>

#include <array>

namespace vmcheck::report {

namespace {

struct FormatRow {
    std::string_view name;
    std::string (*document)(std::vector<SessionResult> const&, ReportOptions const&);
};
// In the order of Format.
constexpr std::array kFormats = {FormatRow{"text", text_document},   FormatRow{"json", json_document},
                                 FormatRow{"junit", junit_document}, FormatRow{"gradescope", gradescope_document},
                                 FormatRow{"html", html_document},   FormatRow{"github", github_annotations},
                                 FormatRow{"sarif", sarif_document}};

}  // namespace

std::optional<Format> parse_format(std::string_view name) {
    for (std::size_t i = 0; i < kFormats.size(); ++i)
        if (kFormats[i].name == name) return static_cast<Format>(i);
    return std::nullopt;
}

std::string format_names() {
    std::string names;
    for (FormatRow const& row : kFormats) names += (names.empty() ? "" : ", ") + std::string(row.name);
    return names;
}

std::string text_document(std::vector<SessionResult> const& sessions, ReportOptions const& options) {
    std::string text;
    for (SessionResult const& session : sessions) {
        text += kernel_lines(session.kernel, {});
        for (spec::Violation const& violation : session.boot_violations)
            text += fmt::format("✗ {} · right after boot\n      {}\n", title_of(violation.invariant),
                                words_of(violation).story);
        for (std::size_t i = 0; i < session.findings.size(); ++i)
            text += '\n' + finding_text(session.findings[i], i + 1, session.findings.size(), std::nullopt, {});
        text += checks_table(session.counts, {}) + modes_table(session.counts, {}) + coverage_text(session);
        if (auto const why = why_incomplete(session)) text += fmt::format("not checked to the end: {}\n", *why);
    }
    if (options.stop) {
        text += fmt::format("vmcheck: {}\n", base::sentence(options.stop->about, options.stop->message));
        for (std::string const& line : said_of(*options.stop)) text += "    " + line + '\n';
    }
    return text;
}

std::string render(Format format, std::vector<SessionResult> const& sessions, ReportOptions const& options) {
    return kFormats.at(static_cast<std::size_t>(format)).document(sessions, options);
}

}  // namespace vmcheck::report
