#include "spec/rules/path_rules.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>

namespace vmcheck::spec {

namespace {

// The image has these two files in its root directory, which is also every process's working directory.
constexpr std::array<std::string_view, 6> kThere = {"/data", "data", "/init", "init", "/", "."};

// Forms whose meaning is a matter of the kernel's path walk, not of its memory: the empty path (xv6 opens the working
// directory, POSIX refuses it), repeated and trailing slashes, "." and ".." as components; and the console, for which
// some kernels make a node in the root directory.
bool is_free(std::string_view path) {
    if (path.empty() || path.back() == '/' || path.find("//") != std::string_view::npos) return true;
    for (std::size_t start = 0; start <= path.size();) {
        std::size_t const end = std::min(path.find('/', start), path.size());
        std::string_view const component = path.substr(start, end - start);
        if (component == "." || component == ".." || component == "console") return true;
        start = end + 1;
    }
    return false;
}

// REQUIRES: `path` has no terminator in it.
PathVerdict judge_path(std::span<std::byte const> path) {
    std::string text;
    for (std::byte byte : path) text.push_back(static_cast<char>(std::to_integer<unsigned char>(byte)));
    if (std::find(kThere.begin(), kThere.end(), text) != kThere.end()) return PathVerdict::opens;
    return is_free(text) ? PathVerdict::free : PathVerdict::missing;
}

}  // namespace

PathSeen path_seen(World const& world, ProcId actor, VirtAddr at) {
    PathSeen seen{.reach = path_reach(world, actor, at)};
    auto const bytes = world.read(actor, at, seen.reach.possible).value_or(std::vector<std::byte>{});
    auto const end = std::find(bytes.begin(), bytes.end(), std::byte{0});
    seen.length = static_cast<std::size_t>(end - bytes.begin());
    seen.terminated = end != bytes.end();
    if (seen.terminated) seen.verdict = judge_path({bytes.data(), seen.length});
    return seen;
}

}  // namespace vmcheck::spec
