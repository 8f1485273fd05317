#include "checker/class/discover.h"

#include "impl/boot/source_tree.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

namespace vmcheck::classes {

namespace {

namespace fs = std::filesystem;

// A linked 64-bit RISC-V program, as a kernel is; object files are not. Source: the ELF header's e_ident, e_type and
// e_machine.
bool is_kernel_image(fs::path const& path) {
    std::error_code error;
    if (!fs::is_regular_file(path, error)) return false;
    std::array<char, 20> header{};
    if (!std::ifstream(path, std::ios::binary).read(header.data(), header.size())) return false;
    constexpr char kClass64 = 2, kExecutable = 2;
    constexpr unsigned char kRiscv = 243;
    return std::string_view(header.data(), 4) ==
               "\x7f"
               "ELF" &&
           header[4] == kClass64 && header[16] == kExecutable && static_cast<unsigned char>(header[18]) == kRiscv;
}

// The directory's entries in order of name; nothing where it cannot be read.
std::optional<std::vector<fs::path>> entries_of(fs::path const& directory) {
    std::error_code error;
    std::vector<fs::path> entries;
    for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error))
        entries.push_back(at->path());
    if (error) return std::nullopt;
    std::sort(entries.begin(), entries.end());
    return entries;
}

bool is_student_directory(fs::path const& path) {
    std::error_code error;
    std::string const name = path.filename().string();
    return fs::is_directory(path, error) && !name.starts_with('.') && name != "__MACOSX";
}

std::optional<fs::path> kernel_in(fs::path const& directory) {
    for (char const* name : {"kernel/kernel", "kernel.elf", "kernel"})
        if (is_kernel_image(directory / name)) return directory / name;
    std::optional<fs::path> only;
    for (fs::path const& entry : entries_of(directory).value_or(std::vector<fs::path>())) {
        if (!is_kernel_image(entry)) continue;
        if (only) return std::nullopt;  // which of them is meant?
        only = entry;
    }
    return only;
}

// The directory itself as a tree or the home of a kernel, looked at no deeper.
std::optional<Member> usable(fs::path const& directory, std::string name) {
    if (is_source_tree(directory)) return Member{std::move(name), directory, Member::Kind::tree};
    if (auto kernel = kernel_in(directory)) return Member{std::move(name), *kernel, Member::Kind::kernel};
    return std::nullopt;
}

bool lies_in(fs::path const& path, fs::path const& directory) {
    std::error_code error;
    fs::path const inner = fs::weakly_canonical(path, error), outer = fs::weakly_canonical(directory, error);
    return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

// What a link shows in somebody else's directory is not theirs.
Member own(Member member, fs::path const& home) {
    std::vector<fs::path> shown{member.path};
    if (member.kind == Member::Kind::kernel) shown.emplace_back(member.path.string() + ".map");
    for (fs::path const& path : shown)
        if (!lies_in(path, home))
            return {std::move(member.name), home, Member::Kind::nothing,
                    fmt::format("{} is a link that leads out of it", path.lexically_relative(home).string())};
    return member;
}

void add_members(fs::path const& home, std::vector<Member>& members) {
    std::string const name = home.filename().string();
    if (auto member = usable(home, name)) {
        members.push_back(own(std::move(*member), home));
        return;
    }
    auto const entries = entries_of(home);
    if (!entries) {
        members.push_back({name, home, Member::Kind::nothing, "the directory cannot be read"});
        return;
    }
    std::vector<Member> deeper;
    for (fs::path const& entry : *entries)
        if (is_student_directory(entry))
            if (auto member = usable(entry, name + '/' + entry.filename().string()))
                deeper.push_back(own(std::move(*member), home));
    if (deeper.empty())
        deeper.push_back({name, home, Member::Kind::nothing,
                          entries->empty() ? "the directory is empty"
                                           : "neither an xv6 tree (a Makefile beside kernel/) nor one kernel's ELF "
                                             "image is in it, or one level deeper"});
    if (deeper.size() == 1) deeper.front().name = name;
    std::move(deeper.begin(), deeper.end(), std::back_inserter(members));
}

tl::expected<void, base::Error> check_results(fs::path const& results, fs::path const& directory,
                                              std::vector<Member> const& members) {
    if (lies_in(results, directory) && lies_in(directory, results))
        return tl::unexpected(
            base::Error{fmt::format("{}: is the class itself; results would mix with what was handed in. Give another "
                                    "directory with --findings.",
                                    results.string())});
    for (Member const& member : members)
        if (lies_in(results, member.kind == Member::Kind::kernel ? member.path.parent_path() : member.path))
            return tl::unexpected(base::Error{
                fmt::format("{}: lies in the tree of {}, and trees are never written to. Give another directory with "
                            "--findings.",
                            results.string(), member.name)});
    return {};
}

}  // namespace

bool is_class(fs::path const& path) {
    std::error_code error;
    return fs::is_directory(path, error) && !is_source_tree(path);
}

tl::expected<Discovery, base::Error> discover(fs::path const& directory, fs::path const& results) {
    auto const entries = entries_of(directory);
    if (!entries)
        return tl::unexpected(base::Error{fmt::format("{}: the directory cannot be read.", directory.string())});
    Discovery found;
    for (fs::path const& entry : *entries) {
        std::error_code error;
        bool const holds_results = fs::equivalent(entry, results, error) || fs::exists(entry / "class.json", error);
        if (is_student_directory(entry) && (!holds_results || usable(entry, {})))
            add_members(entry, found.members);
        else if (!entry.filename().string().starts_with('.'))
            found.left_out.push_back(entry.filename().string());
    }
    bool const any = std::any_of(found.members.begin(), found.members.end(),
                                 [](Member const& member) { return member.kind != Member::Kind::nothing; });
    if (!any)
        return tl::unexpected(base::Error{
            fmt::format("{}: there is nothing to check. It is no xv6 tree (a Makefile beside kernel/), and of its {} "
                        "sub-director{} none holds a tree or a kernel's ELF image, nor does one a level deeper.",
                        directory.string(), found.members.size(), found.members.size() == 1 ? "y" : "ies")});
    if (auto checked = check_results(results, directory, found.members); !checked)
        return tl::unexpected(checked.error());
    return found;
}

}  // namespace vmcheck::classes
