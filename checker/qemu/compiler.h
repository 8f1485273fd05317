#pragma once
// From the text of a C program to a program that xv6 can exec.

#include <tl/expected.hpp>

#include <cstddef>
#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::qemu {

using ProgramBytes = std::vector<std::byte>;

// Compiles programs in a scratch directory that goes with it.
class Workshop {
  public:
    // Writes the user library (guest_files.h) into a new directory. Fails where that cannot be made, saying why.
    static tl::expected<Workshop, std::string> open(std::filesystem::path compiler);
    Workshop(Workshop&&) noexcept;
    Workshop& operator=(Workshop&&) noexcept;
    ~Workshop();

    std::filesystem::path const& directory() const { return directory_; }

    // A program with main() in `source`, linked with the library. Fails with the compiler's first complaint.
    tl::expected<ProgramBytes, std::string> compile(std::string_view source, std::stop_token const& stop) const;

  private:
    Workshop(std::filesystem::path compiler, std::filesystem::path directory);

    std::filesystem::path compiler_;
    std::filesystem::path directory_;  // empty: moved away
};

}  // namespace vmcheck::qemu
