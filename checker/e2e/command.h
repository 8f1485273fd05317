#pragma once
// Runs the real command line, as a user would, and keeps what it prints.

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace vmcheck::e2e {

struct Result {
    int exit_code = -1;  // -1: killed by a signal
    std::string out;
    std::string err;
};

// Runs vmcheck with these arguments in `directory`.
Result vmcheck(std::vector<std::string> const& arguments, std::filesystem::path const& directory);

// The same in two steps, for what happens while it runs: gives its process.
pid_t start_vmcheck(std::vector<std::string> const& arguments, std::filesystem::path const& directory);
// Waits for it. `directory` is the one that it was started in.
Result finish_vmcheck(pid_t process, std::filesystem::path const& directory);

// A directory of its own for one test, removed at the end.
class Scratch {
  public:
    Scratch();
    Scratch(Scratch const&) = delete;
    Scratch& operator=(Scratch const&) = delete;
    ~Scratch();
    std::filesystem::path const& path() const { return path_; }
    // Writes a file into it and gives its path.
    std::string file(std::string const& name, std::string const& contents) const;

  private:
    std::filesystem::path path_;
};

std::string read(std::filesystem::path const& path);

}  // namespace vmcheck::e2e
