#include "checker/report/escape.h"
#include "checker/report/format.h"
#include "checker/report/story.h"
#include "checker/report/text.h"
#include "checker/report/verdict.h"
#include "impl/base/error.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace vmcheck::report {

namespace {

using Json = nlohmann::ordered_json;

using State = InvariantVerdict::State;

Json test(SessionResult const& session, InvariantVerdict const& verdict, double points, bool grant_unchecked) {
    bool const failed = verdict.state == State::failed, checked = verdict.state != State::skipped;
    std::string output = printable(verdict.text);
    if (failed) output += fmt::format("What must hold: {}.\n", spec::promise(verdict.invariant));
    if (!checked) output += grant_unchecked ? "\nIts points are given unchecked." : "\nIts points are withheld.";
    bool const earned = checked ? !failed : grant_unchecked;
    return {{"name", fmt::format("{} ({}){}", title_of(verdict.invariant), session.kernel.profile,
                                 checked ? "" : ": not checked")},
            {"number", std::string(spec::short_name(verdict.invariant))},
            {"score", earned ? points : 0.0},
            {"max_score", points},
            {"status", earned ? "passed" : "failed"},
            {"output", output},
            {"output_format", "text"},
            {"visibility", "visible"}};
}

Json stopped_test(Stop const& stop, double points) {
    std::string output = printable(base::sentence(stop.about, stop.message)) + '\n';
    for (std::string const& line : said_of(stop)) output += line + '\n';
    return {{"name", "The kernel can be checked"},
            {"score", 0.0},
            {"max_score", points},
            {"status", "failed"},
            {"output", output},
            {"output_format", "text"},
            {"visibility", "visible"}};
}

}  // namespace

std::string gradescope_document(std::vector<SessionResult> const& sessions, ReportOptions const& options) {
    constexpr double kAll = 100;
    std::vector<std::pair<SessionResult const*, InvariantVerdict>> tests;
    for (SessionResult const& session : sessions)
        for (InvariantVerdict& verdict : verdicts(session))
            if (verdict.state != State::not_applicable) tests.emplace_back(&session, std::move(verdict));
    // Where vmcheck came to no end, what it has is no part of a whole.
    double const points = options.stop ? 0 : kAll / static_cast<double>(std::max<std::size_t>(tests.size(), 1));
    Json document;
    std::string about;
    for (SessionResult const& session : sessions)
        about += fmt::format("{}: {} programs, {} steps, {} found wrong, seed {}\n", printable(name_of(session)),
                             session.counts.programs, session.counts.steps, defects_in(session), session.seed) +
                 (session.kernel.left_out.empty()
                      ? ""
                      : fmt::format("{}\n", fmt::join(left_out_lines(session.kernel.left_out), "\n"))) +
                 (why_incomplete(session) ? fmt::format("not checked to the end: {}\n", *why_incomplete(session)) : "");
    document["output"] = about;
    document["output_format"] = "text";
    document["visibility"] = "visible";
    document["stdout_visibility"] = "visible";
    document["tests"] = Json::array();
    if (options.stop) document["tests"].push_back(stopped_test(*options.stop, kAll));
    for (auto const& [session, verdict] : tests)
        document["tests"].push_back(test(*session, verdict, points, options.grant_unchecked));
    return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace vmcheck::report
