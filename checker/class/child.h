#pragma once
// One program that runs beside this one, and everything that it starts in its turn.
//
// It is the leader of a session of its own. So a Ctrl-C at the terminal reaches this program only, which passes it on,
// and whatever the child leaves behind (a compiler that hangs, a daemon out of a Makefile) is found and ended with it.
// Should this program die, the child is sent SIGINT by the system.

#include "checker/class/ending.h"
#include "checker/class/problem.h"

#include <sys/types.h>
#include <tl/expected.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace vmcheck::classes {

struct Command {
    std::vector<std::string> arguments;  // the first is the program's path
    std::filesystem::path log;           // takes standard output and standard error
    std::filesystem::path scratch;       // its directory for temporary files
};

class Child {
  public:
    // Starts it. Fails where the log cannot be opened or the system has no room for another process. A program that is
    // not there ends with code 127.
    static tl::expected<Child, Problem> start(Command const& command);

    Child(Child&& other) noexcept;
    Child& operator=(Child&& other) noexcept;
    // Ends it by force if it still runs.
    ~Child();

    // How it ended, if it has; then nothing that it started runs any more. Does not wait. REQUIRES: not ended before.
    std::optional<Ending> poll();
    // SIGINT: vmcheck then writes what it has and ends.
    void interrupt();
    // SIGKILL, for it and for all that it started.
    void kill();

  private:
    explicit Child(pid_t process) : process_(process) {}
    pid_t process_;  // 0: ended, or moved from
};

}  // namespace vmcheck::classes
