#include "checker/mutants/mutant_result.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace vmcheck::mutants {

namespace {

using nlohmann::json;

json to_json(VerifyResult const& verdict) {
    json document = {{"killed", verdict.killed},     {"advice", verdict.advice},   {"signature", verdict.signature},
                     {"programs", verdict.programs}, {"seconds", verdict.seconds}, {"named", json::array()}};
    if (verdict.steps) document["steps"] = *verdict.steps;
    for (Named each : verdict.named) document["named"].push_back(static_cast<unsigned>(each));
    return document;
}

// Throws json::exception for what to_json() did not make.
VerifyResult verdict_from(json const& document) {
    VerifyResult verdict;
    verdict.killed = document.at("killed").get<bool>();
    verdict.advice = document.at("advice").get<bool>();
    verdict.signature = document.at("signature").get<std::string>();
    verdict.programs = document.at("programs").get<std::uint64_t>();
    verdict.seconds = document.at("seconds").get<double>();
    for (json const& each : document.at("named"))
        verdict.named.push_back(static_cast<Named>(std::min(each.get<unsigned>(), unsigned{2})));
    if (document.contains("steps")) verdict.steps = document.at("steps").get<std::size_t>();
    return verdict;
}

}  // namespace

tl::expected<VerifyResult, base::Error> judge_verify(int exit_code, std::string const& report, double seconds) {
    constexpr int kNothing = 0, kDivergence = 1, kUnusable = 4;
    VerifyResult verdict;
    verdict.seconds = seconds;
    if (exit_code == kUnusable) {
        verdict.killed = true;
        verdict.signature = "boot";
        return verdict;
    }
    if (exit_code != kNothing && exit_code != kDivergence)
        return tl::unexpected(base::Error{fmt::format("verify ended with code {}.", exit_code)});
    json const document = json::parse(report, nullptr, false);
    if (document.is_discarded() || !document.contains("sessions") || document.at("sessions").empty())
        return tl::unexpected(base::Error{"verify left no report."});
    json const& session = document.at("sessions").at(0);
    verdict.programs = session.value("programs", std::uint64_t{0});
    json const at_boot = session.value("boot_violations", json::array());
    json const findings = session.value("findings", json::array());
    verdict.killed = exit_code == kDivergence || !findings.empty();
    if (!verdict.killed) return verdict;
    if (!at_boot.empty()) {
        verdict.signature = at_boot.at(0).value("signature", std::string());
    } else if (!findings.empty()) {
        verdict.advice = findings.at(0).value("severity", "") == "advice";
        verdict.signature = findings.at(0).value("signature", std::string()) + (verdict.advice ? " (advice)" : "");
        verdict.steps = findings.at(0).value("steps", json::array()).size();
    } else {
        return tl::unexpected(base::Error{"verify ended with code 1, and its report has no finding."});
    }
    return verdict;
}

tl::expected<SuiteResult, base::Error> judge_suite(int exit_code, std::string const& report, double seconds) {
    constexpr int kPassed = 0, kFailed = 1, kUnusable = 4;
    constexpr int kFailuresMax = 100;  // kernel/user/check.h: a suite ends with the number of its failures
    SuiteResult result{exit_code != kPassed, "", seconds};
    if (exit_code == kPassed) return result;
    if (exit_code == kUnusable) {
        result.how = "no boot";
        return result;
    }
    if (exit_code != kFailed) return tl::unexpected(base::Error{fmt::format("run ended with code {}.", exit_code)});
    json const document = json::parse(report, nullptr, false);
    if (!document.is_object() || !document.contains("ending"))
        return tl::unexpected(base::Error{"run did not leave how it ended."});
    json const& ending = document.at("ending");
    json const status = document.value("status", json());
    if (ending == "panicked")
        result.how = "panic";
    else if (ending == "time up" || ending == "halted")
        result.how = "hang";
    else if (ending == "killed")
        result.how = "killed";
    else if (ending == "exited" && status >= 1 && status <= kFailuresMax)
        result.how = fmt::format("{} fail", status.get<int>());
    else
        result.how = "no verdict";
    return result;
}

std::string print(MutantResult const& result, std::string const& stamp) {
    json suites = json::object();
    for (auto const& [program, suite] : result.suites)
        suites[program] = {{"noticed", suite.noticed}, {"how", suite.how}, {"seconds", suite.seconds}};
    json document = {{"stamp", stamp}, {"verdict", to_json(result.verdict)}, {"suites", suites}};
    if (result.without_its_faults) document["without_its_faults"] = to_json(*result.without_its_faults);
    return document.dump(2) + "\n";
}

std::optional<MutantResult> parse(std::string const& text, std::string const& stamp) {
    json const document = json::parse(text, nullptr, false);
    if (!document.is_object() || document.value("stamp", "") != stamp) return std::nullopt;
    // This is a file that anybody may have written to; types that are not ours are no result.
    try {
        MutantResult result;
        result.verdict = verdict_from(document.at("verdict"));
        if (document.contains("without_its_faults"))
            result.without_its_faults = verdict_from(document.at("without_its_faults"));
        for (auto const& [program, suite] : document.at("suites").items())
            result.suites[program] = {suite.at("noticed").get<bool>(), suite.at("how").get<std::string>(),
                                      suite.at("seconds").get<double>()};
        return result;
    } catch (json::exception const&) {
        return std::nullopt;
    }
}

}  // namespace vmcheck::mutants
