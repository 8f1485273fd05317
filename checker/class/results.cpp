#include "checker/class/results.h"

#include <algorithm>
#include <system_error>

namespace vmcheck::classes {

namespace {

namespace fs = std::filesystem;

constexpr char const* kPageFile = "report.html";

// "1-I3-fork.vmc".
bool belongs_to_finding(std::string const& name) {
    std::size_t const digits = name.find_first_not_of("0123456789");
    return digits != std::string::npos && digits > 0 && name[digits] == '-';
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

void clear_results(fs::path const& directory) {
    std::error_code ignored;
    for (std::string const& name : file_names(directory))
        if (belongs_to_finding(name) || name == kPageFile || name == kReportFile || name == kLogFile ||
            name == kStampFile)
            fs::remove(directory / name, ignored);
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

}  // namespace vmcheck::classes
