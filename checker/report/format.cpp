#include "checker/report/format.h"

#include "checker/report/text.h"
#include "checker/report/violation_words.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace vmcheck::report {

namespace {

constexpr std::array<std::pair<std::string_view, Format>, 6> kFormats{{{"text", Format::text},
                                                                       {"json", Format::json},
                                                                       {"junit", Format::junit},
                                                                       {"gradescope", Format::gradescope},
                                                                       {"html", Format::html},
                                                                       {"github", Format::github}}};

}  // namespace

std::optional<Format> parse_format(std::string_view name) {
    for (auto const& [word, format] : kFormats)
        if (word == name) return format;
    return std::nullopt;
}

std::string format_names() {
    std::string names;
    for (auto const& [word, format] : kFormats) names += (names.empty() ? "" : ", ") + std::string(word);
    return names;
}

std::string text_document(std::vector<SessionResult> const& sessions) {
    std::string text;
    for (SessionResult const& session : sessions) {
        text += kernel_lines(session.kernel, {});
        for (spec::Violation const& violation : session.boot_violations)
            text += fmt::format("✗ {} · right after boot\n      {}\n", title_of(violation.invariant),
                                words_of(violation).story);
        for (std::size_t i = 0; i < session.findings.size(); ++i)
            text += '\n' + finding_text(session.findings[i], i + 1, session.findings.size(), std::nullopt, {});
        text += checks_table(session.counts, {}) + modes_table(session.counts, {});
    }
    return text;
}

std::string render(Format format, std::vector<SessionResult> const& sessions) {
    switch (format) {
        case Format::text:
            return text_document(sessions);
        case Format::json:
            return json_document(sessions);
        case Format::junit:
            return junit_document(sessions);
        case Format::gradescope:
            return gradescope_document(sessions);
        case Format::html:
            return html_document(sessions);
        case Format::github:
            return github_annotations(sessions);
    }
    return {};
}

}  // namespace vmcheck::report
