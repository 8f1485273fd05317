#include "impl/base/interrupt.h"

#include "impl/base/child.h"
#include "impl/base/files.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace vmcheck::base {
namespace {

// In a process of its own, which ends with what the test is about.
int exit_code_of(int signal, int times, unsigned apart_us = 0) {
    pid_t const child = ::fork();
    if (child == 0) {
        Interrupt const interrupt;
        for (int i = 0; i < times; ++i) {
            if (i > 0) ::usleep(apart_us);
            ::kill(::getpid(), signal);
            for (int wait = 0; wait < 2000 && !interrupt.token().stop_requested(); ++wait) ::usleep(1'000);
        }
        if (times > 1) ::usleep(500'000);
        ::_exit(interrupt.token().stop_requested() ? 7 : 8);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Interrupt, IsAStopRequestTheFirstTimeAndTheEndTheSecond) {
    for (int const signal : {SIGINT, SIGTERM, SIGHUP}) {
        EXPECT_EQ(exit_code_of(signal, 1), 7);
        EXPECT_EQ(exit_code_of(signal, 2), 7) << "at once: to the process and to its group";
        EXPECT_EQ(exit_code_of(signal, 2, 1'200'000), 128 + signal);
    }
}

// What `work` ends its process with.
template <class Work>
int exit_code_of_process(Work work) {
    pid_t const child = ::fork();
    if (child == 0) ::_exit(work());
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool comes(std::stop_token const& token, int within_ms) {
    for (int wait = 0; wait < within_ms && !token.stop_requested(); ++wait) ::usleep(1'000);
    return token.stop_requested();
}

TEST(Interrupt, HasALastCallSomeTimeLater) {
    EXPECT_EQ(exit_code_of_process([] {
                  Interrupt const interrupt;
                  ::kill(::getpid(), SIGTERM);
                  bool const asked = comes(interrupt.token(), 2000), too_soon = interrupt.last_call().stop_requested();
                  return asked && !too_soon && comes(interrupt.last_call(), 2000) ? 7 : 8;
              }),
              7);
}

TEST(Interrupt, IsAskedForWhereNobodyReadsOnAndAWriteIsNoEnd) {
    EXPECT_EQ(exit_code_of_process([] {
                  std::array<int, 2> ends{};
                  if (::pipe(ends.data()) != 0) return 9;
                  ::dup2(ends[1], STDOUT_FILENO);
                  Interrupt const interrupt;
                  if (comes(interrupt.token(), 100)) return 8;
                  ::close(ends[0]);
                  bool const failed = ::write(STDOUT_FILENO, "x", 1) < 0;
                  return failed && comes(interrupt.token(), 2000) ? 7 : 8;
              }),
              7);
}

TEST(Interrupt, ThatComesTwiceLeavesNoTemporaryFilesAndNoProcesses) {
    auto const outer = ScratchDirectory::make("test");
    std::filesystem::path const note = outer->path() / "sleeper";
    EXPECT_EQ(exit_code_of_process([&] {
                  ::setenv("TMPDIR", outer->path().c_str(), 1);
                  Interrupt const interrupt;
                  auto const scratch = ScratchDirectory::make("inner");
                  auto const sleeper = Child::start(
                      {.arguments = {"sh", "-c", "trap '' INT TERM; echo $$; sleep 1000"}, .output = note});
                  ::usleep(200'000);
                  ::kill(::getpid(), SIGINT);
                  ::usleep(1'200'000);
                  ::kill(::getpid(), SIGINT);
                  ::usleep(2'000'000);
                  return scratch && sleeper ? 8 : 9;
              }),
              128 + SIGINT);
    int const sleeper = std::stoi(read_file(note).value_or("0"));
    ASSERT_GT(sleeper, 0);
    // Nothing is left to run, even where nobody has collected it yet.
    EXPECT_EQ(read_file(std::filesystem::path("/proc") / std::to_string(sleeper) / "cmdline").value_or(""), "");
    std::filesystem::remove(note);
    EXPECT_TRUE(std::filesystem::is_empty(outer->path()));
}

TEST(Interrupt, LeavesNoClosedStreamToTheNextFile) {
    EXPECT_EQ(exit_code_of_process([] {
                  ::close(STDOUT_FILENO);
                  Interrupt const interrupt;
                  Descriptor const next(::open("/dev/null", O_RDONLY));
                  return next.number() > STDERR_FILENO && ::write(STDOUT_FILENO, "x", 1) < 0 ? 7 : 8;
              }),
              7);
}

TEST(TimeLimit, AsksForAStopAndThenForTheLastCall) {
    TimeLimit limit({}, {});
    limit.begin(std::chrono::milliseconds{50});
    EXPECT_FALSE(limit.token().stop_requested());
    EXPECT_TRUE(comes(limit.token(), 2000));
    EXPECT_FALSE(limit.last_call().stop_requested());
    EXPECT_TRUE(comes(limit.last_call(), 2000));
}

TEST(TimeLimit, HandsOnWhatTheUserWantsAndEndsWithoutWaiting) {
    std::stop_source stop, last_call;
    TimeLimit limit(stop.get_token(), last_call.get_token());
    limit.begin(std::chrono::hours{1});
    stop.request_stop();
    EXPECT_TRUE(limit.token().stop_requested());
    EXPECT_FALSE(limit.last_call().stop_requested());
    last_call.request_stop();
    EXPECT_TRUE(limit.last_call().stop_requested());
}

}  // namespace
}  // namespace vmcheck::base
