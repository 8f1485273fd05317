#include "checker/class/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace vmcheck::classes {

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
        return std::tuple(row->result.verdict, gravest == nullptr ? "" : gravest->heading, row->name);
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

std::string label(TreeResult const& result) {
    std::string text(to_string(result.verdict));
    if (result.verdict == TreeVerdict::defects) {
        text = fmt::format("{} defect{}", result.defects(), result.defects() == 1 ? "" : "s");
        if (result.timed_out) text += " (timed out)";
    }
    auto const advice = std::count_if(result.found.begin(), result.found.end(),
                                      [](Found const& found) { return found.solid && !found.is_defect(); });
    if (result.verdict == TreeVerdict::nothing_found && advice > 0) text += fmt::format(" ({} advice)", advice);
    return text;
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
