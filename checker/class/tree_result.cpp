#include "checker/class/tree_result.h"

#include "checker/finding/finding.h"
#include "impl/base/error.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>

namespace vmcheck::classes {

namespace {

using nlohmann::json;

constexpr std::array<std::string_view, kTreeVerdicts> kWords{
    "defects",         "not reproducible", "timed out",   "crashed",     "does not boot", "does not build",
    "no kernel found", "could not be run", "interrupted", "not reached", "nothing found"};

// Exit codes of vmcheck verify that say what they have to say without a report.
constexpr int kUsage = 2;
constexpr int kEnvironment = 3;
constexpr int kInterrupted = 130;

std::string text_or_empty(json const& value) {
    return value.is_string() ? value.get<std::string>() : std::string();
}

// The heading of a mistake that has no name is "I3 isolation · at fork": the title is that of the first violation of
// the finding's own invariant.
Found found_by_verify(json const& finding) {
    Found found;
    found.signature = finding.at("signature").get<std::string>();
    found.severity = finding.at("severity").get<std::string>();
    found.rank = finding.at("rank").get<std::string>();
    found.story = text_or_empty(finding.at("story"));
    found.solid = finding.at("reproduced").at("times").get<std::uint64_t>() > 0;
    auto const invariant = finding.at("invariant").get<std::string>();
    std::string title;
    for (json const& violation : finding.at("violations"))
        if (title.empty() && violation.at("invariant") == invariant)
            title = ' ' + violation.at("title").get<std::string>();
    json const& cause = finding.at("cause");
    found.cause = cause.at("id").get<std::string>();
    found.heading = cause.at("has_a_name").get<bool>()
                        ? cause.at("title").get<std::string>()
                        : fmt::format("{}{} · at {}", invariant, title, finding.at("kind").get<std::string>());
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

std::vector<base::Link> links_in(json const& links) {
    std::vector<base::Link> all;
    for (json const& link : links)
        all.push_back({link.at("name").get<std::string>(), link.at("target").get<std::string>()});
    return all;
}

std::vector<std::string> in_words(std::vector<base::Link> const& links) {
    std::vector<std::string> all;
    all.reserve(links.size());
    for (base::Link const& link : links) all.push_back(fmt::format("{} -> {}", link.name, link.target));
    return all;
}

// Fails where the cause is none that this vmcheck knows.
std::optional<Stop> stop_in(json const& stopped) {
    auto const cause = parse_cause(stopped.at("cause").get<std::string>());
    if (!cause) return std::nullopt;
    return Stop{*cause, stopped.at("message").get<std::string>(), text_or_empty(stopped.at("about")),
                stopped.at("details").get<std::vector<std::string>>(), links_in(stopped.at("left_out"))};
}

struct Report {
    TreeResult result;
    bool interrupted = false;
    std::optional<Stop> stopped{};  // why vmcheck gave up
};

// Nothing where the text is no report of ours: cut short, or of another version.
std::optional<Report> read_report(std::string const& text) {
    try {
        json const document = json::parse(text);
        if (document.at("vmcheck") != 1) return std::nullopt;
        Report report;
        if (json const& stopped = document.at("stopped"); !stopped.is_null()) {
            report.stopped = stop_in(stopped);
            if (!report.stopped) return std::nullopt;
        }
        for (json const& session : document.at("sessions")) {
            TreeResult& result = report.result;
            result.profile = session.at("profile").get<std::string>();
            result.vintage = session.at("vintage").get<std::string>();
            result.left_out = in_words(links_in(session.at("left_out")));
            result.missing = session.at("missing").get<std::vector<std::string>>();
            result.inherited = session.at("inherited").get<std::vector<std::string>>();
            result.programs += session.at("programs").get<std::uint64_t>();
            result.steps += session.at("steps").get<std::uint64_t>();
            report.interrupted = report.interrupted || session.at("interrupted").get<bool>();
            for (json const& violation : session.at("boot_violations"))
                result.found.push_back(found_at_boot(violation));
            for (json const& finding : session.at("findings")) result.found.push_back(found_by_verify(finding));
        }
        std::stable_partition(report.result.found.begin(), report.result.found.end(),
                              [](Found const& found) { return found.is_defect(); });
        return report;
    } catch (json::exception const&) {
        return std::nullopt;  // the library reports by exception; this is the border at which that ends
    }
}

TreeVerdict verdict_of(Stop::Cause cause) {
    switch (cause) {
        case Stop::Cause::build:
            return TreeVerdict::does_not_build;
        case Stop::Cause::boot:
        case Stop::Cause::unsupported:
            return TreeVerdict::does_not_boot;
        case Stop::Cause::interrupted:
            return TreeVerdict::interrupted;
        case Stop::Cause::usage:
        case Stop::Cause::machine:
            break;
    }
    return TreeVerdict::could_not_run;
}

// Of a kernel that does not build the first complaint. Without the kernel's path where the kernel is at fault: that of
// a tree lies in a scratch copy, whose name is another each time.
std::string message_of(Stop const& stop) {
    TreeVerdict const verdict = verdict_of(stop.cause);
    if (verdict != TreeVerdict::does_not_build && verdict != TreeVerdict::does_not_boot)
        return base::sentence(stop.about, stop.message);
    return stop.details.empty() ? stop.message : stop.details.front();
}

TreeResult gave_up(Ending const& ending, Stop const& stop) {
    TreeResult result;
    result.timed_out = ending.cut == Cut::time_limit;
    result.verdict = result.timed_out               ? TreeVerdict::timed_out
                     : ending.cut == Cut::interrupt ? TreeVerdict::interrupted
                                                    : verdict_of(stop.cause);
    result.message = message_of(stop);
    result.left_out = in_words(stop.left_out);
    return result;
}

TreeResult without_report(Ending const& ending) {
    TreeResult result;
    int const code = ending.exit_code.value_or(0);
    if (ending.cut == Cut::time_limit) {
        result.verdict = TreeVerdict::timed_out;
        result.timed_out = true;
        result.message = "it did not end when it was asked to, and left no report";
    } else if (ending.cut == Cut::interrupt || code == kInterrupted) {
        result.verdict = TreeVerdict::interrupted;
    } else {
        bool const says_nothing_of_the_kernel = code == kUsage || code == kEnvironment;
        result.verdict = says_nothing_of_the_kernel ? TreeVerdict::could_not_run : TreeVerdict::crashed;
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

TreeResult result_of(Ending const& ending, std::optional<std::string> const& report) {
    constexpr std::array<int, 5> kWithResult{0, 1, 5, 6, kInterrupted};
    auto read = ending.exit_code && report ? read_report(*report) : std::nullopt;
    if (read && read->stopped) return gave_up(ending, *read->stopped);
    bool const complete =
        read && std::find(kWithResult.begin(), kWithResult.end(), *ending.exit_code) != kWithResult.end();
    if (!complete) return without_report(ending);
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
