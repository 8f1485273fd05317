#include "spec/rules/reach.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>

namespace vmcheck::spec {

namespace {

// What may be done with a page: surely, at most, or not at all.
enum class Grant : std::uint8_t { no, perhaps, yes };

struct Request {
    Access access;
    bool by_kernel = false;
    bool is_path = false;
};

Grant granted(Page const& page, Request request, Traits const& traits) {
    if (!page.rights.user) return Grant::no;
    switch (request.access) {
        case Access::none:
            return Grant::no;
        case Access::read:
            if (!page.rights.read) return Grant::no;
            if (request.is_path && traits.copyinstr_skips_reserved && page.presence != Presence::present)
                return Grant::perhaps;
            return Grant::yes;
        case Access::write:
            if (page.rights.write) return Grant::yes;
            return request.by_kernel && traits.copyout_ignores_write_right ? Grant::perhaps : Grant::no;
        case Access::execute:
            return page.rights.execute ? Grant::yes : Grant::no;
    }
    return Grant::no;
}

Reach reach(World const& world, ProcId id, VirtAddr at, std::size_t bytes, Request request) {
    VirtAddr const brk = world.find(id)->space->brk;
    Reach result;
    bool sure = true;
    while (result.possible < bytes) {
        VirtAddr const from = at + result.possible;
        auto const page = world.page_at(id, from.page());
        Grant const grant = page ? granted(*page, request, world.setting().traits) : Grant::no;
        if (grant == Grant::no) break;
        sure = sure && grant == Grant::yes;
        std::size_t const here = std::min<std::size_t>(bytes - result.possible, kPageBytes - from.offset());
        // A store asks the kernel for W where the page is, or was, shared.
        bool const asks_kernel =
            request.by_kernel || request.access == Access::write || page->presence != Presence::present;
        bool const break_matters = from.page() == brk.page() && asks_kernel;
        if (sure && break_matters && from + here > brk) {
            result.sure += from < brk ? brk.value - from.value : 0;
            sure = false;
        }
        if (sure) result.sure += here;
        result.possible += here;
    }
    return result;
}

// The image has these two files in its root directory, which is also every process's working directory.
constexpr std::array<std::string_view, 6> kThere = {"/data", "data", "/init", "init", "/", "."};

// Forms whose meaning is a matter of the kernel's path walk, not of its memory: the empty path (xv6 opens the working
// directory, POSIX refuses it), repeated and trailing slashes, "." and ".." as components; and the console, for which
// some kernels make a node in the root directory, and the programs that not every disk has.
bool is_free(std::string_view path) {
    if (path.empty() || path.back() == '/' || path.find("//") != std::string_view::npos) return true;
    for (std::size_t start = 0; start <= path.size();) {
        std::size_t const end = std::min(path.find('/', start), path.size());
        std::string_view const component = path.substr(start, end - start);
        if (component == "." || component == ".." || component == "console" || component == "large" ||
            component == "broken")
            return true;
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

Reach user_reach(World const& world, ProcId id, VirtAddr at, std::size_t bytes, Access access) {
    return reach(world, id, at, bytes, {access});
}

Reach copy_reach(World const& world, ProcId id, VirtAddr at, std::size_t bytes, Access access) {
    return reach(world, id, at, bytes, {access, true});
}

PathSeen path_seen(World const& world, ProcId actor, VirtAddr at) {
    // The kernel's copyinstr, for as many bytes as a path may have.
    PathSeen seen{.reach = reach(world, actor, at, kPathBytesMax, {Access::read, true, true})};
    auto const bytes = world.read(actor, at, seen.reach.possible).value_or(std::vector<std::byte>{});
    auto const end = std::find(bytes.begin(), bytes.end(), std::byte{0});
    seen.length = static_cast<std::size_t>(end - bytes.begin());
    seen.terminated = end != bytes.end();
    if (seen.terminated) seen.verdict = judge_path({bytes.data(), seen.length});
    return seen;
}

}  // namespace vmcheck::spec
