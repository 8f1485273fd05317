#include "checker/qemu/tools.h"

#include <unistd.h>

#include <cstdlib>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <system_error>

namespace vmcheck::qemu {

namespace {

namespace fs = std::filesystem;

std::optional<fs::path> in_path(std::string_view name) {
    char const* const path = std::getenv("PATH");
    std::string_view rest = path == nullptr ? "" : path;
    while (!rest.empty()) {
        std::string_view const directory = rest.substr(0, rest.find(':'));
        rest.remove_prefix(std::min(directory.size() + 1, rest.size()));
        fs::path const candidate = fs::path(directory) / name;
        std::error_code error;
        if (fs::is_regular_file(candidate, error) && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    }
    return std::nullopt;
}

}  // namespace

tl::expected<fs::path, std::string> find_emulator() {
    if (auto found = in_path("qemu-system-riscv64")) return *found;
    return tl::unexpected(std::string("there is no qemu-system-riscv64 (Debian package qemu-system-misc)"));
}

tl::expected<fs::path, std::string> find_compiler() {
    for (std::string_view name :
         {"riscv64-unknown-elf-gcc", "riscv64-elf-gcc", "riscv64-linux-gnu-gcc", "riscv64-unknown-linux-gnu-gcc"})
        if (auto found = in_path(name)) return *found;
    return tl::unexpected(std::string("there is no C compiler for RISC-V (Debian package gcc-riscv64-unknown-elf)"));
}

tl::expected<Tools, std::string> find_tools() {
    auto emulator = find_emulator();
    if (!emulator) return tl::unexpected(emulator.error());
    auto compiler = find_compiler();
    if (!compiler) return tl::unexpected(compiler.error());
    return Tools{*emulator, *compiler};
}

}  // namespace vmcheck::qemu
