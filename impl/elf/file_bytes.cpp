#include "impl/elf/file_bytes.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

namespace vmcheck::elf {
namespace {

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

tl::unexpected<FileError> failure(FileError::Kind kind, std::string message) {
    return tl::make_unexpected(FileError{kind, std::move(message)});
}

}  // namespace

tl::expected<std::vector<std::byte>, FileError> read_whole_file(std::filesystem::path const& path,
                                                                std::uint64_t bytes_max) {
    using Kind = FileError::Kind;
    std::string const name = path.string();
    std::error_code error;
    auto const status = std::filesystem::status(path, error);
    if (status.type() == std::filesystem::file_type::not_found)
        return failure(Kind::kNoSuchFile, fmt::format("{}: there is no such file; check the path.", name));
    if (error) return failure(Kind::kUnreadable, fmt::format("{}: cannot be read: {}.", name, error.message()));
    if (status.type() == std::filesystem::file_type::directory)
        return failure(Kind::kIsDirectory, fmt::format("{}: is a directory; name a file in it.", name));
    if (status.type() != std::filesystem::file_type::regular)
        return failure(Kind::kUnreadable, fmt::format("{}: is a device, pipe or socket; name a regular file.", name));

    std::unique_ptr<std::FILE, CloseFile> const file(std::fopen(name.c_str(), "rb"));
    if (!file) {
        std::string const why = std::system_category().message(errno);
        return failure(Kind::kUnreadable, fmt::format("{}: cannot be opened: {}.", name, why));
    }
    // The size is only asked for to refuse early: the file may grow or shrink while it is read.
    std::uint64_t const size = std::filesystem::file_size(path, error);
    std::vector<std::byte> bytes(error || size > bytes_max ? 0 : static_cast<std::size_t>(size) + 1);
    std::size_t used = 0;
    while (!bytes.empty()) {
        std::size_t const got = std::fread(bytes.data() + used, 1, bytes.size() - used, file.get());
        used += got;
        if (got == 0 || used > bytes_max) break;
        if (used == bytes.size()) bytes.resize(bytes.size() * 2);
    }
    if (std::ferror(file.get()) != 0)
        return failure(Kind::kUnreadable, fmt::format("{}: could not be read to its end.", name));
    if (size > bytes_max || used > bytes_max) {
        return failure(
            Kind::kUnreadable,
            fmt::format("{}: is larger than {} bytes, which is the limit for such a file.", name, bytes_max));
    }
    bytes.resize(used);
    return bytes;
}

}  // namespace vmcheck::elf
