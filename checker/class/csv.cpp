#include "checker/class/documents.h"
#include "checker/report/escape.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

namespace vmcheck::classes {

namespace {

// Names and messages are a student's: a spreadsheet must not run them.
std::string harmless(std::string const& text) {
    return text.find_first_of("=+-@\t\r") == 0 ? "'" + text : text;
}

std::string cell(std::string const& text) {
    std::string safe = harmless(report::printable(text));
    if (safe.find_first_of(",\"\r\n") == std::string::npos) return safe;
    std::string quoted = "\"";
    for (char c : safe) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + '"';
}

std::string line(std::initializer_list<std::string> cells) {
    std::string text;
    for (std::string const& each : cells) text += cell(each) + ',';
    text.pop_back();
    return text + "\r\n";
}

std::string row_line(Row const& row) {
    TreeResult const& result = row.result;
    Found const* const gravest = result.gravest();
    auto const other = [&](bool solid) {
        return std::to_string(std::count_if(result.found.begin(), result.found.end(), [&](Found const& found) {
            return !found.is_defect() && found.solid == solid;
        }));
    };
    return line({row.name, std::string(to_string(result.verdict)), std::to_string(result.defects()), other(true),
                 other(false), gravest ? gravest->signature : "", gravest ? gravest->rank : "",
                 gravest ? gravest->heading : "", what_to_know(result), result.timed_out ? "yes" : "no", result.profile,
                 result.vintage, fmt::format("{}", fmt::join(result.missing, "; ")),
                 fmt::format("{}", fmt::join(result.left_out, "; ")), std::to_string(result.programs),
                 std::to_string(result.steps), row.path});
}

}  // namespace

std::string csv_document(Class const& all) {
    std::string text =
        line({"tree", "verdict", "defects", "advice", "flaky", "signature", "rank", "gravest", "what to know",
              "timed out", "profile", "vintage", "not checked", "left out", "programs", "steps", "path"});
    for (Row const& row : all.rows) text += row_line(row);
    return text;
}

}  // namespace vmcheck::classes
