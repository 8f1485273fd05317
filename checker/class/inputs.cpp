#include "checker/class/inputs.h"

#include "impl/base/files.h"
#include "impl/boot/source_tree.h"

#include <fmt/core.h>
#include <xxhash.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>

namespace vmcheck::classes {

namespace {

namespace fs = std::filesystem;

// Of one tree is read so much; of the rest counts when it was written, and its size. A kernel with all its debug
// information has 5 MB, a tree 20.
constexpr std::uint64_t kFileBytesMax = std::uint64_t{64} << 20, kBytesMax = std::uint64_t{256} << 20;
constexpr std::size_t kFilesMax = 20'000;

class Hasher {
  public:
    Hasher() : state_(XXH3_createState()) { XXH3_128bits_reset(state_.get()); }

    // With its length, so that neighbours cannot run into each other.
    void add(std::string_view text) {
        std::uint64_t const size = text.size();
        XXH3_128bits_update(state_.get(), &size, sizeof size);
        XXH3_128bits_update(state_.get(), text.data(), text.size());
    }
    // What is too large for a source or a kernel, or is no plain file, is not read.
    void add_file(fs::path const& path) {
        auto const size = size_of(path);
        bool const read_it = size && *size <= std::min(kFileBytesMax, bytes_left_);
        auto const contents =
            read_it ? std::optional(base::read_file(path, {.bytes_max = kFileBytesMax})) : std::nullopt;
        if (contents && *contents) {
            bytes_left_ -= std::min<std::uint64_t>(bytes_left_, (*contents)->size());
            add("file");
            add(**contents);
            return;
        }
        std::error_code error;
        auto const written = size ? fs::last_write_time(path, error).time_since_epoch().count() : 0;
        add(fmt::format("not read: {} bytes of {}", size.value_or(0), written));
    }
    std::string digest() const {
        XXH128_hash_t const hash = XXH3_128bits_digest(state_.get());
        return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
    }

  private:
    static std::optional<std::uint64_t> size_of(fs::path const& path) {
        std::error_code error;
        if (!fs::is_regular_file(path, error)) return std::nullopt;
        std::uint64_t const size = fs::file_size(path, error);
        return error ? std::nullopt : std::optional(size);
    }

    std::uint64_t bytes_left_ = kBytesMax;
    struct Free {
        void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
    };
    std::unique_ptr<XXH3_state_t, Free> state_;
};

// In order; nothing where there are more than any tree has, or where not all can be seen.
std::optional<std::vector<fs::path>> files_of(fs::path const& tree) {
    std::vector<fs::path> files;
    std::error_code error;
    std::size_t seen = 0;
    for (fs::recursive_directory_iterator at(tree, fs::directory_options::skip_permission_denied, error), end;
         !error && at != end; at.increment(error)) {
        if (++seen > kFilesMax) return std::nullopt;
        fs::path const& path = at->path();
        std::error_code unknown;
        if (path.filename() == ".git") at.disable_recursion_pending();
        bool const is_file = at->is_symlink(unknown) || at->is_regular_file(unknown);
        if (is_file && path.filename() != ".git" && path.extension() != ".o" && path.extension() != ".d")
            files.push_back(path.lexically_relative(tree));
    }
    if (error) return std::nullopt;
    std::sort(files.begin(), files.end());
    return files;
}

bool add_tree(fs::path const& tree, Hasher& hasher) {
    auto const files = files_of(tree);
    if (!files) return false;
    for (fs::path const& file : *files) {
        hasher.add(file.string());
        std::error_code error;
        if (fs::is_symlink(tree / file, error))
            hasher.add("link to " + fs::read_symlink(tree / file, error).string());
        else
            hasher.add_file(tree / file);
    }
    hasher.add(is_built(tree) ? "built" : "not built");
    return true;
}

}  // namespace

std::string digest_of(Member const& member, std::vector<fs::path> const& also) {
    Hasher hasher;
    if (member.kind == Member::Kind::tree) {
        if (!add_tree(member.path, hasher)) return {};
    } else if (member.kind == Member::Kind::kernel) {
        hasher.add_file(member.path);
        hasher.add_file(member.path.string() + ".map");
    }
    for (fs::path const& file : also) hasher.add_file(file);
    return hasher.digest();
}

std::string digest_of_file(fs::path const& file) {
    Hasher hasher;
    hasher.add_file(file);
    return hasher.digest();
}

}  // namespace vmcheck::classes
