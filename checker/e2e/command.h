#pragma once
// Runs the real command line, as a user would, and keeps what it prints.

#include "impl/base/child.h"
#include "impl/base/files.h"

#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace vmcheck::e2e {

// A kernel that does what it should, and one of which a child's store shows in its parent.
inline std::string const kRight = VMCHECK_KERNELS "/cow-eager/kernel";
inline std::string const kWrong = VMCHECK_KERNELS "/mutants/16-parent-keeps-w/kernel";

struct Result {
    int exit_code = -1;  // -1: killed by a signal
    std::string out;
    std::string err;
};

// The only session of the report that it printed as JSON.
nlohmann::json session_of(Result const& result);

// Runs vmcheck with these arguments in `directory`.
Result vmcheck(std::vector<std::string> const& arguments, std::filesystem::path const& directory);

// The same in two steps, for what happens while it runs.
base::Child start_vmcheck(std::vector<std::string> const& arguments, std::filesystem::path const& directory);
// Waits for it. `directory` is the one that it was started in.
Result finish_vmcheck(base::Child& process, std::filesystem::path const& directory);

// One more option for a class: where there is no sandbox to be had, trees are trusted, since a class is refused then.
std::string class_option();

// Runs a shell's command line; gives its exit code, -1 where it has none, and all that was printed.
struct ShellResult {
    int exit_code = -1;
    std::string said;
};
ShellResult shell(std::string const& command_line);

// The words before a command by which it runs as a user without rights, to whom `directory` then belongs; none where
// the test's own user is one.
std::string without_rights(std::filesystem::path const& directory);

// A directory of its own for one test, removed at the end.
class Scratch {
  public:
    std::filesystem::path const& path() const { return directory_.path(); }
    // Writes a file into it and gives its path.
    std::string file(std::string const& name, std::string const& contents) const;

    // Copies a file into it, or a kernel with its map: what a tree needs has to be in it.
    void copy(std::filesystem::path const& from, std::string const& name) const;

  private:
    base::ScratchDirectory directory_ = std::move(base::ScratchDirectory::make("test").value());
};

// The whole file; empty where there is none.
std::string read(std::filesystem::path const& path);

}  // namespace vmcheck::e2e
