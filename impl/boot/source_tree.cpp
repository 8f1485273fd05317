#include "impl/boot/source_tree.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace vmcheck {

namespace {

namespace fs = std::filesystem;

constexpr char const* kBuildSeconds = "120";

bool is_source(fs::path const& file) {
    static constexpr std::array<std::string_view, 5> kEndings{".c", ".h", ".S", ".ld", ".pl"};
    std::string const ending = file.extension().string();
    for (std::string_view each : kEndings)
        if (ending == each) return true;
    return file.filename() == "Makefile";
}

// Copies what a kernel is made of; object files are left behind, since they may be of another compiler.
void copy_sources(fs::path const& tree, fs::path const& to) {
    std::error_code error;
    for (auto const& entry : fs::directory_iterator(tree, error)) {
        std::string const name = entry.path().filename().string();
        if (name == ".git") continue;
        fs::copy(entry.path(), to / name, fs::copy_options::recursive | fs::copy_options::copy_symlinks, error);
    }
    for (auto const& entry : fs::recursive_directory_iterator(to, error)) {
        std::string const ending = entry.path().extension().string();
        if (ending == ".o" || ending == ".d") fs::remove(entry.path(), error);
    }
    fs::remove(to / "kernel" / "kernel", error);
}

// A directory with compilers of the same names, which pass everything on and keep warnings warnings.
void write_wrappers(fs::path const& directory) {
    std::error_code error;
    fs::create_directories(directory, error);
    for (char const* prefix : {"riscv64-unknown-elf-", "riscv64-linux-gnu-", "riscv64-unknown-linux-gnu-"}) {
        fs::path const wrapper = directory / fmt::format("{}gcc", prefix);
        std::ofstream(wrapper) << "#!/bin/sh\n"
                               << "# The same compiler, without the part of PATH that this file is in.\n"
                               << "PATH=${PATH#*:}\n"
                               << "exec " << prefix << "gcc \"$@\" -Wno-error\n";
        fs::permissions(wrapper, fs::perms::owner_all, error);
    }
}

// Runs make in `directory`; all that it prints goes to `log`. Returns its exit status, or nothing if it cannot be run.
std::optional<int> run_make(fs::path const& directory, fs::path const& wrappers, fs::path const& log) {
    std::string const path =
        fmt::format("PATH={}:{}", wrappers.string(), std::getenv("PATH") == nullptr ? "" : std::getenv("PATH"));
    std::string const where = directory.string();
    // A prefix whose compiler is really there: wrappers exist for every prefix that trees look for.
    std::vector<std::string> arguments{
        "timeout", kBuildSeconds, "make", "-C", where, "TOOLPREFIX=riscv64-unknown-elf-", "kernel/kernel"};
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    std::string mutable_path = path;
    std::string home = "HOME=/", language = "LC_ALL=C";
    std::array<char*, 4> environment{mutable_path.data(), home.data(), language.data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    pid_t child = 0;
    int const spawned = posix_spawnp(&child, "timeout", &actions, nullptr, argv.data(), environment.data());
    posix_spawn_file_actions_destroy(&actions);
    if (spawned != 0) return std::nullopt;
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

// What a student would look at: the compiler's complaints, or else the end of the log.
std::string complaints(fs::path const& log) {
    constexpr std::size_t kLinesMax = 12;
    std::ifstream text(log);
    std::vector<std::string> errors, all;
    for (std::string line; std::getline(text, line);) {
        bool const complains = line.find(": error:") != std::string::npos ||
                               line.find("undefined reference") != std::string::npos || line.starts_with("make: ***");
        if (complains && errors.size() < kLinesMax) errors.push_back(line);
        all.push_back(std::move(line));
    }
    if (errors.empty())
        errors.assign(all.end() - static_cast<std::ptrdiff_t>(std::min(all.size(), kLinesMax)), all.end());
    std::string joined;
    for (std::string const& line : errors) joined += "\n    " + line;
    return joined;
}

}  // namespace

TreeKernel::TreeKernel(fs::path kernel, fs::path scratch) : kernel_(std::move(kernel)), scratch_(std::move(scratch)) {}
TreeKernel::TreeKernel(TreeKernel&& other) noexcept
    : kernel_(std::move(other.kernel_)), scratch_(std::exchange(other.scratch_, {})) {}
TreeKernel& TreeKernel::operator=(TreeKernel&& other) noexcept {
    std::swap(kernel_, other.kernel_);
    std::swap(scratch_, other.scratch_);
    return *this;
}
TreeKernel::~TreeKernel() {
    std::error_code ignored;
    if (!scratch_.empty()) fs::remove_all(scratch_, ignored);
}

bool is_source_tree(fs::path const& path) {
    std::error_code error;
    return fs::is_regular_file(path / "Makefile", error) && fs::is_directory(path / "kernel", error);
}

bool is_built(fs::path const& tree) {
    std::error_code error;
    auto const built = fs::last_write_time(tree / "kernel" / "kernel", error);
    if (error) return false;
    for (fs::path const& directory : {tree, tree / "kernel"})
        for (auto const& entry : fs::directory_iterator(directory, error))
            if (is_source(entry.path()) && fs::last_write_time(entry.path(), error) > built) return false;
    return true;
}

tl::expected<TreeKernel, TreeError> kernel_of_tree(fs::path const& tree) {
    if (is_built(tree)) return TreeKernel(tree / "kernel" / "kernel", {});
    std::error_code error;
    std::string name = (fs::temp_directory_path(error) / "vmcheck-build-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr)
        return tl::unexpected(
            TreeError{fmt::format("{}: cannot be made, so {} cannot be built.", name, tree.string())});
    TreeKernel built(fs::path(name) / "tree" / "kernel" / "kernel", name);
    fs::path const copy = fs::path(name) / "tree", wrappers = fs::path(name) / "bin", log = fs::path(name) / "make.log";
    fs::create_directories(copy, error);
    copy_sources(tree, copy);
    write_wrappers(wrappers);
    auto const status = run_make(copy, wrappers, log);
    if (!status) return tl::unexpected(TreeError{fmt::format("{}: make cannot be run; install make.", tree.string())});
    constexpr int kTimedOut = 124;
    if (*status == kTimedOut)
        return tl::unexpected(TreeError{
            fmt::format("{}: make kernel/kernel did not end within {} seconds.", tree.string(), kBuildSeconds)});
    if (*status != 0 || !fs::is_regular_file(built.kernel(), error))
        return tl::unexpected(
            TreeError{fmt::format("{}: the kernel does not build:{}", tree.string(), complaints(log))});
    return built;
}

}  // namespace vmcheck
