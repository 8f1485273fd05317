#pragma once
// A directory for one test, and files in it. Test-only.

#include <filesystem>
#include <string>

namespace vmcheck::classes::testing {

// Removed at the end, with all that is in it.
class Directory {
  public:
    Directory();
    Directory(Directory const&) = delete;
    Directory& operator=(Directory const&) = delete;
    ~Directory();
    std::filesystem::path const& path() const { return path_; }
    // Writes a file, makes the directories that lead to it, and gives its path.
    std::filesystem::path file(std::string const& name, std::string const& contents) const;
    // A tree with a Makefile and kernel/main.c.
    std::filesystem::path tree(std::string const& name) const;
    // The first bytes of a linked RISC-V program (or of an object file), and nothing else.
    std::filesystem::path kernel(std::string const& name, bool linked = true) const;

  private:
    std::filesystem::path path_;
};

std::string contents_of(std::filesystem::path const& path);

}  // namespace vmcheck::classes::testing
