#include "checker/cli/files.h"

#include "spec/text.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>

namespace vmcheck::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargest = std::size_t{16} << 20;

// An open file descriptor, closed when it goes.
class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor const&) = delete;
    Descriptor& operator=(Descriptor const&) = delete;
    ~Descriptor() { close(); }
    bool valid() const { return number_ >= 0; }
    int number() const { return number_; }
    // False where what was written could not be kept.
    bool close() { return number_ < 0 || ::close(std::exchange(number_, -1)) == 0; }

  private:
    int number_;
};

FileError failure(char const* deed, fs::path const& path) {
    return {fmt::format("{}: cannot {}: {}.", path.string(), deed, std::strerror(errno))};
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

}  // namespace

tl::expected<std::string, FileError> read_file(fs::path const& path) {
    std::error_code error;
    if (fs::is_directory(path, error))
        return tl::unexpected(FileError{fmt::format("{}: is a directory, not a file.", path.string())});
    Descriptor const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid()) return tl::unexpected(failure("be read", path));
    std::string contents;
    std::string block(std::size_t{1} << 16, '\0');
    while (true) {
        ssize_t const count = ::read(file.number(), block.data(), block.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return tl::unexpected(failure("be read", path));
        if (count == 0) return contents;
        contents.append(block, 0, static_cast<std::size_t>(count));
        if (contents.size() > kLargest)
            return tl::unexpected(FileError{fmt::format("{}: is larger than 16 MiB.", path.string())});
    }
}

tl::expected<void, FileError> write_file(fs::path const& path, std::string_view contents) {
    std::error_code error;
    if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
    if (error)
        return tl::unexpected(
            FileError{fmt::format("{}: cannot be made: {}.", path.parent_path().string(), error.message())});
    bool const replaceable = !fs::exists(path, error) || fs::is_regular_file(path, error);
    fs::path const target = replaceable ? fs::path(path.string() + ".part") : path;
    int const flags = O_WRONLY | O_CLOEXEC | (replaceable ? O_CREAT | O_TRUNC : 0);
    Descriptor file(::open(target.c_str(), flags, 0666));
    if (!file.valid()) return tl::unexpected(failure("be written", path));
    bool const written = write_all(file.number(), contents) && (!replaceable || ::fsync(file.number()) == 0);
    if (!written || !file.close()) {
        FileError const why = failure("be written", path);
        if (replaceable) fs::remove(target, error);
        return tl::unexpected(why);
    }
    if (replaceable && ::rename(target.c_str(), path.c_str()) != 0) return tl::unexpected(failure("be written", path));
    return {};
}

tl::expected<std::vector<CorpusFile>, FileError> read_corpus(std::vector<fs::path> const& paths) {
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
                FileError{fmt::format("{}: cannot be searched: {}.", path.string(), error.message())});
        std::sort(found.begin(), found.end());
        files.insert(files.end(), found.begin(), found.end());
    }
    std::vector<CorpusFile> corpus;
    for (fs::path const& file : files) {
        auto const text = read_file(file);
        if (!text) return tl::unexpected(text.error());
        auto program = spec::parse(*text);
        if (!program)
            return tl::unexpected(FileError{fmt::format("{}: {}.", file.string(), spec::to_string(program.error()))});
        corpus.push_back({file, std::move(*program)});
    }
    return corpus;
}

}  // namespace vmcheck::cli
