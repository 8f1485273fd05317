#pragma once
// From the text of a C program to a program that xv6 can exec.

#include "impl/base/files.h"

#include <tl/expected.hpp>

#include <cstddef>
#include <filesystem>
#include <stop_token>
#include <string_view>
#include <vector>

namespace vmcheck::qemu {

using ProgramBytes = std::vector<std::byte>;

// Compiles programs in a scratch directory that goes with it.
class Workshop {
  public:
    // Writes the user library (guest_files.h) into a new directory. Fails where that cannot be made, saying why.
    static tl::expected<Workshop, base::Error> open(std::filesystem::path compiler);

    std::filesystem::path const& directory() const { return directory_.path(); }

    // A program with main() in `source`, linked with the library. Fails with the compiler's first complaint, as part of
    // a sentence.
    tl::expected<ProgramBytes, base::Error> compile(std::string_view source, std::stop_token const& stop) const;

  private:
    Workshop(std::filesystem::path compiler, base::ScratchDirectory directory);

    std::filesystem::path compiler_;
    base::ScratchDirectory directory_;
};

}  // namespace vmcheck::qemu
