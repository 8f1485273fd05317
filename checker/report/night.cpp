#include "checker/report/night.h"

#include "checker/report/escape.h"
#include "checker/report/html_style.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <utility>

namespace vmcheck::report {

namespace {

using Json = nlohmann::ordered_json;
constexpr int kVersion = 1;
constexpr std::array<std::string_view, 3> kStates{"new", "known", "gone"};
// Of Night::Change::Search, in the ledger.
constexpr std::array<std::string_view, 12> kSearches{"found",       "one of",       "earlier",     "earlier, changed",
                                                     "uncommitted", "not repeated", "no ancestor", "not there",
                                                     "not judged",  "no time",      "no history",  "no tree"};

constexpr std::size_t kIdShown = 10;  // letters of a commit

// What is compared from night to night.
using Kernel = std::pair<std::string, std::string>;  // name, profile
Kernel kernel_of(Night const& night) {
    return {night.kernel, night.profile};
}
std::string kernel_in_words(Kernel const& kernel) {
    return kernel.first == kernel.second ? kernel.first : fmt::format("{} ({})", kernel.first, kernel.second);
}

double percent(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}
double rate(Night const& night) {
    return static_cast<double>(night.programs) / static_cast<double>(std::max<std::uint64_t>(1, night.seconds));
}
std::size_t count(Night const& night, Night::State state) {
    return static_cast<std::size_t>(
        std::ranges::count_if(night.findings, [&](Night::Finding const& each) { return each.state == state; }));
}

constexpr std::string_view kNightStyle = R"css(
.plots { display: flex; flex-wrap: wrap; gap: .5rem 2rem; }
figure { margin: 0; flex: 1 1 20rem; max-width: 28rem; }
figcaption { font-weight: 600; font-size: .95rem; }
svg { max-width: 100%; }
svg .axis { stroke: var(--line); }
svg path:not(.axis) { fill: none; }
.s0, .s5 { stroke: #3b78c4; } .s1, .s6 { stroke: #c4703b; } .s2, .s7 { stroke: #2f9461; }
.s3, .s8 { stroke: #9a5bc0; } .s4, .s9 { stroke: #8a8d2f; }
svg path[class^="s"] { stroke-width: 2; } .s5, .s6, .s7, .s8, .s9 { stroke-dasharray: 5 3; }
main a { color: inherit; }
svg.key { width: 2.6rem; vertical-align: middle; margin-right: .4rem; }
.nights td, .findings td { white-space: normal; overflow-wrap: anywhere; }
td.new, td.known { color: var(--bad); font-weight: 700; }
td.gone { color: var(--good); font-weight: 700; }
)css";
constexpr std::size_t kLooks = 10;  // kinds of line in a plot

// One value of each night as lines, one for each kernel, from the first night to the last.
std::string plot(std::vector<Night> const& nights, std::vector<Kernel> const& kernels, std::string_view title,
                 std::string_view unit, std::function<double(Night const&)> const& value) {
    double low = value(nights.front()), high = low;
    for (Night const& night : nights) {
        low = std::min(low, value(night));
        high = std::max(high, value(night));
    }
    // What never changes: nothing is less than none.
    if (high <= low) {
        low = std::max(0.0, low - 1);
        high += 1;
    }
    constexpr double kLeft = 48, kRight = 312, kTop = 12, kBottom = 108;
    auto const x = [&](std::size_t at, std::size_t of) {
        return of < 2 ? (kLeft + kRight) / 2
                      : kLeft + (kRight - kLeft) * static_cast<double>(at) / static_cast<double>(of - 1);
    };
    std::string lines;
    for (std::size_t i = 0; i < kernels.size(); ++i) {
        std::vector<double> values;
        for (Night const& night : nights)
            if (kernel_of(night) == kernels[i]) values.push_back(value(night));
        std::string points;
        for (std::size_t at = 0; at < values.size(); ++at)
            points += fmt::format("{}{:.1f} {:.1f}", at == 0 ? "M" : " L", x(at, values.size()),
                                  kBottom - (kBottom - kTop) * (values[at] - low) / (high - low));
        // A line of one point is none: so it is as long as can be seen.
        lines += fmt::format("<path class=\"s{}\" d=\"{}{}\"/>", i % kLooks, points, values.size() < 2 ? " h4" : "");
    }
    return fmt::format(
        "<figure><figcaption>{}</figcaption><svg viewBox=\"0 0 320 124\" role=\"img\" aria-label=\"{}, from {:.4g} to "
        "{:.4g} {}\"><path class=\"axis\" d=\"M{} {} V{} H{}\"/><text x=\"0\" y=\"{}\">{:.4g}</text><text x=\"0\" "
        "y=\"{}\">{:.4g}</text>{}</svg></figure>\n",
        title, title, low, high, unit, kLeft, kTop, kBottom, kRight, kTop + 8, high, kBottom, low, lines);
}

std::string plots(std::vector<Night> const& nights, std::vector<Kernel> const& kernels) {
    std::string text = "<h2>Night by night</h2>\n<p class=\"dim\">";
    for (std::size_t i = 0; i < kernels.size(); ++i)
        text += fmt::format("<svg class=\"key\" viewBox=\"0 0 40 8\"><path class=\"s{}\" d=\"M0 4 H40\"/></svg>{}<br>",
                            i % kLooks, escape_markup(kernel_in_words(kernels[i])));
    text += "</p>\n<div class=\"plots\">\n";
    text += plot(nights, kernels, "lines about memory that were reached, in %", "%",
                 [](Night const& night) { return percent(night.reached, night.lines); });
    text += plot(nights, kernels, "findings that are not gone", "", [](Night const& night) {
        return static_cast<double>(night.findings.size() - count(night, Night::State::gone));
    });
    text += plot(nights, kernels, "programs a second", "programs", rate);
    text += plot(nights, kernels, "programs in the corpus", "programs",
                 [](Night const& night) { return static_cast<double>(night.corpus); });
    return text + "</div>\n";
}

// "2026-11-26 21:04"
std::string minute_of(Night const& night) {
    std::string text = night.began.substr(0, 16);
    std::ranges::replace(text, 'T', ' ');
    return text;
}

// One finding of one kernel, over all nights.
struct History {
    Night::Finding last;
    Night const* first_night;
    Night const* before_first = nullptr;  // the night of the kernel before it was found
    Night const* last_seen;
    Night const* gone = nullptr;  // the first night since then in which it did not fail
    std::optional<Night::Change> came{}, went{};
};

std::vector<History> histories(std::vector<Night> const& nights, Kernel const& kernel) {
    std::vector<History> all;
    Night const* before = nullptr;
    for (Night const& night : nights) {
        if (kernel_of(night) != kernel) continue;
        for (Night::Finding const& finding : night.findings) {
            auto at = std::ranges::find_if(all, [&](History const& each) { return each.last.name == finding.name; });
            if (at == all.end()) at = all.insert(at, {finding, &night, before, &night, nullptr, finding.change, {}});
            at->last = finding;
            bool const is_gone = finding.state == Night::State::gone;
            if (!is_gone) {
                at->last_seen = &night;
                at->gone = nullptr;
                if (finding.change && !Night::is_answered(at->came)) at->came = finding.change;
            } else if (at->gone == nullptr) {
                at->gone = &night;
                at->went = finding.change;
            } else if (finding.change && !Night::is_answered(at->went)) {
                at->went = finding.change;
            }
        }
        before = &night;
    }
    return all;
}

// " at 0123456789, changed"
std::string place_of(Night const& night) {
    if (night.kernel_commit.empty()) return "";
    return fmt::format(" at {}{}", night.kernel_commit.substr(0, kIdShown), night.kernel_changed ? ", changed" : "");
}

std::string when(Night const* night) {
    if (night == nullptr) return "";
    return escape_markup(night->began.substr(0, 10)) + escape_markup(place_of(*night));
}

// Behind a date; empty where there is nothing to say.
std::string change_note(Night::Finding finding, std::optional<Night::Change> change) {
    finding.change = std::move(change);
    return finding.change ? "; " + escape_markup(change_words(finding)) : "";
}

std::string findings_table(std::vector<Night> const& nights, std::vector<Kernel> const& kernels) {
    std::string rows;
    for (Kernel const& kernel : kernels)
        for (History const& each : histories(nights, kernel)) {
            std::string since = when(each.first_night);
            if (each.before_first != nullptr) since += ", not " + when(each.before_first);
            Night::Finding first = each.last;
            first.state = Night::State::fresh;
            since += change_note(first, each.came);
            std::string const gone = each.gone == nullptr ? "" : when(each.gone) + change_note(each.last, each.went);
            std::string const state(kStates[static_cast<std::size_t>(each.last.state)]);
            rows += fmt::format(
                "<tr><td data-head=\"finding\"><a href=\"found/{}.vmc\">{}</a></td><td data-head=\"kernel\">{}</td>"
                "<td data-head=\"state\" class=\"{}\">{}</td><td data-head=\"first seen\">{}</td>"
                "<td data-head=\"last seen\">{}</td><td data-head=\"gone since\">{}</td></tr>\n",
                escape_markup(each.last.name), escape_markup(each.last.title), escape_markup(kernel_in_words(kernel)),
                state, state, since, when(each.last_seen), gone);
        }
    if (rows.empty()) return "<p class=\"good\">Nothing was found in any night.</p>\n";
    return "<h2>Findings</h2>\n<div class=\"scroll\"><table class=\"findings\">\n<thead><tr><th>finding</th><th>kernel"
           "</th><th>state</th><th>first seen</th><th>last seen</th><th>gone since</th></tr></thead>\n<tbody>\n" +
           rows + "</tbody></table></div>\n";
}

// "; 2 of 3 shards"
std::string shards_of(Night const& night) {
    return night.shard ? fmt::format("; {} of {} shards", night.shards, night.shard->of) : "";
}

std::string nights_table(std::vector<Night> const& nights) {
    constexpr std::size_t kShownMax = 40;
    std::size_t const shown = std::min(nights.size(), kShownMax);
    std::string rows;
    for (auto night = nights.rbegin(); night != nights.rbegin() + static_cast<std::ptrdiff_t>(shown); ++night) {
        rows += fmt::format(
            "<tr><td data-head=\"began\">{}</td><td data-head=\"kernel\">{}{}{}</td><td data-head=\"minutes\">{}</td>"
            "<td data-head=\"programs\">{}</td><td data-head=\"a second\">{:.0f}</td><td data-head=\"lines\">{} of {}"
            "</td><td data-head=\"corpus\">{}{}</td><td data-head=\"new, known, gone\">{}, {}, {}</td><td "
            "data-head=\"seed\">{}</td><td data-head=\"vmcheck\">{}</td><td data-head=\"machine\">{}</td></tr>\n",
            escape_markup(minute_of(*night)), escape_markup(kernel_in_words(kernel_of(*night))),
            escape_markup(place_of(*night)), shards_of(*night), (night->seconds + 30) / 60, night->programs,
            rate(*night), night->reached, night->lines, night->corpus,
            night->left_out == 0 ? "" : fmt::format(", {} not run", night->left_out),
            count(*night, Night::State::fresh), count(*night, Night::State::known), count(*night, Night::State::gone),
            night->seed, escape_markup(night->vmcheck), escape_markup(night->machine));
    }
    return fmt::format("<h2>The last {} nights</h2>\n<p class=\"dim\">All {} are in nightly.jsonl.</p>\n", shown,
                       nights.size()) +
           "<div class=\"scroll\"><table class=\"nights\">\n<thead><tr><th>began</th><th>kernel"
           "</th><th>minutes</th><th>programs</th><th>a second</th><th>lines</th><th>corpus</th><th>new, known, gone"
           "</th><th>seed</th><th>vmcheck</th><th>machine</th></tr></thead>\n<tbody>\n" +
           rows + "</tbody></table></div>\n";
}

Json to_json(Night::Finding const& finding) {
    Json document{
        {"name", finding.name}, {"title", finding.title}, {"state", kStates[static_cast<std::size_t>(finding.state)]}};
    if (auto const& change = finding.change)
        document["change"] = {{"search", kSearches[static_cast<std::size_t>(change->search)]},
                              {"commit", change->commit},
                              {"subject", change->subject},
                              {"suspects", change->suspects}};
    return document;
}

// Nothing where there is none, or one of a kind that is not known here.
std::optional<Night::Change> change_in(Json const& finding) {
    if (!finding.contains("change")) return std::nullopt;
    Json const& from = finding.at("change");
    auto const search = std::ranges::find(kSearches, from.at("search").get<std::string>());
    if (search == kSearches.end()) return std::nullopt;
    return Night::Change{static_cast<Night::Change::Search>(search - kSearches.begin()),
                         from.at("commit").get<std::string>(), from.at("subject").get<std::string>(),
                         from.at("suspects").get<std::uint64_t>()};
}

}  // namespace

std::string change_words(Night::Finding const& finding) {
    using Search = Night::Change::Search;
    Night::Change const& change = *finding.change;
    std::string const word = finding.state == Night::State::gone ? "gone" : "new";
    std::string const commit = one_line(fmt::format("{} \"{}\"", change.commit.substr(0, kIdShown), change.subject));
    switch (change.search) {
        case Search::found:
            return fmt::format("{} since commit {}", word, commit);
        case Search::one_of:
            return fmt::format("{} since one of {} commits, of which the newest is {}", word, change.suspects, commit);
        case Search::earlier:
            return "older: the commit of the night before fails as well";
        case Search::earlier_changed:
            return "commit not found: that of the night before fails as well, and files differed from it then";
        case Search::uncommitted:
            return word + " by what was not committed";
        case Search::not_repeated:
            return "commit not found: the program does not do on the commits what it did in the nights";
        case Search::not_an_ancestor:
            return "commit not searched for: the night before was on no ancestor of this one's";
        case Search::not_there:
            return "commit not searched for: the tree's repository does not have both commits and all between them";
        case Search::not_judged:
            return "commit not searched for: one of the two commits could not be judged";
        case Search::no_time:
            return "commit not found: no time was left";
        case Search::no_history:
            return "commit not searched for: git cannot read the tree's history";
        case Search::no_tree:
            break;
    }
    return "commit not searched for: the kernel was given as a file";
}

std::string print(Night const& night) {
    Json findings = Json::array();
    for (Night::Finding const& each : night.findings) findings.push_back(to_json(each));
    Json document{{"vmcheck_night", kVersion},  {"began", night.began},     {"seconds", night.seconds},
                  {"kernel", night.kernel},     {"profile", night.profile}, {"kernel_commit", night.kernel_commit},
                  {"vmcheck", night.vmcheck},   {"machine", night.machine}, {"seed", night.seed},
                  {"programs", night.programs}, {"steps", night.steps},     {"reached", night.reached},
                  {"lines", night.lines},       {"corpus", night.corpus},   {"findings", std::move(findings)}};
    if (!night.kernel_commit.empty()) document["kernel_changed"] = night.kernel_changed;
    if (night.left_out > 0) document["left_out"] = night.left_out;
    if (night.shard) document["shard"] = run::print(*night.shard);
    return document.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

std::optional<Night> parse_night(std::string_view line) {
    try {
        Json const document = Json::parse(line);
        if (document.at("vmcheck_night") != kVersion) return std::nullopt;
        Night night;
        for (auto const& [name, field] : {std::pair{"began", &Night::began},
                                          {"kernel", &Night::kernel},
                                          {"profile", &Night::profile},
                                          {"kernel_commit", &Night::kernel_commit},
                                          {"vmcheck", &Night::vmcheck},
                                          {"machine", &Night::machine}})
            night.*field = document.at(name).get<std::string>();
        for (auto const& [name, field] : {std::pair{"seconds", &Night::seconds},
                                          {"seed", &Night::seed},
                                          {"programs", &Night::programs},
                                          {"steps", &Night::steps},
                                          {"reached", &Night::reached},
                                          {"lines", &Night::lines},
                                          {"corpus", &Night::corpus}})
            night.*field = document.at(name).get<std::uint64_t>();
        night.kernel_changed = document.value("kernel_changed", false);
        night.left_out = document.value("left_out", std::uint64_t{0});
        if (document.contains("shard")) {
            night.shard = run::parse_shard(document.at("shard").get<std::string>());
            if (!night.shard) return std::nullopt;
        }
        for (Json const& each : document.at("findings")) {
            auto const state = std::ranges::find(kStates, each.at("state").get<std::string>());
            if (state == kStates.end()) return std::nullopt;
            night.findings.push_back({each.at("name").get<std::string>(), each.at("title").get<std::string>(),
                                      static_cast<Night::State>(state - kStates.begin()), change_in(each)});
        }
        return night;
    } catch (Json::exception const&) {
        return std::nullopt;  // the library reports by exception; this is the border at which that ends
    }
}

std::string night_page(std::vector<Night> const& ledger) {
    std::vector<Night> const nights = together(ledger);
    std::vector<Kernel> kernels;
    std::map<Kernel, Night const*> last;
    for (Night const& night : nights) {
        if (!last.contains(kernel_of(night))) kernels.push_back(kernel_of(night));
        last[kernel_of(night)] = &night;
    }
    std::array<std::size_t, kStates.size()> counts{};
    for (auto const& [kernel, night] : last)
        for (Night::Finding const& each : night->findings) ++counts[static_cast<std::size_t>(each.state)];
    std::string const title = fmt::format("vmcheck: {} new, {} known, {} gone", counts[0], counts[1], counts[2]);
    std::string text = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n"
        "<style>{}{}</style>\n</head>\n<body>\n<main>\n<h1>{}</h1>\n",
        title, kHtmlStyle, kNightStyle, title);
    if (nights.empty()) return text + "<p>There was no night yet.</p>\n</main>\n</body>\n</html>\n";
    text += fmt::format(
        "<p class=\"dim\">{} kernel{}, by the last night of each · {} night{} since {}, the last on {}"
        "</p>\n",
        kernels.size(), kernels.size() == 1 ? "" : "s", nights.size(), nights.size() == 1 ? "" : "s",
        escape_markup(nights.front().began.substr(0, 10)), escape_markup(minute_of(nights.back())));
    return text + findings_table(nights, kernels) + plots(nights, kernels) + nights_table(nights) +
           "</main>\n</body>\n</html>\n";
}

}  // namespace vmcheck::report
