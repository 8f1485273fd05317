#pragma once
// The two programs that trying a repro.c takes. vmcheck needs them for nothing else.

#include "impl/base/error.h"

#include <tl/expected.hpp>

#include <filesystem>

namespace vmcheck::qemu {

struct Tools {
    std::filesystem::path emulator;  // qemu-system-riscv64
    std::filesystem::path compiler;  // a C compiler for RV64
};

// The first program in PATH with one of the names that the trees' own Makefiles look for. Fails with what is missing
// and what to install, as part of a sentence.
tl::expected<std::filesystem::path, base::Error> find_emulator();
tl::expected<std::filesystem::path, base::Error> find_compiler();
// GDB for RISC-V, with Python.
tl::expected<std::filesystem::path, base::Error> find_debugger();
// Emulator and compiler, or what is missing.
tl::expected<Tools, base::Error> find_tools();

}  // namespace vmcheck::qemu
