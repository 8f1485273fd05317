#include "checker/fuzz/fuzz.h"
#include "impl/base/files.h"

#include <algorithm>

namespace vmcheck::fuzz {

std::vector<std::string> files(std::filesystem::path const& directory, std::string_view ending) {
    std::vector<std::filesystem::path> paths;
    std::error_code none;
    for (auto const& entry : std::filesystem::recursive_directory_iterator(directory, none))
        if (entry.is_regular_file() && entry.path().native().ends_with(ending)) paths.push_back(entry.path());
    std::ranges::sort(paths);
    std::vector<std::string> all;
    all.reserve(paths.size());
    for (auto const& path : paths) all.push_back(base::read_file(path).value());
    return all;
}

}  // namespace vmcheck::fuzz
