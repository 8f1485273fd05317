#pragma once
// A directory for one test, and files in it. Test-only.

#include "impl/base/files.h"

#include <filesystem>
#include <string>
#include <utility>

namespace vmcheck::classes::testing {

// Removed at the end, with all that is in it.
class Directory {
  public:
    std::filesystem::path const& path() const { return scratch_.path(); }
    // Writes a file, makes the directories that lead to it, and gives its path.
    std::filesystem::path file(std::string const& name, std::string const& contents) const;
    // A tree with a Makefile and kernel/main.c.
    std::filesystem::path tree(std::string const& name) const;
    // The first bytes of a linked RISC-V program (or of an object file), and nothing else.
    std::filesystem::path kernel(std::string const& name, bool linked = true) const;

  private:
    base::ScratchDirectory scratch_ = std::move(base::ScratchDirectory::make("test").value());
};

std::string contents_of(std::filesystem::path const& path);

}  // namespace vmcheck::classes::testing
