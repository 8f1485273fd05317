#include "checker/class/documents.h"
#include "checker/report/escape.h"

#include <fmt/core.h>

#include <algorithm>

namespace vmcheck::classes {

using std::chrono::milliseconds;

namespace {

struct LineLook {
    char const* mark;
    char const* colour;
};

LineLook look_of(TreeVerdict verdict) {
    if (verdict == TreeVerdict::defects) return {"✗", "\033[31m"};
    if (verdict == TreeVerdict::nothing_found) return {"✓", "\033[32m"};
    return {"!", "\033[33m"};
}

// Of a name or a message nobody vouches for what it holds: no escape sequence, no second line.
std::string plain(std::string const& text) {
    std::string line = report::printable(text);
    std::replace(line.begin(), line.end(), '\n', ' ');
    std::replace(line.begin(), line.end(), '\t', ' ');
    return line;
}

std::string row_lines(Row const& row, std::size_t name_width, std::size_t label_width, bool colour) {
    LineLook const look = look_of(row.result.verdict);
    Found const* const gravest = row.result.gravest();
    std::string text = fmt::format("{}{} {:<{}}{}  {:<{}}  {}", colour ? look.colour : "", look.mark, label(row.result),
                                   label_width, colour ? "\033[0m" : "", plain(row.name), name_width,
                                   gravest == nullptr ? "" : plain(gravest->heading));
    text.erase(text.find_last_not_of(' ') + 1);
    if (std::string const sentence = what_to_know(row.result); !sentence.empty())
        text += fmt::format("\n    {}", plain(sentence));
    if (auto const& left_out = row.result.left_out; !left_out.empty())
        text += fmt::format("\n    left out, since it leads out of the tree: {}{}", plain(left_out.front()),
                            left_out.size() == 1 ? "" : fmt::format(" and {} more", left_out.size() - 1));
    return text + '\n';
}

}  // namespace

std::string text_document(Class const& all, bool colour) {
    std::size_t name_width = 0, label_width = 0;
    for (Row const& row : all.rows) {
        constexpr std::size_t kNameWidthMax = 32;
        name_width = std::max(name_width, std::min(row.name.size(), kNameWidthMax));
        label_width = std::max(label_width, label(row.result).size());
    }
    std::string text;
    for (Row const* row : by_verdict(all)) text += row_lines(*row, name_width, label_width, colour);
    auto const shared = shared_defects(all);
    if (!shared.empty()) text += "\ndefects, and how many trees have them\n";
    for (Shared const& each : shared)
        text += fmt::format("  {:>4} tree{}  {}\n", each.trees.size(), each.trees.size() == 1 ? " " : "s",
                            plain(each.heading));
    return text + fmt::format("\n{}\n", counts_line(all));
}

// ---- while it goes

std::string clock_time(milliseconds time) {
    auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(time).count();
    constexpr int kHour = 3600, kMinute = 60;
    if (seconds >= kHour)
        return fmt::format("{}:{:02}:{:02}", seconds / kHour, seconds % kHour / kMinute, seconds % kMinute);
    return fmt::format("{}:{:02}", seconds / kMinute, seconds % kMinute);
}

std::string progress_line(ClassProgress const& progress) {
    constexpr std::size_t kNamesMax = 4;
    std::string line = fmt::format("checking  {} of {} trees", progress.done, progress.trees);
    for (std::size_t i = 0; i < progress.running.size() && i < kNamesMax; ++i)
        line += fmt::format(" · {} {}", report::printable(progress.running[i].first),
                            clock_time(progress.running[i].second));
    if (progress.running.size() > kNamesMax) line += fmt::format(" · {} more", progress.running.size() - kNamesMax);
    if (progress.left) line += fmt::format(" · about {} left", clock_time(*progress.left));
    return line;
}

std::optional<milliseconds> time_left(milliseconds elapsed, std::size_t ended, std::size_t not_done,
                                      unsigned at_a_time) {
    if (ended == 0 || ended < at_a_time) return std::nullopt;
    return milliseconds{elapsed.count() * static_cast<milliseconds::rep>(not_done) /
                        static_cast<milliseconds::rep>(ended)};
}

}  // namespace vmcheck::classes
