#include "checker/class/inputs.h"

#include "impl/boot/source_tree.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string_view>
#include <system_error>

namespace vmcheck::classes {

namespace {

namespace fs = std::filesystem;

class Hasher {
  public:
    Hasher() : state_(XXH3_createState()) { XXH3_128bits_reset(state_.get()); }

    void add_bytes(std::string_view bytes) { XXH3_128bits_update(state_.get(), bytes.data(), bytes.size()); }
    // With its length, so that neighbours cannot run into each other.
    void add(std::string_view text) {
        std::uint64_t const size = text.size();
        XXH3_128bits_update(state_.get(), &size, sizeof size);
        add_bytes(text);
    }
    void add_file(fs::path const& path) {
        std::ifstream file(path, std::ios::binary);
        add(file ? "file" : "unreadable");
        std::string block(std::size_t{1} << 16, '\0');
        std::uint64_t size = 0;
        while (file) {
            file.read(block.data(), static_cast<std::streamsize>(block.size()));
            auto const count = static_cast<std::size_t>(file.gcount());
            add_bytes(std::string_view(block.data(), count));
            size += count;
        }
        add(fmt::format("{}", size));
    }
    std::string digest() const {
        XXH128_hash_t const hash = XXH3_128bits_digest(state_.get());
        return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
    }

  private:
    struct Free {
        void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
    };
    std::unique_ptr<XXH3_state_t, Free> state_;
};

std::vector<fs::path> files_of(fs::path const& tree) {
    std::vector<fs::path> files;
    std::error_code error;
    for (fs::recursive_directory_iterator at(tree, fs::directory_options::skip_permission_denied, error), end;
         !error && at != end; at.increment(error)) {
        fs::path const& path = at->path();
        std::error_code unknown;
        if (path.filename() == ".git") at.disable_recursion_pending();
        bool const is_file = at->is_symlink(unknown) || at->is_regular_file(unknown);
        if (is_file && path.filename() != ".git" && path.extension() != ".o" && path.extension() != ".d")
            files.push_back(path.lexically_relative(tree));
    }
    std::sort(files.begin(), files.end());
    return files;
}

void add_tree(fs::path const& tree, Hasher& hasher) {
    for (fs::path const& file : files_of(tree)) {
        hasher.add(file.string());
        std::error_code error;
        if (fs::is_symlink(tree / file, error))
            hasher.add("link to " + fs::read_symlink(tree / file, error).string());
        else
            hasher.add_file(tree / file);
    }
    hasher.add(is_built(tree) ? "built" : "not built");
}

}  // namespace

std::string digest_of(Member const& member, std::vector<fs::path> const& also) {
    Hasher hasher;
    if (member.kind == Member::Kind::tree) {
        add_tree(member.path, hasher);
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
