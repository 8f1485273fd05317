#include "checker/report/coverage.h"

#include "checker/report/escape.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <string_view>

namespace vmcheck::report {

namespace {

using Function = Coverage::Function;

struct LineState {
    Function const* function = nullptr;  // the first that has it
    bool reached = false;
    bool only_panics = true;
};
// By file and number; of functions that `counts` takes.
template <class Counts>
std::map<std::string, std::map<unsigned, LineState>> lines_of(Coverage const& coverage, Counts counts) {
    std::map<std::string, std::map<unsigned, LineState>> files;
    for (Function const& function : coverage.functions) {
        if (!counts(function)) continue;
        for (Coverage::Line const& line : function.lines) {
            LineState& state = files[function.file][line.number];
            if (state.function == nullptr) state.function = &function;
            state.reached |= line.reached;
            state.only_panics &= line.only_panics;
        }
    }
    return files;
}

std::vector<MemoryCoverage::Part> parts_of(Coverage const& coverage) {
    std::map<std::string, std::vector<std::string>> by_file;
    std::set<std::string> in_part;
    for (Function const& each : coverage.functions) {
        if (each.about_memory)
            by_file[each.file].push_back(each.name);
        else
            in_part.insert(each.file);
    }
    std::vector<MemoryCoverage::Part> parts;
    parts.reserve(by_file.size());
    for (auto& [file, functions] : by_file)
        parts.push_back(
            {file, in_part.contains(file) || file.empty() ? std::move(functions) : std::vector<std::string>()});
    std::stable_partition(parts.begin(), parts.end(), [](auto const& part) { return part.functions.empty(); });
    return parts;
}

std::string_view base_name(std::string_view file) {
    return file.substr(file.rfind('/') + 1);  // npos + 1 is 0
}

std::string part_in_words(MemoryCoverage::Part const& part) {
    if (part.functions.empty()) return std::string(base_name(part.file));
    std::string const whose = part.file.empty() ? "" : fmt::format("{}'s ", base_name(part.file));
    return fmt::format("{}{}", whose, fmt::join(part.functions, ", "));
}

std::string gap_in_words(MemoryCoverage::Gap const& gap) {
    if (gap.file.empty()) return gap.function;
    std::string const lines = gap.from == gap.to ? fmt::format("{}", gap.from) : fmt::format("{}-{}", gap.from, gap.to);
    return fmt::format("{}:{} ({})", base_name(gap.file), lines, gap.function);
}

void add_lines(Coverage const& coverage, MemoryCoverage& memory) {
    auto const files = lines_of(coverage, [](Function const& each) { return each.about_memory; });
    for (auto const& [file, lines] : files) {
        bool goes_on = false;  // no line that has run came since the last gap
        for (auto const& [number, line] : lines) {
            if (!line.reached && line.only_panics) {
                ++memory.only_panic;
                continue;
            }
            ++memory.all;
            if (line.reached)
                ++memory.reached;
            else if (goes_on && memory.gaps.back().function == line.function->name)
                memory.gaps.back().to = number;
            else
                memory.gaps.push_back({file, line.function->name, number, number});
            goes_on = !line.reached;
        }
    }
}

// A test's name is of letters, digits and underscores.
std::string test_name(SessionResult const& session) {
    std::string name = session.kernel.profile;
    std::ranges::replace_if(
        name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
    return name;
}

std::string lcov_record(std::string const& file, std::vector<Function const*> const& functions,
                        std::map<unsigned, LineState> const& lines) {
    std::string record = fmt::format("SF:{}\n", one_line(file));
    std::size_t functions_hit = 0, lines_hit = 0;
    for (Function const* each : functions)
        record += fmt::format("FN:{},{}\n", each->lines.empty() ? 1 : each->lines.front().number, one_line(each->name));
    for (Function const* each : functions) {
        record += fmt::format("FNDA:{},{}\n", each->reached ? 1 : 0, one_line(each->name));
        functions_hit += each->reached;
    }
    record += fmt::format("FNF:{}\nFNH:{}\n", functions.size(), functions_hit);
    for (auto const& [number, line] : lines) {
        record += fmt::format("DA:{},{}\n", number, line.reached ? 1 : 0);
        lines_hit += line.reached;
    }
    return record + fmt::format("LF:{}\nLH:{}\nend_of_record\n", lines.size(), lines_hit);
}

}  // namespace

MemoryCoverage memory_coverage(Coverage const& coverage) {
    MemoryCoverage memory;
    memory.parts = parts_of(coverage);
    memory.by_lines = std::ranges::none_of(coverage.functions, [](Function const& each) { return each.file.empty(); });
    if (memory.by_lines) {
        add_lines(coverage, memory);
        return memory;
    }
    for (Function const& each : coverage.functions) {
        if (!each.about_memory) continue;
        ++memory.all;
        if (each.reached)
            ++memory.reached;
        else
            memory.gaps.push_back({.file = {}, .function = each.name});
    }
    return memory;
}

std::vector<std::string> coverage_lines(SessionResult const& session) {
    MemoryCoverage const memory = memory_coverage(session.coverage);
    if (memory.all == 0 || session.counts.programs == 0) return {};
    std::vector<std::string> parts, gaps;
    for (MemoryCoverage::Part const& part : memory.parts) parts.push_back(part_in_words(part));
    constexpr std::size_t kShown = 20;
    for (MemoryCoverage::Gap const& gap : memory.gaps) {
        if (gaps.size() == kShown) {
            gaps.push_back(fmt::format("and {} more", memory.gaps.size() - kShown));
            break;
        }
        gaps.push_back(gap_in_words(gap));
    }
    std::vector<std::string> lines{
        one_line(fmt::format("reached {} % of {} {} of {}", memory.reached * 100 / memory.all, memory.all,
                             memory.by_lines ? "lines" : "functions (no debug information)", fmt::join(parts, ", ")))};
    if (memory.only_panic > 0) lines.back() += fmt::format("; {} more can only panic", memory.only_panic);
    if (!gaps.empty()) lines.push_back(one_line(fmt::format("never reached: {}", fmt::join(gaps, ", "))));
    return lines;
}

std::string coverage_text(SessionResult const& session) {
    std::string text;
    for (std::string const& line : coverage_lines(session)) text += fmt::format("  {}\n", line);
    return text.empty() ? text : "coverage of the code about memory\n" + text;
}

std::string lcov_document(std::vector<SessionResult> const& sessions) {
    std::string document;
    for (SessionResult const& session : sessions) {
        std::map<std::string, std::vector<Function const*>> by_file;
        for (Function const& each : session.coverage.functions) by_file[each.file].push_back(&each);
        auto lines = lines_of(session.coverage, [](Function const&) { return true; });
        for (auto const& [file, functions] : by_file)
            document += fmt::format("TN:{}\n", test_name(session)) +
                        lcov_record(file.empty() ? session.kernel.name : file, functions, lines[file]);
    }
    return document;
}

}  // namespace vmcheck::report
