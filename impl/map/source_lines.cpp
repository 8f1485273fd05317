#include "impl/map/source_lines.h"

#include <fmt/core.h>

#include <algorithm>
#include <tuple>

namespace vmcheck::map {

std::string to_string(SourcePlace const& place) {
    if (place.function.empty()) return fmt::format("{}:{}", place.file, place.line);
    return fmt::format("{}:{} ({})", place.file, place.line, place.function);
}

SourceLines::SourceLines() : data_(std::make_shared<Data const>()) {}

SourceLines::SourceLines(Data data) {
    // Where one sequence ends and another begins at the same address, the beginning is to come last: it holds. Rows of
    // one sequence with one address keep their order, and the last holds (DWARF 5, section 6.2.2).
    std::ranges::stable_sort(data.rows, [](Row const& a, Row const& b) {
        return std::tuple(a.address, !a.ends_sequence) < std::tuple(b.address, !b.ends_sequence);
    });
    std::ranges::stable_sort(data.ranges, [](Range const& a, Range const& b) { return a.depth > b.depth; });
    data_ = std::make_shared<Data const>(std::move(data));
}

bool SourceLines::empty() const {
    return data_->rows.empty();
}

std::optional<SourcePlace> SourceLines::source_line(VirtAddr pc) const {
    auto const frames = inlined_frames(pc);
    if (frames.empty()) return std::nullopt;
    return frames.front();
}

std::vector<VirtAddr> SourceLines::starts(VirtAddr from, VirtAddr to) const {
    std::vector<VirtAddr> starts;
    for (auto row = std::ranges::lower_bound(data_->rows, from, {}, &Row::address);
         row != data_->rows.end() && row->address < to; ++row)
        if (!row->ends_sequence && row->line != 0 && (starts.empty() || starts.back() != row->address))
            starts.push_back(row->address);
    return starts;
}

std::vector<SourceLines::Stretch> SourceLines::stretches() const {
    std::vector<Range const*> ranges;  // of functions, outer ones first where they begin together
    for (Range const& range : data_->ranges) ranges.push_back(&range);
    std::ranges::sort(ranges, {}, [](Range const* each) { return std::tuple(each->start, each->depth); });
    std::vector<Stretch> stretches;
    std::vector<Range const*> around;
    auto next = ranges.begin();
    for (std::size_t i = 0; i + 1 < data_->rows.size(); ++i) {
        Row const& row = data_->rows[i];
        VirtAddr const to = data_->rows[i + 1].address;
        if (row.ends_sequence || row.line == 0 || row.address == to) continue;
        // Nobody nests so deep but to make this take for ever.
        constexpr std::size_t kNestedMax = 256;
        for (; next != ranges.end() && (*next)->start <= row.address; ++next)
            if (around.size() < kNestedMax) around.push_back(*next);
        std::erase_if(around, [&](Range const* each) { return each->end <= row.address; });
        if (around.empty()) continue;
        auto const [outer, inner] = std::ranges::minmax(around, {}, &Range::depth);
        if (inner->by_compiler) continue;
        stretches.push_back(
            {row.address, to, data_->files[row.file], inner->function, row.line, outer->start, inner->depth > 0});
    }
    return stretches;
}

std::vector<SourcePlace> SourceLines::inlined_frames(VirtAddr pc) const {
    auto row = std::ranges::upper_bound(data_->rows, pc, {}, &Row::address);
    if (row == data_->rows.begin()) return {};
    --row;
    // Line 0 is code that belongs to no line; the line before it is the best answer.
    while (!row->ends_sequence && row->line == 0 && row != data_->rows.begin()) --row;
    if (row->ends_sequence || row->line == 0) return {};

    std::vector<SourcePlace> frames{{std::string(), data_->files[row->file], row->line}};
    for (Range const& range : data_->ranges) {  // innermost first
        if (pc < range.start || pc >= range.end) continue;
        frames.back().function = range.function;
        if (range.depth == 0) break;
        frames.push_back({std::string(), data_->files[range.call_file], range.call_line});
    }
    return frames;
}

}  // namespace vmcheck::map
