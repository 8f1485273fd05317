#include "checker/qemu/compiler.h"

#include "checker/qemu/guest_files.h"
#include "impl/base/child.h"

#include <fmt/core.h>

#include <sstream>
#include <string>
#include <utility>

namespace vmcheck::qemu {

namespace {

namespace fs = std::filesystem;

// Far above any program that is meant to be read.
constexpr std::uint64_t kProgramBytesMax = std::uint64_t{1} << 20;

// The line that says what is wrong, or else the first one.
std::string complaint(std::string const& output) {
    std::istringstream lines(output);
    std::string first;
    for (std::string line; std::getline(lines, line);) {
        if (std::size_t const at = line.find("error: "); at != std::string::npos) return line.substr(at);
        if (first.empty()) first = line;
    }
    return first.empty() ? "the compiler does not say why" : first;
}

tl::unexpected<base::Error> failure(std::string why) {
    return tl::make_unexpected(base::Error{std::move(why)});
}

}  // namespace

Workshop::Workshop(fs::path compiler, base::ScratchDirectory directory)
    : compiler_(std::move(compiler)), directory_(std::move(directory)) {}

tl::expected<Workshop, base::Error> Workshop::open(fs::path compiler) {
    auto scratch = base::ScratchDirectory::make("qemu");
    if (!scratch) return tl::unexpected(scratch.error());
    for (GuestFile const& file : guest_files())
        if (auto written = base::write_file(scratch->path() / file.path, file.text); !written)
            return tl::unexpected(written.error());
    return Workshop(std::move(compiler), std::move(*scratch));
}

tl::expected<ProgramBytes, base::Error> Workshop::compile(std::string_view source, std::stop_token const& stop) const {
    fs::path const code = directory() / "program.c", program = directory() / "program";
    if (auto written = base::write_file(code, source); !written) return tl::unexpected(written.error());
    // As xv6's Makefile compiles, but that nothing of the compiler's own is linked in, whichever compiler it is.
    base::Command command;
    command.arguments = {compiler_.string()};
    for (char const* option :
         {"-O", "-march=rv64imac", "-mabi=lp64", "-mcmodel=medany", "-ffreestanding", "-fno-builtin", "-fno-common",
          "-fno-pic", "-fno-stack-protector", "-fno-omit-frame-pointer", "-fno-asynchronous-unwind-tables", "-nostdlib",
          "-static", "-s", "-w", "-Wl,--build-id=none", "-Wl,-z,max-page-size=4096"})
        command.arguments.emplace_back(option);
    auto const file = [&](char const* name) { return (directory() / name).string(); };
    command.arguments.insert(command.arguments.end(),
                             {"-I" + file("include"), "-T", file("program.ld"), "-o", program.string(), file("start.S"),
                              code.string(), file("library.c")});
    // One that is ended leaves its temporary files.
    command.environment = {"TMPDIR=" + directory().string()};
    auto const compiled = base::run(command, {.stop = stop});
    if (!compiled) return tl::unexpected(compiled.error());
    if (compiled->end == base::RunResult::End::stopped) return failure("interrupted");
    if (compiled->end != base::RunResult::End::exited) return failure("the compiler does not come to an end");
    if (compiled->exit_code != 0) return failure(fmt::format("it does not compile: {}", complaint(compiled->output)));
    return base::read_bytes(program, {.bytes_max = kProgramBytesMax});
}

}  // namespace vmcheck::qemu
