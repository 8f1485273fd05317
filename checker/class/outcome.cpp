#include "checker/class/outcome.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>

namespace vmcheck::classes {

namespace {

using nlohmann::json;

constexpr std::array<std::string_view, kVerdicts> kWords{
    "defects",         "not reproducible", "timed out",   "crashed",     "does not boot", "does not build",
    "no kernel found", "could not be run", "interrupted", "not reached", "nothing found"};

// The exit codes of vmcheck verify that leave no report.
constexpr int kUsage = 2;
constexpr int kEnvironment = 3;
constexpr int kKernelUnusable = 4;

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
    Outcome outcome;
    bool interrupted = false;
};

// Nothing where the text is no report of ours: cut short, or of another version.
std::optional<Report> read_report(std::string const& text) {
    try {
        json const document = json::parse(text);
        if (document.at("vmcheck") != 1) return std::nullopt;
        Report report;
        for (json const& session : document.at("sessions")) {
            Outcome& outcome = report.outcome;
            outcome.profile = session.at("profile").get<std::string>();
            outcome.vintage = session.at("vintage").get<std::string>();
            outcome.missing = session.at("missing").get<std::vector<std::string>>();
            outcome.inherited = session.at("inherited").get<std::vector<std::string>>();
            outcome.programs += session.at("programs").get<std::uint64_t>();
            outcome.steps += session.at("steps").get<std::uint64_t>();
            report.interrupted = report.interrupted || session.at("interrupted").get<bool>();
            for (json const& violation : session.at("boot_violations"))
                outcome.found.push_back(found_at_boot(violation));
            for (json const& finding : session.at("findings")) outcome.found.push_back(found_in(finding));
        }
        std::stable_partition(report.outcome.found.begin(), report.outcome.found.end(),
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

Verdict verdict_without_kernel(std::string_view words) {
    bool const build = words.find("the kernel does not build") != std::string_view::npos ||
                       words.find("make kernel/kernel did not end") != std::string_view::npos;
    bool const machine = words.find("make cannot be run") != std::string_view::npos ||
                         words.find("cannot be made, so") != std::string_view::npos;
    return machine ? Verdict::could_not_run : build ? Verdict::does_not_build : Verdict::does_not_boot;
}

Outcome without_report(Ending const& ending, std::string_view log) {
    Outcome outcome;
    std::string_view const words = last_words(log);
    outcome.message = one_line(words);
    if (ending.cut == Cut::interrupt) {
        outcome.verdict = Verdict::interrupted;
    } else if (ending.cut == Cut::time_limit) {
        outcome.verdict = Verdict::timed_out;
        outcome.timed_out = true;
        outcome.message =
            ending.exit_code ? outcome.message : "it did not end when it was asked to, and left no report";
    } else if (ending.exit_code == kKernelUnusable) {
        outcome.verdict = verdict_without_kernel(words);
        if (outcome.verdict != Verdict::could_not_run) outcome.message = without_path(outcome.message);
        constexpr std::string_view kSaidAlready = "the kernel does not build: ";
        if (outcome.message.starts_with(kSaidAlready)) outcome.message.erase(0, kSaidAlready.size());
    } else if (says_nothing_of_the_kernel(ending.exit_code)) {
        outcome.verdict = Verdict::could_not_run;
    } else {
        outcome.verdict = Verdict::crashed;
        outcome.message =
            ending.exit_code
                ? fmt::format("vmcheck ended with code {} and left no report", *ending.exit_code)
                : fmt::format("vmcheck was ended by signal {} ({})", ending.signal, ::strsignal(ending.signal));
    }
    return outcome;
}

Verdict verdict_of(Outcome const& outcome) {
    if (outcome.defects() > 0) return Verdict::defects;
    if (outcome.timed_out) return Verdict::timed_out;
    bool const flaky =
        std::any_of(outcome.found.begin(), outcome.found.end(), [](Found const& found) { return !found.solid; });
    return flaky ? Verdict::not_reproducible : Verdict::nothing_found;
}

}  // namespace

std::string_view to_string(Verdict verdict) {
    return kWords[static_cast<std::size_t>(verdict)];
}

std::size_t Outcome::defects() const {
    return static_cast<std::size_t>(
        std::count_if(found.begin(), found.end(), [](Found const& each) { return each.is_defect(); }));
}

Found const* Outcome::gravest() const {
    return found.empty() ? nullptr : &found.front();
}

Outcome outcome_of(Ending const& ending, std::optional<std::string> const& report, std::string_view log) {
    constexpr std::array<int, 3> kWithReport{0, 1, 5};
    bool const complete =
        ending.exit_code && std::find(kWithReport.begin(), kWithReport.end(), *ending.exit_code) != kWithReport.end();
    auto read = complete && report ? read_report(*report) : std::nullopt;
    if (!read) return without_report(ending, log);
    Outcome outcome = std::move(read->outcome);
    outcome.timed_out = ending.cut == Cut::time_limit;
    // Whoever interrupted it: what it has is not the whole.
    bool const interrupted = ending.cut == Cut::interrupt || (read->interrupted && !outcome.timed_out);
    outcome.verdict = interrupted ? Verdict::interrupted : verdict_of(outcome);
    return outcome;
}

bool is_lasting(Outcome const& outcome) {
    constexpr std::array<Verdict, 4> kPassing{Verdict::crashed, Verdict::could_not_run, Verdict::interrupted,
                                              Verdict::not_reached};
    return std::find(kPassing.begin(), kPassing.end(), outcome.verdict) == kPassing.end();
}

}  // namespace vmcheck::classes
