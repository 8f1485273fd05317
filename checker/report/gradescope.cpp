#include "checker/report/escape.h"
#include "checker/report/format.h"
#include "checker/report/story.h"
#include "checker/report/verdict.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace vmcheck::report {

namespace {

using Json = nlohmann::ordered_json;

Json test(SessionResult const& session, InvariantVerdict const& verdict, double points) {
    bool const failed = verdict.state == InvariantVerdict::State::failed;
    std::string output = printable(verdict.text);
    if (failed) output += fmt::format("What must hold: {}.\n", spec::promise(verdict.invariant));
    return {{"name", fmt::format("{} ({})", title_of(verdict.invariant), session.kernel.profile)},
            {"number", std::string(spec::short_name(verdict.invariant))},
            {"score", failed ? 0.0 : points},
            {"max_score", points},
            {"status", failed ? "failed" : "passed"},
            {"output", output},
            {"output_format", "text"},
            {"visibility", "visible"}};
}

}  // namespace

std::string gradescope_document(std::vector<SessionResult> const& sessions) {
    constexpr double kAll = 100;
    double const points = kAll / static_cast<double>(spec::kInvariants * std::max<std::size_t>(sessions.size(), 1));
    Json document;
    std::string about;
    for (SessionResult const& session : sessions)
        about += fmt::format("{}: {} programs, {} steps, {} found wrong, seed {}\n", printable(name_of(session)),
                             session.counts.programs, session.counts.steps, defects_in(session), session.seed);
    document["output"] = about;
    document["output_format"] = "text";
    document["visibility"] = "visible";
    document["stdout_visibility"] = "visible";
    document["tests"] = Json::array();
    for (SessionResult const& session : sessions)
        for (InvariantVerdict const& verdict : verdicts(session))
            document["tests"].push_back(test(session, verdict, points));
    return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace vmcheck::report
