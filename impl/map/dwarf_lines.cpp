#include "impl/map/dwarf_lines.h"

#include <dwarf.h>

#include <algorithm>
#include <limits>
#include <string_view>

namespace vmcheck::map::dwarf {
namespace {

constexpr std::size_t kRowsMax = 8U << 20;
constexpr std::size_t kRangesMax = 1U << 20;
constexpr int kRangesOfOneMax = 1024;

std::uint32_t narrow(std::uint64_t value) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(value, std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace

std::uint32_t LineReader::file_index(char const* path) {
    std::string_view name = path == nullptr ? "?" : path;
    if (!directory_.empty() && name.substr(0, directory_.size()) == directory_) name.remove_prefix(directory_.size());
    while (name.substr(0, 2) == "./") name.remove_prefix(2);
    auto const [at, is_new] = file_indices_.try_emplace(std::string(name), narrow(data_.files.size()));
    if (is_new) data_.files.emplace_back(name);
    return at->second;
}

void LineReader::start_unit(Dwarf_Die& unit) {
    Dwarf_Attribute attribute;
    char const* const directory = dwarf_formstring(dwarf_attr(&unit, DW_AT_comp_dir, &attribute));
    directory_ = directory == nullptr ? std::string() : std::string(directory) + "/";
    files_ = nullptr;
    file_count_ = 0;
    if (dwarf_getsrcfiles(&unit, &files_, &file_count_) != 0) files_ = nullptr;

    Dwarf_Lines* lines = nullptr;
    std::size_t count = 0;
    if (dwarf_getsrclines(&unit, &lines, &count) != 0) return;
    for (std::size_t i = 0; i < count && data_.rows.size() < kRowsMax; ++i) {
        Dwarf_Line* const line = dwarf_onesrcline(lines, i);
        Dwarf_Addr address = 0;
        int number = 0;
        bool ends_sequence = false;
        if (line == nullptr || dwarf_lineaddr(line, &address) != 0 || dwarf_lineno(line, &number) != 0) continue;
        if (dwarf_lineendsequence(line, &ends_sequence) != 0) continue;
        SourceLines::Row row;
        row.address = VirtAddr{address};
        row.file = file_index(dwarf_linesrc(line, nullptr, nullptr));
        row.line = number < 0 ? 0 : static_cast<std::uint32_t>(number);
        row.ends_sequence = ends_sequence;
        data_.rows.push_back(row);
    }
}

void LineReader::add_function(Dwarf_Die& die, std::string const& name, unsigned depth) {
    SourceLines::Range range;
    range.function = name;
    range.depth = depth;
    if (depth > 0) {
        auto const file = unsigned_value(die, DW_AT_call_file);
        bool const known = files_ != nullptr && file && *file < file_count_;
        range.call_file = file_index(known ? dwarf_filesrc(files_, *file, nullptr, nullptr) : nullptr);
        range.call_line = narrow(unsigned_value(die, DW_AT_call_line).value_or(0));
    }
    Dwarf_Addr base = 0;
    Dwarf_Addr start = 0;
    Dwarf_Addr end = 0;
    std::ptrdiff_t at = 0;
    for (int i = 0; i < kRangesOfOneMax && data_.ranges.size() < kRangesMax; ++i) {
        at = dwarf_ranges(&die, at, &base, &start, &end);
        if (at <= 0) return;
        if (start >= end) continue;
        range.start = VirtAddr{start};
        range.end = VirtAddr{end};
        data_.ranges.push_back(range);
    }
}

}  // namespace vmcheck::map::dwarf
