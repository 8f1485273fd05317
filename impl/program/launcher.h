#pragma once
// The launcher's executable (guest/launcher.c), carried inside this program.

#include <cstddef>
#include <span>

namespace vmcheck::program {

// The whole ELF file.
std::span<std::byte const> launcher_file();

}  // namespace vmcheck::program
