#include "checker/qemu/compiler.h"

#include "checker/qemu/child.h"
#include "checker/qemu/guest_files.h"
#include "impl/elf/file_bytes.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

namespace vmcheck::qemu {

namespace {

namespace fs = std::filesystem;

// Far above any program that is meant to be read.
constexpr std::uint64_t kProgramBytesMax = std::uint64_t{1} << 20;

bool write_text(fs::path const& path, std::string_view text) {
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.close();
    return !file.fail();
}

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

}  // namespace

Workshop::Workshop(fs::path compiler, fs::path directory)
    : compiler_(std::move(compiler)), directory_(std::move(directory)) {}
Workshop::Workshop(Workshop&& other) noexcept
    : compiler_(std::move(other.compiler_)), directory_(std::exchange(other.directory_, {})) {}
Workshop& Workshop::operator=(Workshop&& other) noexcept {
    std::swap(compiler_, other.compiler_);
    std::swap(directory_, other.directory_);
    return *this;
}
Workshop::~Workshop() {
    std::error_code ignored;
    if (!directory_.empty()) fs::remove_all(directory_, ignored);
}

tl::expected<Workshop, std::string> Workshop::open(fs::path compiler) {
    std::error_code error;
    std::string name = (fs::temp_directory_path(error) / "vmcheck-qemu-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) return tl::unexpected(fmt::format("{} cannot be made", name));
    Workshop workshop(std::move(compiler), name);
    for (GuestFile const& file : guest_files())
        if (!write_text(workshop.directory_ / file.path, file.text))
            return tl::unexpected(fmt::format("{}/{} cannot be written", name, file.path));
    return workshop;
}

tl::expected<ProgramBytes, std::string> Workshop::compile(std::string_view source, std::stop_token const& stop) const {
    fs::path const code = directory_ / "program.c", program = directory_ / "program";
    if (!write_text(code, source)) return tl::unexpected(fmt::format("{} cannot be written", code.string()));
    // As xv6's Makefile compiles, but that nothing of the compiler's own is linked in, whichever compiler it is.
    std::vector<std::string> arguments{compiler_.string()};
    for (char const* option :
         {"-O", "-march=rv64imac", "-mabi=lp64", "-mcmodel=medany", "-ffreestanding", "-fno-builtin", "-fno-common",
          "-fno-pic", "-fno-stack-protector", "-fno-omit-frame-pointer", "-fno-asynchronous-unwind-tables", "-nostdlib",
          "-static", "-s", "-w", "-Wl,--build-id=none", "-Wl,-z,max-page-size=4096"})
        arguments.emplace_back(option);
    auto const file = [&](char const* name) { return (directory_ / name).string(); };
    arguments.insert(arguments.end(), {"-I" + file("include"), "-T", file("program.ld"), "-o", program.string(),
                                       file("start.S"), code.string(), file("library.c")});
    ChildLimits limits;
    limits.stop = stop;
    auto const compiled = run_child(std::move(arguments), limits);
    if (!compiled) return tl::unexpected(compiled.error());
    if (compiled->end == ChildResult::End::stopped) return tl::unexpected(std::string("interrupted"));
    if (compiled->end != ChildResult::End::exited)
        return tl::unexpected(std::string("the compiler does not come to an end"));
    if (compiled->exit_code != 0)
        return tl::unexpected(fmt::format("it does not compile: {}", complaint(compiled->output)));
    auto bytes = elf::read_whole_file(program, kProgramBytesMax);
    if (!bytes) return tl::unexpected(bytes.error().message);
    return std::move(*bytes);
}

}  // namespace vmcheck::qemu
