#include "checker/cli/kernel_choice.h"

#include "checker/cli/print.h"
#include "checker/report/escape.h"

#include <fmt/core.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>

namespace vmcheck::cli {

namespace {

namespace fs = std::filesystem;

// Where kernels and programs may lie: beside this program in the build tree, or where it was installed.
std::array<fs::path, 2> places() {
    std::error_code error;
    fs::path const here = fs::read_symlink("/proc/self/exe", error).parent_path();
    return {here / ".." / "kernel", here / ".." / "share" / "vmcheck" / "kernel"};
}

// The ELF file of the reference kernel with that profile. Nothing where it is not there.
std::optional<fs::path> builtin_kernel(spec::Profile profile) {
    std::error_code error;
    std::string const name = std::string(profile.fork == spec::ForkPolicy::cow ? "cow" : "eager") + "-" +
                             (profile.sbrk == spec::SbrkPolicy::lazy ? "lazy" : "eager");
    for (fs::path const& base : places()) {
        fs::path const kernel = (base / name / "kernel").lexically_normal();
        if (fs::is_regular_file(kernel, error)) return kernel;
    }
    return std::nullopt;
}

Stop no_kernel_from_tree(BuildError const& error, fs::path const& tree) {
    using Kind = BuildError::Kind;
    Stop::Cause const cause = error.kind == Kind::interrupted ? Stop::Cause::interrupted
                              : error.kind == Kind::machine   ? Stop::Cause::machine
                                                              : Stop::Cause::build;
    return {cause, error.message, tree.string(), error.complaints, error.left_out};
}

// The image of a tree lies in a scratch copy, of which nobody knows.
BootError said_of_tree(BootError error, KernelOptions const& options) {
    if (!options.built || !options.built->scratch) return error;
    std::string const copy = (options.built->scratch->path() / "tree" / "").string();
    for (std::size_t at = error.message.find(copy); at != std::string::npos; at = error.message.find(copy))
        error.message.erase(at, copy.size());
    return error;
}

}  // namespace

// A single tree is mostly the user's own: where there is no sandbox, that is said.
base::Confinement confinement_of(KernelChoice const& choice) {
    if (choice.trusted) return base::Confinement::none;
    if (choice.in_sandbox) return base::Confinement::within;
    auto const possible = base::try_sandbox();
    if (possible) return base::Confinement::sandbox;
    if (choice.rebuild || !is_built(*choice.kernel))
        tell(stderr, "no sandbox: {}; the Makefile of {} runs as you do\n", possible.error().message,
             report::one_line(choice.kernel->string()));
    return base::Confinement::none;
}

tl::expected<KernelOptions, Stop> find_kernel(KernelChoice const& choice) {
    KernelOptions options;
    options.map_file = choice.map_file;
    options.accelerate = choice.accelerate;
    options.profile = choice.profile;
    options.stop = choice.stop;
    if (choice.kernel) {
        options.kernel = *choice.kernel;
        std::error_code error;
        if (!fs::exists(options.kernel, error))
            return tl::unexpected(
                Stop{Stop::Cause::usage,
                     fmt::format("{}: no such file. Give the kernel's ELF image, as in --kernel kernel/kernel.",
                                 options.kernel.string())});
        if (is_source_tree(options.kernel)) {
            options.confinement = confinement_of(choice);
            auto built = kernel_of_tree(options.kernel, choice.rebuild, choice.jobs, options.confinement, choice.stop);
            if (!built) return tl::unexpected(no_kernel_from_tree(built.error(), options.kernel));
            options.tree = options.kernel;
            TreeFacts const facts = read_tree(options.kernel);
            if (choice.of_lab) options.lab = facts.lab;
            if (facts.ram_bytes) options.ram_bytes = *facts.ram_bytes;
            options.built = std::make_shared<TreeKernel const>(std::move(*built));
            options.kernel = options.built->kernel;
        }
    } else {
        auto const builtin = builtin_kernel(choice.profile.value_or(kProfiles.front()));
        if (!builtin)
            return tl::unexpected(Stop{Stop::Cause::machine,
                                       "the reference kernel is not beside this program: build it with ci/vmcheck, or "
                                       "give one with --kernel."});
        options.kernel = *builtin;
    }
    return options;
}

std::optional<std::string> what_is_meant(fs::path const& path) {
    std::error_code error;
    std::string const name = path.string();
    if (fs::is_regular_file(path, error)) {
        std::string start(2, '\0');
        std::ifstream(path, std::ios::binary).read(start.data(), 2);
        if (start == "PK" || start == "\x1f\x8b" || name.ends_with(".tar"))
            return fmt::format("{}: is an archive: unpack it, and give the directory.", name);
        return std::nullopt;
    }
    if (!fs::is_directory(path, error) || is_source_tree(path)) return std::nullopt;
    fs::path const above = path / "..";
    if (fs::exists(path / "main.c", error) && is_source_tree(above))
        return fmt::format("{}: is a part of a tree: give {}.", name, above.lexically_normal().string());
    for (fs::path const& sources : {path, path / "kernel"})
        if (fs::exists(sources / "bootasm.S", error))
            return fmt::format("{}: is an xv6 for x86; vmcheck runs kernels of xv6-riscv and its kind.", name);
    for (char const* makefile : {"GNUmakefile", "makefile"})
        if (fs::exists(path / makefile, error) && fs::is_directory(path / "kernel", error))
            return fmt::format(
                "{}: has a {}, and a tree is known by its Makefile: give the file that name, or the "
                "kernel's ELF image.",
                name, makefile);
    return std::nullopt;
}

session::Boot booter(KernelOptions options) {
    return [options = std::move(options)]() -> tl::expected<std::unique_ptr<Target>, BootError> {
        auto target = KernelTarget::boot(options);
        if (!target) return tl::unexpected(said_of_tree(std::move(target.error()), options));
        return std::unique_ptr<Target>(std::move(*target));
    };
}

tl::expected<std::unique_ptr<Target>, Stop> boot(KernelChoice const& choice, Options const& asked) {
    auto options = find_kernel(choice);
    if (!options) return tl::unexpected(options.error());
    return booter(std::move(*options))().map_error([&](BootError const& error) { return stop_for(error, asked); });
}

tl::expected<session::Kernel, Stop> start(KernelChoice const& choice, unsigned jobs, Options const& asked) {
    auto options = find_kernel(choice);
    if (!options) return tl::unexpected(options.error());
    return start(std::move(*options), jobs, asked);
}

tl::expected<session::Kernel, Stop> start(KernelOptions kernel, unsigned jobs, Options const& asked) {
    return session::start(booter(std::move(kernel)), jobs).map_error([&](BootError const& error) {
        return stop_for(error, asked);
    });
}

KernelChoice kernel_for(spec::Program const& program, KernelChoice asked) {
    if (!asked.kernel && !asked.profile) asked.profile = program.profile;
    auto const lab = asked.kernel ? read_tree(*asked.kernel).lab : std::nullopt;
    asked.of_lab = (lab == Lab::cow && program.profile.fork == spec::ForkPolicy::cow) ||
                   (lab == Lab::lazy && program.profile.sbrk == spec::SbrkPolicy::lazy);
    return asked;
}

std::optional<fs::path> builtin_programs() {
    std::error_code error;
    for (fs::path const& base : places()) {
        fs::path const programs = (base / "user").lexically_normal();
        if (fs::is_directory(programs, error)) return programs;
    }
    return std::nullopt;
}

std::vector<fs::path> own_files() {
    std::error_code error;
    std::vector<fs::path> all = base::own_libraries();
    all.push_back(fs::read_symlink("/proc/self/exe", error));
    for (fs::path const& place : places()) all.push_back(place.lexically_normal());
    return all;
}

Stop stop_for(BootError const& error, Options const& options) {
    if (options.stop.stop_requested()) return {Stop::Cause::interrupted, "interrupted before any program was run."};
    using Kind = BootError::Kind;
    Stop::Cause const cause = error.kind == Kind::machine       ? Stop::Cause::machine
                              : error.kind == Kind::unsupported ? Stop::Cause::unsupported
                                                                : Stop::Cause::boot;
    // The image of a tree lies in a scratch copy, of which nobody knows.
    bool const of_tree = options.kernel.kernel && !error.about.empty() && is_source_tree(*options.kernel.kernel);
    return {cause, error.message, of_tree ? options.kernel.kernel->string() : error.about};
}

}  // namespace vmcheck::cli
