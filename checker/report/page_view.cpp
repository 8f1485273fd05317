#include "checker/report/page_view.h"

#include "spec/text.h"

#include <fmt/core.h>

#include <algorithm>

namespace vmcheck::report {

namespace {

auto row_of(std::vector<PageRow> const& rows, spec::ProcId id) {
    return std::find_if(rows.begin(), rows.end(), [&](PageRow const& row) { return row.process == id; });
}

std::string cell_of(std::vector<PageRow> const& rows, spec::ProcId id) {
    auto const found = row_of(rows, id);
    return found == rows.end() ? "-" : words_of(*found);
}

}  // namespace

std::string rights_words(spec::Rights rights) {
    return fmt::format("{} {} {} {}", rights.read ? 'R' : '-', rights.write ? 'W' : '-', rights.execute ? 'X' : '-',
                       rights.user ? 'U' : '-');
}

std::string words_of(PageRow const& row) {
    if (!row.mapped) return "not mapped";
    std::string text = fmt::format("frame {:#x}  {}", row.page.frame.value, rights_words(row.page.rights));
    if (!row.page.in_ram) text += ", NOT IN RAM";
    if (row.references > 0) text += fmt::format("  {} PTE{}", row.references, row.references == 1 ? "" : "s");
    if (row.count) text += fmt::format(", count {}", *row.count);
    if (row.on_free_list == true) text += ", ON THE FREE LIST";
    return text;
}

PageView page_view(Finding const& finding) {
    PageTable const& table = *finding.evidence.pages;
    PageView view;
    auto const& steps = finding.program.steps;
    std::size_t const next = finding.divergence.at.value + std::size_t{1};  // counted from 0
    bool const overlaps = next < steps.size() && steps[next].faults.meanwhile;
    view.before = fmt::format("before step {}", next);
    view.after = overlaps ? fmt::format("after steps {} and {}", next, next + 1) : fmt::format("after step {}", next);
    VirtAddr const start = start_of(table.page);
    view.page = fmt::format("va {:#x}", start.value);
    if (auto const& place = finding.evidence.place; place && place->anchor != spec::Anchor::absolute) {
        // The place may lie within the page; the page is what the rows are about.
        std::uint64_t const within = finding.divergence.violations.front().address.value_or(start).offset();
        spec::Address const page{place->anchor, place->offset - static_cast<std::int64_t>(within)};
        view.page = fmt::format("{} ({})", spec::print(page), view.page);
    }
    std::vector<PageRow> all = table.before;
    for (PageRow const& row : table.after)
        if (row_of(all, row.process) == all.end()) all.push_back(row);
    for (PageRow const& row : all) {
        auto const after = row_of(table.after, row.process);
        bool const zombie = after != table.after.end() ? after->zombie : row.zombie;
        view.rows.push_back({fmt::format("p{}{}", row.process.value, zombie ? " zombie" : ""),
                             cell_of(table.before, row.process), cell_of(table.after, row.process)});
    }
    return view;
}

}  // namespace vmcheck::report
