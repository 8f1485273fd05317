#include "impl/base/sandbox.h"

#include <fmt/core.h>
#include <link.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace vmcheck::base {

namespace {

namespace fs = std::filesystem;

// Where a system keeps its programs and libraries; the last four are those of Nix and Guix.
constexpr std::array<char const*, 14> kSystem{"/usr",
                                              "/bin",
                                              "/sbin",
                                              "/lib",
                                              "/lib32",
                                              "/lib64",
                                              "/libx32",
                                              "/etc/alternatives",
                                              "/etc/ld.so.cache",
                                              "/etc/ld.so.conf",
                                              "/nix/store",
                                              "/gnu/store",
                                              "/run/current-system",
                                              "/etc/static"};
constexpr std::uint64_t kTmpBytes = std::uint64_t{256} << 20;

bool lies_in(fs::path const& path, fs::path const& directory) {
    return std::mismatch(directory.begin(), directory.end(), path.begin(), path.end()).first == directory.end();
}

bool is_of_system(fs::path const& path) {
    return std::any_of(kSystem.begin(), kSystem.end(), [&](char const* each) { return lies_in(path, each); });
}

// What a program in this directory needs to run: all that was installed with it, unless somebody's home is among that.
fs::path installation(fs::path const& directory) {
    char const* const home = std::getenv("HOME");
    fs::path const all = directory.parent_path();
    bool const holds_home = home != nullptr && lies_in(fs::path(home).lexically_normal(), all);
    return directory.filename() == "bin" && !holds_home && all.has_relative_path() ? all : directory;
}

// Of compilers and emulators that are not the system's.
std::vector<fs::path> tools_elsewhere() {
    std::vector<fs::path> all;
    for (char const* name :
         {"riscv64-unknown-elf-gcc", "riscv64-linux-gnu-gcc", "riscv64-unknown-linux-gnu-gcc", "qemu-system-riscv64"}) {
        auto const tool = find_program(name);
        if (!tool) continue;
        std::error_code error;
        for (fs::path const& at : {fs::absolute(*tool, error).lexically_normal(), fs::canonical(*tool, error)})
            if (!at.empty() && !is_of_system(at)) all.push_back(installation(at.parent_path()));
    }
    return all;
}

int add_library(dl_phdr_info* library, std::size_t, void* all) {
    fs::path const path = library->dlpi_name;
    if (path.is_absolute() && !is_of_system(path.lexically_normal()))
        static_cast<std::vector<fs::path>*>(all)->push_back(path.lexically_normal());
    return 0;
}

// One path, seen inside where it is outside.
void add_path(std::vector<std::string>& words, char const* how, fs::path const& path) {
    std::error_code error;
    fs::path const here = fs::absolute(path, error).lexically_normal();
    words.insert(words.end(), {how, here.string(), here.string()});
}

// For prlimit; no more than may be had.
std::string limit(char const* name, decltype(RLIMIT_AS) resource, std::uint64_t wanted) {
    rlimit here{};
    ::getrlimit(resource, &here);
    return fmt::format("--{}={}", name, std::min<std::uint64_t>(wanted, here.rlim_max));
}

}  // namespace

Command in_sandbox(Command command, Sandbox const& sandbox) {
    // Another user's number than root's, which could not be had once more within. --new-session is not needed, as a
    // child has a session already, and would keep signals from it.
    std::vector<std::string> words{"bwrap",         "--unshare-user",
                                   "--unshare-all", "--die-with-parent",
                                   "--cap-drop",    "ALL",
                                   "--uid",         "1000",
                                   "--gid",         "1000",
                                   "--hostname",    "sandbox",
                                   "--dev",         "/dev",
                                   "--size",        std::to_string(kTmpBytes),
                                   "--tmpfs",       "/tmp"};
    // Inside of a sandbox the system gives out no other view of processes. Those outside of the inner one can be seen
    // then, but neither looked into nor sent anything.
    if (sandbox.confinement == Confinement::within)
        words.insert(words.end(), {"--ro-bind", "/proc", "/proc", "--disable-userns"});
    else
        words.insert(words.end(), {"--proc", "/proc"});
    for (char const* path : kSystem) add_path(words, "--ro-bind-try", path);
    for (fs::path const& path : tools_elsewhere()) add_path(words, "--ro-bind-try", path);
    for (fs::path const& path : sandbox.readable) add_path(words, "--ro-bind-try", path);
    for (fs::path const& path : sandbox.writable) add_path(words, "--bind", path);
    std::error_code error;
    fs::path const directory = command.directory.empty() ? fs::current_path(error) : fs::absolute(command.directory);
    if (!is_of_system(directory)) words.insert(words.end(), {"--dir", directory.string()});
    // Both are in memory, and have no limit.
    words.insert(words.end(), {"--remount-ro", "/dev", "--remount-ro", "/", "--chdir", directory.string(), "--",
                               "prlimit", "--core=0", limit("as", RLIMIT_AS, sandbox.memory_bytes),
                               limit("nproc", RLIMIT_NPROC, sandbox.processes), "--"});
    words.insert(words.end(), command.arguments.begin(), command.arguments.end());
    command.arguments = std::move(words);
    command.directory.clear();
    command.in_sandbox = true;
    command.if_parent_dies = SIGKILL;
    return command;
}

tl::expected<void, Error> try_sandbox() {
    auto const failure = [](std::string why) {
        return tl::make_unexpected(Error{std::move(why), Error::Kind::machine});
    };
    if (!find_program("bwrap")) return failure("bubblewrap is not installed (Debian's package bubblewrap)");
    Command const inner = in_sandbox({.arguments = {"true"}}, {.confinement = Confinement::within});
    auto const ran = run(in_sandbox(inner, {}), {});
    if (!ran) return failure(ran.error().message);
    if (ran->end == RunResult::End::exited && ran->exit_code == 0) return {};
    std::string const said = ran->output.substr(0, ran->output.find('\n'));
    return failure(fmt::format("bubblewrap cannot make one ({})", said.empty() ? "it says nothing" : said));
}

std::vector<fs::path> own_libraries() {
    std::vector<fs::path> all;
    ::dl_iterate_phdr(add_library, &all);
    return all;
}

}  // namespace vmcheck::base
