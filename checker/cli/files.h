#pragma once
// Files in and out: whole, atomic, and with errors that say what to do.

#include "spec/program.h"

#include <tl/expected.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::cli {

// A full sentence that names the file.
struct FileError {
    std::string message;
};

// The whole file. Fails where it cannot be read or is larger than 16 MiB.
tl::expected<std::string, FileError> read_file(std::filesystem::path const& path);

// Writes the whole file or nothing: first beside it under another name, then renamed. A device or pipe is written to
// directly. Creates missing directories.
tl::expected<void, FileError> write_file(std::filesystem::path const& path, std::string_view contents);

struct CorpusFile {
    std::filesystem::path path;
    spec::Program program;
};
// The programs in `paths`: files as they are, directories searched for *.vmc, in order of name. Fails at the first file
// that cannot be read or parsed, with file, line and column.
tl::expected<std::vector<CorpusFile>, FileError> read_corpus(std::vector<std::filesystem::path> const& paths);

}  // namespace vmcheck::cli
