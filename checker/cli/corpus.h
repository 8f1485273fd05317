#pragma once
// Programs from files and directories.

#include "impl/base/error.h"
#include "spec/program.h"

#include <tl/expected.hpp>

#include <filesystem>
#include <vector>

namespace vmcheck::cli {

struct CorpusFile {
    std::filesystem::path path;
    spec::Program program;
};
// The programs in `paths`: files as they are, directories searched for *.vmc, in order of name. Fails at the first file
// that cannot be read or parsed, with file, line and column.
tl::expected<std::vector<CorpusFile>, base::Error> read_corpus(std::vector<std::filesystem::path> const& paths);

}  // namespace vmcheck::cli
