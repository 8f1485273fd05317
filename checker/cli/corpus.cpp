#include "checker/cli/corpus.h"

#include "impl/base/files.h"
#include "spec/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace vmcheck::cli {

namespace fs = std::filesystem;

tl::expected<std::vector<CorpusFile>, base::Error> read_corpus(std::vector<fs::path> const& paths) {
    std::vector<fs::path> files;
    for (fs::path const& path : paths) {
        std::error_code error;
        if (!fs::is_directory(path, error)) {
            files.push_back(path);
            continue;
        }
        std::vector<fs::path> found;
        for (fs::recursive_directory_iterator at(path, error), end; !error && at != end; at.increment(error))
            if (at->path().extension() == ".vmc") found.push_back(at->path());
        if (error)
            return tl::unexpected(
                base::Error{fmt::format("{}: cannot be searched: {}.", path.string(), error.message())});
        std::sort(found.begin(), found.end());
        files.insert(files.end(), found.begin(), found.end());
    }
    std::vector<CorpusFile> corpus;
    for (fs::path const& file : files) {
        auto const text = base::read_file(file);
        if (!text) return tl::unexpected(text.error());
        auto program = spec::parse(*text);
        if (!program)
            return tl::unexpected(base::Error{fmt::format("{}: {}.", file.string(), spec::to_string(program.error()))});
        corpus.push_back({file, std::move(*program)});
    }
    return corpus;
}

}  // namespace vmcheck::cli
