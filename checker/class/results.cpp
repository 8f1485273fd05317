#include "checker/class/results.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <system_error>

namespace vmcheck::classes {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr char const* kPageFile = "report.html";
constexpr int kStampVersion = 1;

// "1-I3-fork.vmc".
bool belongs_to_finding(std::string const& name) {
    std::size_t const digits = name.find_first_not_of("0123456789");
    bool const numbered = digits != std::string::npos && digits > 0 && name.compare(digits, 2, "-I") == 0;
    // ".part": whoever wrote it was killed.
    return numbered && (name.ends_with(".vmc") || name.ends_with(".c") || name.ends_with(".part"));
}

// Names of its plain files in order; none where there is no directory.
std::vector<std::string> file_names(fs::path const& directory) {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
        std::error_code unknown;
        if (at->is_regular_file(unknown)) names.push_back(at->path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace

std::string directory_name(std::string const& tree) {
    std::size_t const end = std::min(tree.find('/'), tree.size());
    std::string_view name(tree.data(), end);
    while (name.ends_with('_')) name.remove_suffix(1);
    bool const is_reserved = name == kShardFile || std::ranges::find(kSummaryFiles, name) != kSummaryFiles.end();
    return is_reserved ? tree.substr(0, end) + '_' + tree.substr(end) : tree;
}

void clear_findings(fs::path const& directory) {
    std::error_code ignored;
    for (std::string const& name : file_names(directory))
        if (belongs_to_finding(name) || name == kPageFile) fs::remove(directory / name, ignored);
}

void clear_results(fs::path const& directory) {
    clear_findings(directory);
    std::error_code ignored;
    for (char const* name : {kReportFile, kLogFile, kStampFile}) fs::remove(directory / name, ignored);
}

std::vector<std::string> files_for_people(fs::path const& directory, std::string const& prefix) {
    std::vector<std::string> files;
    auto const names = file_names(directory);
    auto const add = [&](std::string const& name) { files.push_back(prefix + '/' + name); };
    for (std::string const& name : names)
        if (name == kPageFile) add(name);
    for (std::string const& name : names)
        if (belongs_to_finding(name)) add(name);
    for (std::string const& name : names)
        if (name == kLogFile) add(name);
    return files;
}

std::string print(Stamp const& stamp) {
    nlohmann::ordered_json document;
    document["stamp"] = kStampVersion;
    document["program"] = stamp.program;
    document["options"] = stamp.options;
    document["inputs"] = stamp.inputs;
    document["limit_ms"] = stamp.limit.count();
    document["exit_code"] = stamp.ending.exit_code ? nlohmann::ordered_json(*stamp.ending.exit_code) : nullptr;
    document["signal"] = stamp.ending.signal;
    document["timed_out"] = stamp.ending.cut == Cut::time_limit;
    return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::optional<Stamp> parse_stamp(std::string_view text) {
    try {
        json const document = json::parse(text);
        if (document.at("stamp") != kStampVersion) return std::nullopt;
        Stamp stamp;
        stamp.program = document.at("program").get<std::string>();
        stamp.options = document.at("options").get<std::vector<std::string>>();
        stamp.inputs = document.at("inputs").get<std::string>();
        stamp.limit = std::chrono::milliseconds{document.at("limit_ms").get<std::int64_t>()};
        if (!document.at("exit_code").is_null()) stamp.ending.exit_code = document.at("exit_code").get<int>();
        stamp.ending.signal = document.at("signal").get<int>();
        stamp.ending.cut = document.at("timed_out").get<bool>() ? Cut::time_limit : Cut::no;
        return stamp;
    } catch (json::exception const&) {
        return std::nullopt;  // the library reports by exception; this is the border at which that ends
    }
}

bool answers(Stamp const& stamp, Stamp const& wanted) {
    bool const time_enough = stamp.ending.cut != Cut::time_limit || stamp.limit >= wanted.limit;
    return !wanted.inputs.empty() && stamp.program == wanted.program && stamp.options == wanted.options &&
           stamp.inputs == wanted.inputs && time_enough;
}

}  // namespace vmcheck::classes
