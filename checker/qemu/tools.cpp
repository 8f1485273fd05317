#include "checker/qemu/tools.h"

#include "impl/base/child.h"

#include <string_view>

namespace vmcheck::qemu {

namespace {

namespace fs = std::filesystem;

tl::unexpected<base::Error> missing(std::string_view sentence) {
    return tl::make_unexpected(base::Error{std::string(sentence), base::Error::Kind::machine});
}

}  // namespace

tl::expected<fs::path, base::Error> find_emulator() {
    if (auto found = base::find_program("qemu-system-riscv64")) return *found;
    return missing("there is no qemu-system-riscv64 (Debian package qemu-system-misc)");
}

tl::expected<fs::path, base::Error> find_compiler() {
    for (std::string_view name :
         {"riscv64-unknown-elf-gcc", "riscv64-elf-gcc", "riscv64-linux-gnu-gcc", "riscv64-unknown-linux-gnu-gcc"})
        if (auto found = base::find_program(name)) return *found;
    return missing("there is no C compiler for RISC-V (Debian package gcc-riscv64-unknown-elf)");
}

tl::expected<fs::path, base::Error> find_debugger() {
    for (std::string_view name : {"gdb-multiarch", "riscv64-unknown-elf-gdb", "riscv64-elf-gdb"})
        if (auto found = base::find_program(name)) return *found;
    return missing("there is no GDB for RISC-V (Debian package gdb-multiarch)");
}

tl::expected<Tools, base::Error> find_tools() {
    auto emulator = find_emulator();
    if (!emulator) return tl::unexpected(emulator.error());
    auto compiler = find_compiler();
    if (!compiler) return tl::unexpected(compiler.error());
    return Tools{*emulator, *compiler};
}

}  // namespace vmcheck::qemu
