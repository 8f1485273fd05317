#include "checker/qemu/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace vmcheck::qemu {

namespace {

using Clock = std::chrono::steady_clock;
using End = ChildResult::End;

// How the child is to be started: its files, signals and group.
class Start {
  public:
    explicit Start(int output) {
        posix_spawn_file_actions_init(&files_);
        posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&files_, output, STDOUT_FILENO);
        posix_spawn_file_actions_adddup2(&files_, output, STDERR_FILENO);
        posix_spawnattr_init(&attributes_);
        // This program blocks the signals of Ctrl-C in all its threads; the child must not inherit that.
        sigset_t none;
        sigemptyset(&none);
        posix_spawnattr_setsigmask(&attributes_, &none);
        posix_spawnattr_setpgroup(&attributes_, 0);
        posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    }
    Start(Start const&) = delete;
    Start& operator=(Start const&) = delete;
    ~Start() {
        posix_spawn_file_actions_destroy(&files_);
        posix_spawnattr_destroy(&attributes_);
    }

    // 0, or the error's number.
    int spawn(std::vector<std::string>& arguments, pid_t& child) const {
        std::vector<char*> argv;
        argv.reserve(arguments.size() + 1);
        for (std::string& argument : arguments) argv.push_back(argument.data());
        argv.push_back(nullptr);
        return posix_spawnp(&child, argv.front(), &files_, &attributes_, argv.data(), environ);
    }

  private:
    posix_spawn_file_actions_t files_{};
    posix_spawnattr_t attributes_{};
};

constexpr int kPollMilliseconds = 50;

// Reads what the child prints until it ends or has to.
End follow(int output, ChildLimits const& limits, Clock::time_point deadline, std::string& text) {
    std::array<char, 4096> block{};
    while (true) {
        if (limits.stop.stop_requested()) return End::stopped;
        if (Clock::now() >= deadline) return End::out_of_time;
        pollfd waiting{output, POLLIN, 0};
        int const ready = ::poll(&waiting, 1, kPollMilliseconds);
        if (ready <= 0) continue;
        ssize_t const count = ::read(output, block.data(), block.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return End::exited;
        text.append(block.data(), std::min(static_cast<std::size_t>(count), limits.output_bytes - text.size()));
        if (limits.enough && limits.enough(text)) return End::enough;
        if (text.size() == limits.output_bytes) return End::too_much_output;
    }
}

// Whether the child, which has closed its output, is over by then; it is left to be waited for.
bool ends_by(pid_t child, Clock::time_point deadline) {
    while (true) {
        siginfo_t about{};
        int const asked = ::waitid(P_PID, static_cast<id_t>(child), &about, WEXITED | WNOWAIT | WNOHANG);
        if (asked == 0 && about.si_pid == child) return true;
        if (Clock::now() >= deadline) return false;
        ::poll(nullptr, 0, kPollMilliseconds);
    }
}

}  // namespace

tl::expected<ChildResult, std::string> run_child(std::vector<std::string> arguments, ChildLimits const& limits) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return tl::unexpected(fmt::format("there is no pipe: {}", std::strerror(errno)));
    pid_t child = 0;
    int const error = Start(ends[1]).spawn(arguments, child);
    ::close(ends[1]);
    if (error != 0) {
        ::close(ends[0]);
        return tl::unexpected(fmt::format("{} cannot be run: {}", arguments.front(), std::strerror(error)));
    }
    ChildResult result;
    auto const deadline = Clock::now() + limits.time;
    result.end = follow(ends[0], limits, deadline, result.output);
    ::close(ends[0]);
    if (result.end == End::exited && !ends_by(child, deadline)) result.end = End::out_of_time;
    // Not waited for yet, so the number still is that of its group and no other.
    ::kill(-child, SIGKILL);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (result.end == End::exited && !WIFEXITED(status)) result.end = End::signalled;
    if (result.end == End::exited) result.exit_code = WEXITSTATUS(status);
    return result;
}

}  // namespace vmcheck::qemu
