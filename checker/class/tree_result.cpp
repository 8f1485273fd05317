#include "checker/class/tree_result.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>

namespace vmcheck::classes {

namespace {

using nlohmann::json;

constexpr std::array<std::string_view, kTreeVerdicts> kWords{
    "defects",         "not reproducible", "timed out",   "crashed",     "does not boot", "does not build",
    "no kernel found", "could not be run", "interrupted", "not reached", "nothing found"};

// The exit codes of vmcheck verify that leave no report.
constexpr int kUsage = 2;
constexpr int kEnvironment = 3;
constexpr int kKernelUnusable = 4;
constexpr int kInterrupted = 130;

// The run itself went wrong: nothing is said of the kernel.
bool says_nothing_of_the_kernel(std::optional<int> exit_code) {
    switch (exit_code.value_or(0)) {
        case kUsage:
        case kEnvironment:
            return true;
        default:
            return false;
    }
}

std::string text_or_empty(json const& value) {
    return value.is_string() ? value.get<std::string>() : std::string();
}

// "I3 fork" and the title of its first violation: "I3 isolation · at fork".
Found found_in(json const& finding) {
    Found found;
    found.signature = finding.at("signature").get<std::string>();
    found.severity = finding.at("severity").get<std::string>();
    found.rank = finding.at("rank").get<std::string>();
    found.story = text_or_empty(finding.at("story"));
    found.solid = finding.at("reproduced").at("times").get<std::uint64_t>() > 0;
    std::size_t const space = found.signature.find(' ');
    std::string const invariant = found.signature.substr(0, space);
    std::string const kind = space == std::string::npos ? "?" : found.signature.substr(space + 1);
    std::string title;
    for (json const& violation : finding.at("violations"))
        if (title.empty() && violation.at("invariant") == invariant)
            title = ' ' + violation.at("title").get<std::string>();
    found.heading = fmt::format("{}{} · at {}", invariant, title, kind);
    return found;
}

Found found_at_boot(json const& violation) {
    std::string const invariant = violation.at("invariant").get<std::string>();
    return {invariant + " boot",
            "defect",
            "",
            fmt::format("{} {} · right after boot", invariant, violation.at("title").get<std::string>()),
            violation.at("story").get<std::string>(),
            true};
}

struct Report {
    TreeResult result;
    bool interrupted = false;
};

// Nothing where the text is no report of ours: cut short, or of another version.
std::optional<Report> read_report(std::string const& text) {
    try {
        json const document = json::parse(text);
        if (document.at("vmcheck") != 1) return std::nullopt;
        Report report;
        for (json const& session : document.at("sessions")) {
            TreeResult& result = report.result;
            result.profile = session.at("profile").get<std::string>();
            result.vintage = session.at("vintage").get<std::string>();
            result.missing = session.at("missing").get<std::vector<std::string>>();
            result.inherited = session.at("inherited").get<std::vector<std::string>>();
            result.programs += session.at("programs").get<std::uint64_t>();
            result.steps += session.at("steps").get<std::uint64_t>();
            report.interrupted = report.interrupted || session.at("interrupted").get<bool>();
            for (json const& violation : session.at("boot_violations"))
                result.found.push_back(found_at_boot(violation));
            for (json const& finding : session.at("findings")) result.found.push_back(found_in(finding));
        }
        std::stable_partition(report.result.found.begin(), report.result.found.end(),
                              [](Found const& found) { return found.is_defect(); });
        return report;
    } catch (json::exception const&) {
        return std::nullopt;  // the library reports by exception; this is the border at which that ends
    }
}

// What vmcheck said when it gave up: the last paragraph that starts with its name.
std::string_view last_words(std::string_view log) {
    constexpr std::string_view kName = "vmcheck: ";
    std::size_t at = log.rfind(kName);
    while (at != std::string_view::npos && at > 0 && log[at - 1] != '\n') at = log.rfind(kName, at - 1);
    return at == std::string_view::npos ? std::string_view() : log.substr(at + kName.size());
}

std::string trimmed(std::string_view text) {
    std::size_t const first = text.find_first_not_of(" \t\r\n"), last = text.find_last_not_of(" \t\r\n");
    return first == std::string_view::npos ? std::string() : std::string(text.substr(first, last - first + 1));
}

// Its first line, and of a build that failed the first complaint as well: "does not build: vm.c:3: error: ...".
std::string one_line(std::string_view words) {
    std::size_t const end = std::min(words.find('\n'), words.size());
    std::string line = trimmed(words.substr(0, end));
    if (!line.ends_with(':') || end == words.size()) return line;
    std::string_view const rest = words.substr(end + 1);
    return line + ' ' + trimmed(rest.substr(0, rest.find('\n')));
}

// Without "PATH: " at its start: the kernel of a tree lies in a scratch copy, whose name is another each time.
std::string without_path(std::string const& line) {
    std::size_t const colon = line.find(": ");
    bool const has_path = colon != std::string::npos && line.find('/') < colon;
    return has_path ? line.substr(colon + 2) : line;
}

TreeVerdict verdict_without_kernel(std::string_view words) {
    bool const build = words.find("the kernel does not build") != std::string_view::npos ||
                       words.find("make kernel/kernel did not end") != std::string_view::npos;
    return build ? TreeVerdict::does_not_build : TreeVerdict::does_not_boot;
}

TreeResult without_report(Ending const& ending, std::string_view log) {
    TreeResult result;
    std::string_view const words = last_words(log);
    result.message = one_line(words);
    if (ending.cut == Cut::time_limit) {
        result.verdict = TreeVerdict::timed_out;
        result.timed_out = true;
        result.message = ending.exit_code ? result.message : "it did not end when it was asked to, and left no report";
    } else if (ending.cut == Cut::interrupt || ending.exit_code == kInterrupted) {
        result.verdict = TreeVerdict::interrupted;
    } else if (ending.exit_code == kKernelUnusable) {
        result.verdict = verdict_without_kernel(words);
        result.message = without_path(result.message);
        constexpr std::string_view kSaidAlready = "the kernel does not build: ";
        if (result.message.starts_with(kSaidAlready)) result.message.erase(0, kSaidAlready.size());
    } else if (says_nothing_of_the_kernel(ending.exit_code)) {
        result.verdict = TreeVerdict::could_not_run;
    } else {
        result.verdict = TreeVerdict::crashed;
        result.message =
            ending.exit_code
                ? fmt::format("vmcheck ended with code {} and left no report", *ending.exit_code)
                : fmt::format("vmcheck was ended by signal {} ({})", ending.signal, ::strsignal(ending.signal));
    }
    return result;
}

TreeVerdict verdict_of(TreeResult const& result) {
    if (result.defects() > 0) return TreeVerdict::defects;
    if (result.timed_out) return TreeVerdict::timed_out;
    bool const flaky =
        std::any_of(result.found.begin(), result.found.end(), [](Found const& found) { return !found.solid; });
    return flaky ? TreeVerdict::not_reproducible : TreeVerdict::nothing_found;
}

}  // namespace

std::string_view to_string(TreeVerdict verdict) {
    return kWords[static_cast<std::size_t>(verdict)];
}

std::size_t TreeResult::defects() const {
    return static_cast<std::size_t>(
        std::count_if(found.begin(), found.end(), [](Found const& each) { return each.is_defect(); }));
}

Found const* TreeResult::gravest() const {
    return found.empty() ? nullptr : &found.front();
}

TreeResult result_of(Ending const& ending, std::optional<std::string> const& report, std::string_view log) {
    constexpr std::array<int, 3> kWithReport{0, 1, 5};
    bool const complete =
        ending.exit_code && std::find(kWithReport.begin(), kWithReport.end(), *ending.exit_code) != kWithReport.end();
    auto read = complete && report ? read_report(*report) : std::nullopt;
    if (!read) return without_report(ending, log);
    TreeResult result = std::move(read->result);
    result.timed_out = ending.cut == Cut::time_limit;
    // Whoever interrupted it: what it has is not the whole.
    bool const interrupted = ending.cut == Cut::interrupt || (read->interrupted && !result.timed_out);
    result.verdict = interrupted ? TreeVerdict::interrupted : verdict_of(result);
    return result;
}

bool is_lasting(TreeResult const& result) {
    constexpr std::array<TreeVerdict, 4> kPassing{TreeVerdict::crashed, TreeVerdict::could_not_run,
                                                  TreeVerdict::interrupted, TreeVerdict::not_reached};
    return std::find(kPassing.begin(), kPassing.end(), result.verdict) == kPassing.end();
}

}  // namespace vmcheck::classes
