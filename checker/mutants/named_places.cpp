#include "checker/mutants/named_places.h"

#include "impl/base/files.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <sstream>

namespace vmcheck::mutants {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kPlaces = 3;

// What tells one function of a file from another: the line of its closing brace, in the first column.
unsigned end_of_function(fs::path const& source, ChangedLine const& at) {
    std::istringstream text(base::read_file(source / at.file).value_or(std::string()));
    unsigned number = 1;
    for (std::string line; std::getline(text, line); ++number)
        if (number >= at.line && line.starts_with('}')) break;
    return number;
}

// The place `each` as a line of a changed file; line 0: it is in none.
ChangedLine place_of(json const& each, std::vector<ChangedLine> const& changed) {
    std::string const file = each.value("file", std::string());
    for (ChangedLine const& line : changed)
        if (file.ends_with(line.file)) return {line.file, each.value("line", 0U)};
    return {};
}

}  // namespace

std::vector<ChangedLine> changed_lines(std::string_view patch) {
    std::vector<ChangedLine> changed;
    std::istringstream text{std::string(patch)};
    std::string file;
    unsigned line = 0;  // of the new file
    bool in_hunk = false, only_removed = false;
    auto const end_of_removal = [&] {
        if (only_removed) changed.insert(changed.end(), {{file, line - 1}, {file, line}});
        only_removed = false;
    };
    for (std::string each; std::getline(text, each);) {
        if (each.starts_with("--- a/") || each.starts_with("+++ b/")) {
            end_of_removal();
            file = each.substr(6);
            in_hunk = false;
        } else if (std::sscanf(each.c_str(), "@@ -%*u,%*u +%u", &line) == 1) {  // NOLINT(cert-err34-c): checked
            end_of_removal();
            in_hunk = true;
        } else if (in_hunk && each.starts_with('+')) {
            only_removed = false;
            changed.push_back({file, line++});
        } else if (in_hunk && each.starts_with('-')) {
            only_removed = changed.empty() || changed.back() != ChangedLine{file, line - 1};
        } else if (in_hunk) {
            end_of_removal();
            ++line;
        }
    }
    end_of_removal();
    return changed;
}

std::vector<Named> named_places(std::string const& report, std::vector<ChangedLine> const& changed,
                                fs::path const& source) {
    json const document = json::parse(report, nullptr, false);
    std::vector<Named> named;
    try {
        json const& findings = document.at("sessions").at(0).at("findings");
        if (findings.empty()) return named;
        for (json const& each : findings.at(0).at("look_at")) {
            if (named.size() == kPlaces) break;
            ChangedLine const at = place_of(each, changed);
            auto const is_in_function = [&](ChangedLine const& line) {
                return line.file == at.file && end_of_function(source, line) == end_of_function(source, at);
            };
            named.push_back(std::ranges::find(changed, at) != changed.end()                ? Named::line
                            : at.line != 0 && std::ranges::any_of(changed, is_in_function) ? Named::function
                                                                                           : Named::elsewhere);
        }
    } catch (json::exception const&) {
        return {};  // a report of another version, or none
    }
    return named;
}

}  // namespace vmcheck::mutants
