#include "impl/boot/source_tree.h"

#include "impl/base/child.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace vmcheck {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kBuildTime{120};

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

// Runs make in `directory`; all that it prints goes to `log`.
tl::expected<base::RunResult, base::Error> run_make(fs::path const& directory, fs::path const& wrappers,
                                                    fs::path const& log, std::stop_token const& stop) {
    char const* const path = std::getenv("PATH");
    base::Command command;
    // A prefix whose compiler is really there: wrappers exist for every prefix that trees look for.
    command.arguments = {"make", "-C", directory.string(), "TOOLPREFIX=riscv64-unknown-elf-", "kernel/kernel"};
    command.environment = {fmt::format("PATH={}:{}", wrappers.string(), path == nullptr ? "" : path), "HOME=/",
                           "LC_ALL=C"};
    command.environment_alone = true;
    command.output = log;
    command.file_bytes_max = std::uint64_t{1} << 30;
    command.if_parent_dies = SIGTERM;  // make ends its own children then
    return base::run(command, {.time = kBuildTime, .stop = stop});
}

// What a student would look at: the compiler's complaints, or else the end of the log.
std::vector<std::string> complaints(fs::path const& log) {
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
    return errors;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r";
    std::size_t const first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// What a makefile gives a variable first, if it does so in a line that is nothing else.
std::optional<std::string_view> make_variable(std::string_view text, std::string_view name) {
    while (!text.empty()) {
        std::size_t const end = std::min(text.find('\n'), text.size());
        std::string_view line = trimmed(text.substr(0, std::min(end, text.find('#'))));
        text.remove_prefix(std::min(end + 1, text.size()));
        std::size_t const equals = line.find('=');
        if (equals == std::string_view::npos) continue;
        std::string_view left = line.substr(0, equals);
        while (left.ends_with(':') || left.ends_with('?')) left.remove_suffix(1);
        if (trimmed(left) == name) return trimmed(line.substr(equals + 1));
    }
    return std::nullopt;
}

}  // namespace

bool is_source_tree(fs::path const& path) {
    std::error_code error;
    return fs::is_regular_file(path / "Makefile", error) && fs::is_directory(path / "kernel", error);
}

std::optional<Lab> lab_of(fs::path const& tree) {
    for (fs::path const& file : {tree / "conf" / "lab.mk", tree / "Makefile"}) {
        auto const text = base::read_file(file);
        if (!text) continue;
        auto const lab = make_variable(*text, "LAB");
        if (lab)
            return *lab == "cow" ? std::optional(Lab::cow) : *lab == "lazy" ? std::optional(Lab::lazy) : std::nullopt;
    }
    return std::nullopt;
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

tl::expected<TreeKernel, BuildError> kernel_of_tree(fs::path const& tree, std::stop_token const& stop) {
    using Kind = BuildError::Kind;
    using End = base::RunResult::End;
    if (is_built(tree)) return TreeKernel{tree / "kernel" / "kernel"};
    auto const failure = [](std::string why, Kind kind, std::vector<std::string> said = {}) {
        return tl::make_unexpected(BuildError{std::move(why), kind, std::move(said)});
    };
    auto scratch = base::ScratchDirectory::make("build");
    if (!scratch) return failure(fmt::format("cannot be built: {}", scratch.error().message), Kind::machine);
    fs::path const copy = scratch->path() / "tree", log = scratch->path() / "make.log";
    std::error_code error;
    fs::create_directories(copy, error);
    copy_sources(tree, copy);
    write_wrappers(scratch->path() / "bin");
    auto const made = run_make(copy, scratch->path() / "bin", log, stop);
    if (!made) return failure(fmt::format("cannot be built: {}; install make.", made.error().message), Kind::machine);
    if (made->end == End::stopped) return failure("interrupted while its kernel was built.", Kind::interrupted);
    if (made->end == End::out_of_time)
        return failure(fmt::format("make kernel/kernel did not end within {} seconds.", kBuildTime.count()),
                       Kind::tree);
    TreeKernel built{copy / "kernel" / "kernel", std::move(*scratch)};
    if (made->end != End::exited || made->exit_code != 0 || !fs::is_regular_file(built.kernel, error))
        return failure("the kernel does not build", Kind::tree, complaints(log));
    return built;
}

}  // namespace vmcheck
