#include "checker/finding/cause.h"
#include "checker/finding/finding.h"
#include "checker/report/coverage.h"
#include "checker/report/format.h"
#include "checker/report/pseudo_code.h"
#include "checker/report/step_words.h"
#include "checker/report/story.h"
#include "checker/report/suspects.h"
#include "checker/report/violation_words.h"
#include "spec/text.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace vmcheck::report {

namespace {

using Json = nlohmann::ordered_json;

// Kernel text may hold any byte; JSON strings are UTF-8.
constexpr auto kReplaceBadBytes = Json::error_handler_t::replace;

Json to_json(spec::Violation const& violation) {
    Json json;
    json["invariant"] = spec::short_name(violation.invariant);
    json["title"] = spec::title(violation.invariant);
    json["process"] = violation.process ? Json(fmt::format("p{}", violation.process->value)) : Json(nullptr);
    json["address"] = violation.address ? Json(fmt::format("{:#x}", violation.address->value)) : Json(nullptr);
    ViolationWords const words = words_of(violation);
    json["story"] = words.story;
    json["expected"] = words.expected;
    json["seen"] = words.seen;
    return json;
}

Json to_json(CodePlace const& place) {
    return {{"function", place.function}, {"file", place.file}, {"line", place.line}};
}

Json to_json(std::vector<CodePlace> const& places) {
    Json all = Json::array();
    for (CodePlace const& place : places) all.push_back(to_json(place));
    return all;
}

Json to_json(LastAccess const& access) {
    constexpr std::array<std::string_view, 8> kWords = {
        "entry", "count", "byte", "break", "entry of lost", "table of lost", "count of lost", "content of lost"};
    return {{"what", kWords.at(static_cast<std::size_t>(access.of))},
            {"step", access.at.value + 1},
            {"stack", to_json(access.stack)}};
}

Json to_json(Spectrum const& spectrum) {
    constexpr std::size_t kMost = 20;
    Json lines = Json::array();
    for (std::size_t i = 0; i < std::min(kMost, spectrum.lines.size()); ++i) {
        Spectrum::Line const& line = spectrum.lines[i];
        Json each = to_json(line.place);
        each["failing"] = line.failing;
        each["passing"] = line.passing;
        lines.push_back(std::move(each));
    }
    return {{"failing", spectrum.failing}, {"passing", spectrum.passing}, {"lines", std::move(lines)}};
}

Json to_json(std::vector<PageRow> const& rows) {
    Json all = Json::array();
    for (PageRow const& row : rows) {
        Json json;
        json["process"] = fmt::format("p{}", row.process.value);
        json["zombie"] = row.zombie;
        json["mapped"] = row.mapped;
        if (row.mapped) {
            json["frame"] = fmt::format("{:#x}", row.page.frame.value);
            json["rights"] = spec::to_string(row.page.rights);
            json["references"] = row.references;
            json["count"] = row.count ? Json(*row.count) : Json(nullptr);
            json["on_free_list"] = row.on_free_list ? Json(*row.on_free_list) : Json(nullptr);
        }
        all.push_back(std::move(json));
    }
    return all;
}

Json to_json(std::vector<base::Link> const& links) {
    Json all = Json::array();
    for (base::Link const& link : links) all.push_back({{"name", link.name}, {"target", link.target}});
    return all;
}

Json to_json(run::Family const& family) {
    Cause const cause = cause_of(family);
    spec::Circumstances const& met = family.circumstances;
    return {{"id", cause.id},
            {"title", cause.title},
            {"has_a_name", cause.known},
            {"grounds", names_of(met.grounds)},
            {"crosses", met.crosses},
            {"refused", met.refused},
            {"overlapped", met.overlapped}};
}

Json to_json(Finding const& finding) {
    Json json;
    json["cause"] = to_json(finding.family);
    json["signature"] = run::to_string(finding.signature);
    json["invariant"] = spec::short_name(finding.signature.invariant);
    json["kind"] = spec::kind_name(finding.signature.kind);
    json["also"] = Json::array();
    for (run::Signature const& other : finding.also) json["also"].push_back(run::to_string(other));
    json["also_at"] = to_json(finding.also_at);
    json["severity"] = to_string(finding.severity);
    json["rank"] = to_string(rank_of(finding));
    json["story"] = is_solid(finding) ? Json(story_of(finding)) : Json(nullptr);
    json["mode"] = to_string(finding.mode);
    json["case"] = finding.case_index;
    json["seen_in_programs"] = finding.seen;
    json["reproduced"] = {{"times", finding.reproduced}, {"attempts", finding.attempts}};
    json["step"] = finding.divergence.at.value + 1;
    json["violations"] = Json::array();
    for (spec::Violation const& violation : finding.divergence.violations)
        json["violations"].push_back(to_json(violation));
    json["program"] = spec::print(finding.program);
    json["steps"] = Json::array();
    for (run::StepRecord const& record : finding.records)
        json["steps"].push_back({{"step", spec::print(record.step)},
                                 {"expected", expected_words(record)},
                                 {"seen", seen_words(record)},
                                 {"free", Json::array()}});
    for (FreeArgument const& each : finding.evidence.free)
        json["steps"].at(each.at.value)["free"].push_back(
            {{"argument", to_string(each.of)},
             {"words", words_of(each, finding.records.at(each.at.value).step.action)},
             {"tried", each.tried}});
    json["page"] = nullptr;
    if (finding.evidence.pages) {
        PageTable const& pages = *finding.evidence.pages;
        json["page"] = {{"address", fmt::format("{:#x}", start_of(pages.page).value)},
                        {"place", finding.evidence.place ? Json(spec::print(*finding.evidence.place)) : Json(nullptr)},
                        {"before", to_json(pages.before)},
                        {"after", to_json(pages.after)}};
    }
    json["pseudo_code"] = Json::array();
    for (CodeLine const& line : pseudo_code(finding))
        json["pseudo_code"].push_back({{"process", line.process}, {"code", line.code}, {"remark", line.remark}});
    Suspects const suspects = suspects_in(finding);
    json["look_at"] = Json::array();
    for (Suspect const& suspect : suspects.at) {
        if (suspect.why == Suspect::Why::died_in_helper) continue;  // "died_in"
        Json each = to_json(suspect.place);
        each["why"] = why_suspected(finding, suspect);
        each["text"] = source_text(finding, suspect.place);
        json["look_at"].push_back(std::move(each));
    }
    json["written"] = finding.evidence.written ? to_json(*finding.evidence.written) : Json(nullptr);
    json["raised"] = finding.evidence.raised ? to_json(*finding.evidence.raised) : Json(nullptr);
    json["read"] = finding.evidence.read ? to_json(*finding.evidence.read) : Json(nullptr);
    json["spectrum"] = to_json(finding.evidence.spectrum);
    json["ran"] = to_json(suspects.ran);
    json["functions"] = to_json(finding.evidence.trace.functions);
    json["failed_allocations"] = Json::array();
    for (FailedAllocation const& failed : finding.evidence.failed_allocations) {
        Json each = {{"step", failed.at.value + 1}};
        each.update(to_json(failed.caller));
        json["failed_allocations"].push_back(std::move(each));
    }
    json["died_in"] = finding.evidence.trace.last ? to_json(*finding.evidence.trace.last) : Json(nullptr);
    json["console"] = finding.evidence.console;
    json["repro_c"] = finding.repro_c ? Json(*finding.repro_c) : Json(nullptr);
    json["why_no_repro_c"] = finding.repro_c ? Json(nullptr) : Json(finding.repro_c.error());
    json["repro_gdb"] = finding.repro_gdb ? Json(*finding.repro_gdb) : Json(nullptr);
    json["on_qemu"] = nullptr;
    if (finding.on_qemu)
        json["on_qemu"] = {{"verdict", to_string(finding.on_qemu->state)}, {"how", finding.on_qemu->how}};
    json["original_program"] = spec::print(finding.original);
    json["shrink"] = {{"executions", finding.shrink_executions}, {"exhausted", finding.shrink_exhausted}};
    return json;
}

Json to_json(Coverage const& coverage) {
    MemoryCoverage const memory = memory_coverage(coverage);
    Json json = {{"of", memory.by_lines ? "lines" : "functions"},
                 {"all", memory.all},
                 {"reached", memory.reached},
                 {"only_panic", memory.only_panic},
                 {"code", Json::array()},
                 {"never_reached", Json::array()}};
    for (MemoryCoverage::Part const& part : memory.parts)
        json["code"].push_back({{"file", part.file}, {"functions", part.functions}});
    for (MemoryCoverage::Gap const& gap : memory.gaps)
        json["never_reached"].push_back(
            {{"file", gap.file}, {"function", gap.function}, {"from", gap.from}, {"to", gap.to}});
    return json;
}

Json to_json(SessionResult const& session) {
    Json json;
    json["kernel"] = session.kernel.name;
    json["profile"] = session.kernel.profile;
    json["as_found"] = session.kernel.as_found;
    json["windows"] = session.kernel.windows;
    json["left_out"] = to_json(session.kernel.left_out);
    json["missing"] = session.kernel.missing;
    json["vintage"] = session.kernel.vintage;
    json["inherited"] = session.kernel.inherited;
    json["advice"] = session.kernel.advice;
    json["never_called"] = session.kernel.never_called;
    json["seed"] = session.seed;
    json["programs"] = session.counts.programs;
    json["steps"] = session.counts.steps;
    json["interrupted"] = session.interrupted;
    for (std::size_t i = 0; i < spec::kActionKinds; ++i)
        json["steps_by_kind"][std::string(spec::kind_name(i))] = session.counts.kinds[i];
    for (std::size_t i = 1; i <= spec::kInvariants; ++i) {
        auto const name = std::string(spec::short_name(static_cast<spec::Invariant>(i)));
        json["checks"][name] = {{"evaluated", session.counts.checks.evaluated[i]},
                                {"skipped", session.counts.checks.skipped[i]}};
    }
    for (std::size_t i = 0; i < run::kModes; ++i) {
        auto const mode = static_cast<run::Mode>(i);
        run::ModeCounts const& counts = session.counts.of(mode);
        json["modes"][std::string(to_string(mode))] = {
            {"programs", counts.programs}, {"runs", counts.runs}, {"reached", counts.reached}};
    }
    json["coverage"] = to_json(session.coverage);
    json["second_runs"] = session.counts.second_runs;
    json["steered_around"] = Json::array();
    for (auto const& [trigger, steps] : session.counts.steered)
        json["steered_around"].push_back({{"way", name_of(trigger.way)},
                                          {"grounds", names_of(trigger.met.grounds)},
                                          {"refused", trigger.met.refused},
                                          {"steps", steps}});
    json["unfinished"] = Json::object();
    for (std::size_t i = 0; i < spec::kActionKinds; ++i)
        if (session.counts.unfinished[i] > 0)
            json["unfinished"][std::string(spec::kind_name(i))] = session.counts.unfinished[i];
    json["different_failures"] = session.families;
    json["boot_violations"] = Json::array();
    for (spec::Violation const& violation : session.boot_violations) {
        Json each = {{"signature", fmt::format("{} boot", spec::short_name(violation.invariant))}};
        each.update(to_json(violation));
        json["boot_violations"].push_back(std::move(each));
    }
    json["findings"] = Json::array();
    for (Finding const& finding : session.findings) json["findings"].push_back(to_json(finding));
    return json;
}

Json to_json(Stop const& stop) {
    return {{"cause", to_string(stop.cause)},
            {"about", stop.about.empty() ? Json(nullptr) : Json(stop.about)},
            {"message", stop.message},
            {"details", stop.details},
            {"left_out", to_json(stop.left_out)}};
}

}  // namespace

std::string json_document(std::vector<SessionResult> const& sessions, ReportOptions const& options) {
    Json document;
    document["vmcheck"] = 1;
    document["sessions"] = Json::array();
    for (SessionResult const& session : sessions) document["sessions"].push_back(to_json(session));
    document["stopped"] = options.stop ? to_json(*options.stop) : Json(nullptr);
    return document.dump(2, ' ', false, kReplaceBadBytes) + "\n";
}

}  // namespace vmcheck::report
