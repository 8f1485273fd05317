#include "checker/class/summary.h"

#include "checker/finding/finding.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace vmcheck::classes {

namespace {

// 0 is the gravest: a kernel that is wrong right after boot, which has no rank. Nothing comes last.
std::size_t gravity(Found const* found) {
    constexpr auto kRanks = static_cast<std::size_t>(Rank::laziness) + 1;
    if (found == nullptr) return kRanks + 1;
    for (std::size_t i = 0; i < kRanks; ++i)
        if (to_string(Rank{static_cast<std::uint8_t>(i)}) == found->rank) return i + 1;
    return 0;
}

}  // namespace

std::array<std::size_t, kTreeVerdicts> counts(Class const& all) {
    std::array<std::size_t, kTreeVerdicts> counts{};
    for (Row const& row : all.rows) ++counts[static_cast<std::size_t>(row.result.verdict)];
    return counts;
}

std::string counts_line(Class const& all) {
    std::string line = fmt::format("{} tree{}", all.rows.size(), all.rows.size() == 1 ? "" : "s");
    auto const each = counts(all);
    for (std::size_t i = 0, shown = 0; i < kTreeVerdicts; ++i) {
        TreeVerdict const verdict{static_cast<std::uint8_t>(i)};
        if (each[i] == 0) continue;
        line += fmt::format("{} {} {}{}", shown++ == 0 ? ":" : ",", each[i],
                            verdict == TreeVerdict::defects ? "with " : "", to_string(verdict));
    }
    return line;
}

std::vector<Row const*> by_verdict(Class const& all) {
    std::vector<Row const*> rows;
    for (Row const& row : all.rows) rows.push_back(&row);
    auto const key = [](Row const* row) {
        Found const* const gravest = row->result.gravest();
        bool const whole = row->result.verdict == TreeVerdict::nothing_found && !partly_checked(row->result);
        return std::tuple(row->result.verdict, whole, gravity(gravest), gravest == nullptr ? "" : gravest->heading,
                          row->name);
    };
    std::sort(rows.begin(), rows.end(), [&](Row const* a, Row const* b) { return key(a) < key(b); });
    return rows;
}

std::vector<Shared> shared_defects(Class const& all) {
    std::map<std::string, std::vector<std::string>> trees;
    for (Row const& row : all.rows) {
        if (row.result.verdict != TreeVerdict::defects) continue;
        for (Found const& found : row.result.found) {
            std::vector<std::string>& names = trees[found.heading];
            if (found.is_defect() && (names.empty() || names.back() != row.name)) names.push_back(row.name);
        }
    }
    std::vector<Shared> shared;
    for (auto& [heading, names] : trees)
        if (!names.empty()) shared.push_back({heading, std::move(names)});
    std::stable_sort(shared.begin(), shared.end(),
                     [](Shared const& a, Shared const& b) { return a.trees.size() > b.trees.size(); });
    return shared;
}

bool partly_checked(TreeResult const& result) {
    bool const judged = result.verdict == TreeVerdict::defects || result.verdict == TreeVerdict::nothing_found;
    return judged && (result.timed_out || !result.missing.empty());
}

std::string label(TreeResult const& result) {
    bool const wrong = result.verdict == TreeVerdict::defects;
    std::string const text = wrong ? fmt::format("{} defect{}", result.defects(), result.defects() == 1 ? "" : "s")
                                   : std::string(to_string(result.verdict));
    std::vector<std::string> remarks;
    auto const advice = std::count_if(result.found.begin(), result.found.end(),
                                      [](Found const& found) { return found.solid && !found.is_defect(); });
    if (result.verdict == TreeVerdict::nothing_found && advice > 0) remarks.push_back(fmt::format("{} advice", advice));
    if (partly_checked(result)) remarks.emplace_back(result.timed_out ? "timed out" : "partly checked");
    return remarks.empty() ? text : fmt::format("{} ({})", text, fmt::join(remarks, ", "));
}

std::string what_to_know(TreeResult const& result) {
    if (result.verdict == TreeVerdict::timed_out && result.message.empty())
        return fmt::format("the time limit came after {} programs; nothing was found until then", result.programs);
    Found const* const gravest = result.gravest();
    return gravest == nullptr ? result.message : gravest->story;
}

Judgement judgement(Class const& all) {
    auto const each = counts(all);
    auto const some = [&](TreeVerdict verdict) { return each[static_cast<std::size_t>(verdict)] > 0; };
    if (some(TreeVerdict::defects)) return Judgement::defects;
    if (some(TreeVerdict::not_reproducible)) return Judgement::not_reproducible;
    if (some(TreeVerdict::could_not_run)) return Judgement::machine;
    return each[static_cast<std::size_t>(TreeVerdict::nothing_found)] == all.rows.size() ? Judgement::nothing_found
                                                                                         : Judgement::unchecked;
}

}  // namespace vmcheck::classes
