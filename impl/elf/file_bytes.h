#pragma once
// Reading a file that the user named, so that every way in which it can go wrong has its own sentence.

#include <tl/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace vmcheck::elf {

struct FileError {
    enum class Kind { kNoSuchFile, kIsDirectory, kUnreadable };
    Kind kind;
    std::string message;
};

// All bytes of the regular file at `path`. Fails where it is missing, a directory, not a regular file (a pipe would
// block, a device may never end), not permitted, or larger than `bytes_max`.
tl::expected<std::vector<std::byte>, FileError> read_whole_file(std::filesystem::path const& path,
                                                                std::uint64_t bytes_max);

}  // namespace vmcheck::elf
