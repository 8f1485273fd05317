#include "checker/class/documents.h"
#include "checker/report/escape.h"

#include <fmt/format.h>

#include <algorithm>

namespace vmcheck::classes {

namespace {

struct Look {
    char const* mark;
    char const* colour;
};

Look look_of(Verdict verdict) {
    if (verdict == Verdict::defects) return {"✗", "\033[31m"};
    if (verdict == Verdict::nothing_found) return {"✓", "\033[32m"};
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
    Look const look = look_of(row.outcome.verdict);
    Found const* const gravest = row.outcome.gravest();
    std::string text = fmt::format("{}{} {:<{}}{}  {:<{}}  {}", colour ? look.colour : "", look.mark,
                                   label(row.outcome), label_width, colour ? "\033[0m" : "", plain(row.name),
                                   name_width, gravest == nullptr ? "" : plain(gravest->heading));
    text.erase(text.find_last_not_of(' ') + 1);
    if (std::string const sentence = what_to_know(row.outcome); !sentence.empty())
        text += fmt::format("\n    {}", plain(sentence));
    return text + '\n';
}

}  // namespace

std::string text_document(Class const& all, bool colour) {
    std::size_t name_width = 0, label_width = 0;
    for (Row const& row : all.rows) {
        constexpr std::size_t kNameWidthMax = 32;
        name_width = std::max(name_width, std::min(row.name.size(), kNameWidthMax));
        label_width = std::max(label_width, label(row.outcome).size());
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

}  // namespace vmcheck::classes
