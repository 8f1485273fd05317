#include "checker/finding/cause.h"
#include "checker/report/escape.h"
#include "checker/report/format.h"
#include "checker/report/step_words.h"
#include "checker/report/story.h"
#include "checker/report/suspects.h"
#include "checker/report/text.h"
#include "checker/report/verdict.h"
#include "checker/report/violation_words.h"
#include "impl/base/error.h"
#include "spec/text.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::report {

namespace {

using Json = nlohmann::ordered_json;

Json text(std::string_view words) {
    return {{"text", printable(words)}};
}

// RFC 3986: what is neither unreserved nor a slash is escaped, whatever bytes a file name has.
std::string uri_of(std::string_view file) {
    std::string uri = file.starts_with('/') ? "file://" : "";
    for (char const c : file) {
        auto const byte = static_cast<unsigned char>(c);
        bool const plain = std::isalnum(byte) != 0 || std::string_view("-._~/").find(c) != std::string_view::npos;
        uri += plain && byte < 0x80 ? std::string(1, c) : fmt::format("%{:02X}", byte);
    }
    return uri;
}

// A place in the kernel: the line where it is known, else the function alone. Files of a tree are relative to it.
Json to_location(CodePlace const& place) {
    Json location = Json::object();
    if (place.line != 0 && !place.file.empty()) {
        Json artifact = {{"uri", uri_of(place.file)}};
        if (!place.file.starts_with('/')) artifact["uriBaseId"] = "%SRCROOT%";
        location["physicalLocation"] = {{"artifactLocation", artifact}, {"region", {{"startLine", place.line}}}};
    }
    if (!place.function.empty())
        location["logicalLocations"] = Json::array({{{"name", one_line(place.function)}, {"kind", "function"}}});
    return location;
}

// The story: a thread for each process, its steps in the order of the program, and below the failing one the way that
// it took through the kernel.
Json code_flows(Finding const& finding) {
    std::vector<spec::ProcId> processes;
    for (spec::Step const& step : finding.program.steps)
        if (std::find(processes.begin(), processes.end(), step.actor) == processes.end())
            processes.push_back(step.actor);
    Json threads = Json::array();
    for (spec::ProcId const process : processes) {
        Json locations = Json::array();
        for (std::size_t i = 0; i < finding.program.steps.size(); ++i) {
            spec::Step const& step = finding.program.steps[i];
            if (step.actor != process) continue;
            bool const fails = i == finding.divergence.at.value;
            std::string words = fmt::format("step {}: {}", i + 1, in_words(step));
            if (i < finding.records.size())
                words += fmt::format("; a correct kernel: {}; this kernel: {}", expected_words(finding.records[i]),
                                     seen_words(finding.records[i]));
            locations.push_back({{"location", {{"message", text(words)}}},
                                 {"nestingLevel", 0},
                                 {"executionOrder", i + 1},
                                 {"importance", fails ? "essential" : "important"}});
            if (!fails) continue;
            for (CodePlace const& place : suspects_in(finding).ran)
                locations.push_back({{"location", to_location(place)},
                                     {"nestingLevel", 1},
                                     {"executionOrder", i + 1},
                                     {"importance", "unimportant"}});
        }
        threads.push_back({{"id", name_of(process)}, {"locations", locations}});
    }
    return Json::array({{{"threadFlows", threads}}});
}

// The rules of a run, each once, in the order in which they are met.
class Rules {
  public:
    // Its index.
    std::size_t add(std::string const& id, std::string_view title, spec::Invariant invariant) {
        auto const known =
            std::find_if(rules_.begin(), rules_.end(), [&](Json const& rule) { return rule.at("id") == id; });
        if (known == rules_.end()) {
            rules_.push_back(
                {{"id", id},
                 {"shortDescription", text(title)},
                 {"fullDescription", text(fmt::format("{}: {}.", title_of(invariant), spec::promise(invariant)))}});
            return rules_.size() - 1;
        }
        return static_cast<std::size_t>(known - rules_.begin());
    }
    Json const& all() const { return rules_; }

  private:
    Json rules_ = Json::array();
};

Json to_result(Finding const& finding, Rules& rules) {
    Cause const cause = cause_of(finding.family);
    bool const solid = is_solid(finding);
    Json result = {{"ruleId", cause.id}};
    result["ruleIndex"] = rules.add(cause.id, cause.title, finding.signature.invariant);
    result["kind"] = "fail";
    result["level"] = !solid ? "warning" : finding.severity == Severity::defect ? "error" : "note";
    std::string words = solid ? story_of(finding) : fmt::format("Seen, but the program {}.", why_not_solid(finding));
    if (finding.on_qemu) words += fmt::format("\nOn QEMU: {}", describe(*finding.on_qemu));
    result["message"] = text(words);
    result["locations"] = Json::array();
    if (auto const place = place_to_mark(finding)) result["locations"].push_back(to_location(*place));
    result["codeFlows"] = code_flows(finding);
    // What stays the same when lines move: the mistake, and at what it shows.
    result["partialFingerprints"] = {{"vmcheckCause/v1", cause.id + '/' + run::to_string(finding.signature)}};
    result["properties"] = {{"program", spec::print(finding.program)}};
    return result;
}

Json notification(std::string_view level, std::string_view words) {
    return {{"level", level}, {"message", text(words)}};
}

Json run_of(Rules const& rules, Json results, bool complete, Json notifications) {
    Json run;
    run["tool"] = {{"driver", {{"name", "vmcheck"}, {"rules", rules.all()}}}};
    run["originalUriBaseIds"] = {{"%SRCROOT%", {{"description", text("the kernel's tree")}}}};
    run["invocations"] =
        Json::array({{{"executionSuccessful", complete}, {"toolExecutionNotifications", std::move(notifications)}}});
    run["results"] = std::move(results);
    run["columnKind"] = "utf16CodeUnits";
    return run;
}

Json run_of(SessionResult const& session) {
    Rules rules;
    Json results = Json::array(), notifications = Json::array();
    for (spec::Violation const& violation : session.boot_violations) {
        std::string const id = fmt::format("{}-right-after-boot", spec::short_name(violation.invariant));
        results.push_back({{"ruleId", id},
                           {"ruleIndex", rules.add(id, "wrong right after boot", violation.invariant)},
                           {"kind", "fail"},
                           {"level", "error"},
                           {"message", text(words_of(violation).story)},
                           {"locations", Json::array()},
                           {"partialFingerprints", {{"vmcheckCause/v1", id}}}});
    }
    for (Finding const& finding : session.findings) results.push_back(to_result(finding, rules));
    auto const why = why_incomplete(session);
    if (why) notifications.push_back(notification("warning", fmt::format("not checked to the end: {}", *why)));
    for (std::string const& missing : session.kernel.missing) notifications.push_back(notification("note", missing));
    for (std::string const& line : left_out_lines(session.kernel.left_out))
        notifications.push_back(notification("note", line));
    Json run = run_of(rules, std::move(results), !why, std::move(notifications));
    run["automationDetails"] = {{"description", text(name_of(session))}};
    return run;
}

}  // namespace

std::string sarif_document(std::vector<SessionResult> const& sessions, ReportOptions const& options) {
    Json document;
    document["$schema"] = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
    document["version"] = "2.1.0";
    document["runs"] = Json::array();
    for (SessionResult const& session : sessions) document["runs"].push_back(run_of(session));
    if (options.stop) {
        std::string words = base::sentence(options.stop->about, options.stop->message);
        for (std::string const& line : said_of(*options.stop)) words += '\n' + line;
        document["runs"].push_back(run_of({}, Json::array(), false, Json::array({notification("error", words)})));
    }
    return document.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace vmcheck::report
