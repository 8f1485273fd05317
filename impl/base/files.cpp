#include "impl/base/files.h"

#include "impl/base/descriptor.h"
#include "impl/base/wake.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>

namespace vmcheck::base {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPageBytes = 4096;  // what any file takes of a disk, more or less

tl::unexpected<Error> failure(fs::path const& path, std::string_view what, Error::Kind kind = Error::Kind::other) {
    return tl::make_unexpected(Error{fmt::format("{}: {}.", path.string(), what), kind});
}

tl::unexpected<Error> cannot(fs::path const& path, std::string_view deed) {
    return failure(path, fmt::format("cannot be {}: {}", deed, std::strerror(errno)));
}

tl::expected<Descriptor, Error> open_to_read(fs::path const& path, bool any_kind) {
    // Without O_NONBLOCK, opening a pipe could wait for ever.
    Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!file.valid() && errno == ENOENT)
        return failure(path, "there is no such file; check the path", Error::Kind::no_such_file);
    if (!file.valid()) return cannot(path, "opened");
    struct stat about {};
    if (::fstat(file.number(), &about) != 0) return cannot(path, "read");
    if (S_ISDIR(about.st_mode)) return failure(path, "is a directory; name a file in it", Error::Kind::is_directory);
    if (!any_kind && !S_ISREG(about.st_mode)) return failure(path, "is a device, pipe or socket; name a regular file");
    return file;
}

// All of it into `contents`, a std::string or a vector of bytes.
template <class Contents>
tl::expected<Contents, Error> read_all(fs::path const& path, ReadLimits const& limits) {
    auto const file = open_to_read(path, limits.any_kind);
    if (!file) return tl::unexpected(file.error());
    Wake const wake(limits.stop);
    constexpr std::size_t kBlock = std::size_t{1} << 16;
    Contents contents;
    while (true) {
        // Of a pipe, until somebody writes; a regular file is always ready.
        std::array<pollfd, 2> waiting{{{file->number(), POLLIN, 0}, {wake.number(), POLLIN, 0}}};
        ::poll(waiting.data(), waiting.size(), -1);
        if (limits.stop.stop_requested()) return failure(path, "interrupted while it was read");
        std::size_t const before = contents.size();
        contents.resize(before + kBlock);
        ssize_t const count = ::read(file->number(), contents.data() + before, kBlock);
        contents.resize(before + static_cast<std::size_t>(count > 0 ? count : 0));
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (count < 0) return cannot(path, "read");
        if (count == 0) return contents;
        if (contents.size() > limits.bytes_max)
            return failure(path, fmt::format("is larger than {} bytes, the limit for such a file", limits.bytes_max));
    }
}

// Where a file comes to be: at `target`, which then replaces it, or where it is already.
struct Place {
    fs::path target;
    bool replaces = true;
    Descriptor file;
};

tl::expected<Place, Error> open_to_write(fs::path const& path) {
    std::error_code error;
    if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
    if (error) return failure(path.parent_path(), fmt::format("cannot be made: {}", error.message()));
    if (fs::is_directory(path, error)) return failure(path, "cannot be written: it is a directory");
    bool const replaces = !fs::exists(path, error) || fs::is_regular_file(path, error);
    fs::path target = replaces ? fs::path(fmt::format("{}.{}.part", path.string(), ::getpid())) : path;
    // A pipe that nobody reads is no place to write to, rather than one to wait at.
    int const flags = O_WRONLY | O_CLOEXEC | (replaces ? O_CREAT | O_TRUNC : O_NONBLOCK);
    Descriptor file(::open(target.c_str(), flags, 0666));
    if (!file.valid()) return cannot(path, "written");
    if (!replaces) ::fcntl(file.number(), F_SETFL, 0);
    return Place{std::move(target), replaces, std::move(file)};
}

bool write_all(int descriptor, std::string_view contents) {
    while (!contents.empty()) {
        ssize_t const written = ::write(descriptor, contents.data(), contents.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        contents.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

// A name that was given to a file is on the disk when its directory is.
bool sync_directory_of(fs::path const& path) {
    fs::path const directory = path.has_parent_path() ? path.parent_path() : fs::path(".");
    Descriptor const open(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return open.valid() && ::fsync(open.number()) == 0;
}

tl::expected<void, Error> write(fs::path const& path, std::string_view contents, bool for_good) {
    auto place = open_to_write(path);
    if (!place) return tl::unexpected(place.error());
    bool const synced = for_good && place->replaces;
    bool const written = write_all(place->file.number(), contents) && (!synced || ::fsync(place->file.number()) == 0) &&
                         place->file.close() &&
                         (!place->replaces || ::rename(place->target.c_str(), path.c_str()) == 0) &&
                         (!synced || sync_directory_of(path));
    if (written) return {};
    auto const why = cannot(path, "written");
    if (place->replaces) ::unlink(place->target.c_str());
    return why;
}

std::string scratch_prefix() {
    return fmt::format("vmcheck-{}-", ::getpid());
}

}  // namespace

tl::expected<std::string, Error> read_file(fs::path const& path, ReadLimits const& limits) {
    return read_all<std::string>(path, limits);
}

tl::expected<std::vector<std::byte>, Error> read_bytes(fs::path const& path, ReadLimits const& limits) {
    return read_all<std::vector<std::byte>>(path, limits);
}

tl::expected<void, Error> write_file(fs::path const& path, std::string_view contents) {
    return write(path, contents, false);
}

tl::expected<void, Error> write_file_for_good(fs::path const& path, std::string_view contents) {
    return write(path, contents, true);
}

void remove_left_parts(fs::path const& directory) {
    std::error_code error, ignored;
    for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
        if (at->path().extension() != ".part") continue;
        pid_t writer = 0;
        std::string const number = at->path().stem().extension().string();  // ".123"
        if (number.size() < 2) continue;
        char const* const end_of_number = number.data() + number.size();
        if (std::from_chars(number.data() + 1, end_of_number, writer).ptr != end_of_number) continue;
        if (writer > 0 && ::kill(writer, 0) != 0 && errno == ESRCH) fs::remove(at->path(), ignored);
    }
}

tl::expected<void, Error> write_sealed(fs::path const& path, std::vector<std::byte> contents) {
    auto const seal =
        std::bit_cast<std::array<std::byte, sizeof(XXH64_hash_t)>>(XXH3_64bits(contents.data(), contents.size()));
    contents.insert(contents.end(), seal.begin(), seal.end());
    return write_file(path, contents);
}

tl::expected<std::vector<std::byte>, Error> read_sealed(fs::path const& path, ReadLimits const& limits) {
    auto contents = read_bytes(path, limits);
    if (!contents) return contents;
    XXH64_hash_t seal = 0;
    bool const has_seal = contents->size() >= sizeof(seal);
    if (has_seal) {
        std::memcpy(&seal, contents->data() + contents->size() - sizeof(seal), sizeof(seal));
        contents->resize(contents->size() - sizeof(seal));
    }
    if (!has_seal || seal != XXH3_64bits(contents->data(), contents->size()))
        return tl::unexpected(Error{fmt::format("{}: is damaged: it does not fit its checksum.", path.string())});
    return contents;
}

tl::expected<void, Error> check_writable(fs::path const& path) {
    auto place = open_to_write(path);
    if (!place) return tl::unexpected(place.error());
    if (!place->replaces) return {};
    bool const written = write_all(place->file.number(), std::string(kPageBytes, ' ')) && place->file.close();
    auto const why = cannot(path, "written");
    ::unlink(place->target.c_str());
    if (!written) return why;
    return {};
}

tl::expected<void, Error> write_file(fs::path const& path, std::vector<std::byte> const& contents) {
    return write_file(path, std::string_view(reinterpret_cast<char const*>(contents.data()), contents.size()));
}

tl::expected<ScratchDirectory, Error> ScratchDirectory::make(std::string_view purpose) {
    std::error_code error;
    std::string name =
        (fs::temp_directory_path(error) / fmt::format("{}{}-XXXXXX", scratch_prefix(), purpose)).string();
    if (error)
        return tl::unexpected(
            Error{"there is no directory for temporary files; is TMPDIR right?", Error::Kind::machine});
    if (::mkdtemp(name.data()) == nullptr)
        return failure(name,
                       fmt::format("cannot be made: {}; is TMPDIR right, is the disk full?", std::strerror(errno)),
                       Error::Kind::machine);
    return ScratchDirectory(name);
}

void ScratchDirectory::remove_all() {
    std::error_code error, ignored;
    for (fs::directory_iterator at(fs::temp_directory_path(error), error), end; !error && at != end;
         at.increment(error))
        if (at->path().filename().string().starts_with(scratch_prefix())) fs::remove_all(at->path(), ignored);
}

ScratchDirectory::ScratchDirectory(fs::path path) : path_(std::move(path)) {}
ScratchDirectory::ScratchDirectory(ScratchDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
ScratchDirectory& ScratchDirectory::operator=(ScratchDirectory&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
}
ScratchDirectory::~ScratchDirectory() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
}

}  // namespace vmcheck::base
