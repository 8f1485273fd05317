#pragma once
// The one way to start another program: to its end and with what it printed (run), or beside this one (Child).
//
//     auto const ran = base::run({.arguments = {"make", "-C", tree}, .output = log}, {.time = 2min, .stop = stop});
//     if (!ran) return tl::unexpected(ran.error());                            // it could not be started
//     if (ran->end == RunResult::End::exited && ran->exit_code == 0) ...
//
// Whatever is started reads nothing, has no signal blocked or ignored and no file open but its output, and is the
// leader of a session of its own. So a Ctrl-C at the terminal reaches this program only, which decides what becomes of
// the child; and whatever the child leaves behind (a compiler that hangs, a daemon out of a Makefile) is found by that
// session and ended with it. Waiting takes no processor time.

#include "impl/base/descriptor.h"
#include "impl/base/error.h"

#include <sys/types.h>
#include <tl/expected.hpp>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::base {

// The first executable file of that name in PATH, or the name itself where it has a slash; nothing where there is none.
std::optional<std::filesystem::path> find_program(std::string_view name);

struct Command {
    std::vector<std::string> arguments{};    // REQUIRES: not empty. The first is the program: a path, or a name in PATH
    std::vector<std::string> environment{};  // "NAME=value", beside this program's own or in place of the same name
    bool environment_alone = false;          // the child has none of this program's
    std::filesystem::path directory{};       // where it runs; empty: here
    std::filesystem::path output{};          // takes standard output and standard error; empty: they are kept by run()
    std::filesystem::path errors{};          // takes standard error; empty: it goes where standard output goes
    std::optional<std::uint64_t> file_bytes_max{};  // no file that it writes may become larger
    int if_parent_dies = SIGKILL;                   // sent to it when the thread that started it is gone
    // It only watches over another, which takes the signals and ends by them (sandbox.h).
    bool in_sandbox = false;
};

// How a program ended.
struct Exit {
    std::optional<int> code{};  // nothing: a signal ended it
    int signal = 0;
};

struct RunLimits;
struct RunResult;

// A program that runs beside this one. Ended by force, with all that it started, when this value goes.
class Child {
  public:
    // REQUIRES: command.output is given. Fails, with a sentence, where the program is not there, where a file cannot be
    // opened, or where the system has no room for another process.
    static tl::expected<Child, Error> start(Command const& command);

    Child(Child&& other) noexcept;
    Child& operator=(Child&& other) noexcept;
    ~Child();

    pid_t process() const { return process_; }

    // How it ended, if it has; then nothing that it started runs any more. Does not wait. REQUIRES: it is not known
    // yet.
    std::optional<Exit> poll();
    // The same, waiting for it.
    Exit wait();
    // SIGINT or SIGTERM, to it alone (in a sandbox: to the program there): it may end its own children in an orderly
    // way.
    void send(int signal);
    // SIGKILL, for it and for all that it started.
    void kill();

  private:
    friend void wait_for_one_of(std::vector<Child const*> const&, std::chrono::milliseconds);
    friend tl::expected<RunResult, Error> run(Command const&, RunLimits const&);
    Child(pid_t process, bool in_sandbox, Descriptor output);

    pid_t process_ = 0;  // 0: ended, or moved from
    bool in_sandbox_ = false;
    Descriptor handle_;  // a pidfd: readable when it has ended; none on systems without
    Descriptor output_;  // where run() keeps what it prints
};

// SIGKILL for all programs that this process has started and all that they started: for one that ends at once.
void end_children();

// Until one of them has ended, or that time is over.
void wait_for_one_of(std::vector<Child const*> const& children, std::chrono::milliseconds at_most);

struct RunLimits {
    std::chrono::milliseconds time{20'000};
    std::size_t output_bytes = std::size_t{64} << 10;  // of what run() keeps
    // Asked whenever something was printed: true ends the child, since what was wanted is there. Empty: never.
    std::function<bool(std::string_view output)> enough{};
    // Asked ten times a second: true ends the child, which has taken more than it may. Empty: never.
    std::function<bool(pid_t process)> too_much{};
    std::stop_token stop{};
};

struct RunResult {
    enum class End { exited, signalled, enough, out_of_time, too_much_output, too_much, stopped };
    End end = End::exited;
    int exit_code = 0;   // where it exited
    std::string output;  // as it came, at most output_bytes; empty where the command has a file for it
};

// What a process and all that it has started take now.
struct Usage {
    std::size_t processes = 0;
    std::uint64_t memory_bytes = 0;  // resident, and of no file
};
Usage usage_of(pid_t process);

// Runs a program until it ends, or has to. Fails as Child::start does.
tl::expected<RunResult, Error> run(Command const& command, RunLimits const& limits);

}  // namespace vmcheck::base
