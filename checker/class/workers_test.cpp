#include "checker/class/workers.h"

#include "checker/class/files_testing.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <thread>

namespace vmcheck::classes {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class WorkersTest : public ::testing::Test {
  protected:
    // A shell script as task `task`; its output goes to the file "TASK".
    void start(Workers& workers, std::size_t task, std::string const& script) const {
        auto const started = workers.start(task, {{"/bin/sh", "-c", script}, log(task), directory_.path()});
        ASSERT_TRUE(started) << started.error().message;
    }
    std::filesystem::path log(std::size_t task) const { return directory_.path() / std::to_string(task); }
    // Waits until all have ended; by task.
    static std::vector<Ending> all_of(Workers& workers, std::size_t tasks) {
        std::vector<Ending> endings(tasks);
        while (!workers.idle())
            for (Workers::Ended const& ended : workers.wait(1s)) endings[ended.task] = ended.ending;
        return endings;
    }
    // The number that the script of `task` printed first, once it is there.
    int number_in_log(std::size_t task) const {
        std::string text;
        while (text.find('\n') == std::string::npos) {
            std::this_thread::sleep_for(5ms);
            text = testing::contents_of(log(task));
        }
        return std::stoi(text);
    }
    testing::Directory directory_;
};

TEST_F(WorkersTest, SayHowEachEnded) {
    Workers workers({3, 1min, 1s});
    start(workers, 0, "echo out; echo err >&2; exit 5");
    start(workers, 1, "kill -SEGV $$");
    start(workers, 2, "exit 0");
    EXPECT_TRUE(workers.full());
    auto const endings = all_of(workers, 3);
    EXPECT_EQ(endings[0].exit_code, 5);
    EXPECT_EQ(testing::contents_of(log(0)), "out\nerr\n");
    EXPECT_EQ(endings[1].signal, SIGSEGV);
    EXPECT_FALSE(endings[1].exit_code);
    EXPECT_EQ(endings[2].exit_code, 0);
    EXPECT_EQ(endings[2].cut, Cut::no);
}

TEST_F(WorkersTest, RunAtATime) {
    Workers workers({2, 1min, 1s});
    start(workers, 0, "while [ ! -e " + log(1).string() + ".there ]; do sleep 0.01; done");
    start(workers, 1, "touch " + log(1).string() + ".there");
    for (Ending const& ending : all_of(workers, 2)) EXPECT_EQ(ending.exit_code, 0);
}

TEST_F(WorkersTest, AtTheTimeLimitAreAskedToStop) {
    Workers workers({1, 200ms, 1min});
    start(workers, 0, "trap 'echo stopped; exit 1' INT; while true; do sleep 0.01; done");
    auto const endings = all_of(workers, 1);
    EXPECT_EQ(endings[0].exit_code, 1);
    EXPECT_EQ(endings[0].cut, Cut::time_limit);
    EXPECT_EQ(testing::contents_of(log(0)), "stopped\n");
}

TEST_F(WorkersTest, ThatDoNotListenAreKilledAfterTheGrace) {
    Workers workers({1, 100ms, 100ms});
    start(workers, 0, "trap '' INT TERM; while true; do sleep 0.01; done");
    auto const endings = all_of(workers, 1);
    EXPECT_EQ(endings[0].signal, SIGKILL);
    EXPECT_EQ(endings[0].cut, Cut::time_limit);
}

// A process group of its own, as `timeout` makes one, is no way out.
TEST_F(WorkersTest, LeaveNothingBehind) {
    Workers workers({1, 1min, 1s});
    start(workers, 0, "timeout 1000 sleep 1000 & sleep 0.3; echo $!; cut -d' ' -f5 /proc/$!/stat; exit 0");
    EXPECT_EQ(all_of(workers, 1)[0].exit_code, 0);
    std::string const left = std::to_string(number_in_log(0));
    EXPECT_EQ(testing::contents_of(log(0)), left + '\n' + left + '\n') << "it has no group of its own";
    // Dead, or about to be collected by init.
    std::string const state = testing::contents_of("/proc/" + left + "/stat");
    EXPECT_TRUE(state.empty() || state.find(") Z ") != std::string::npos) << state;
}

TEST_F(WorkersTest, AreInterruptedOnBehalfOfTheUser) {
    Workers workers({2, 1min, 1min});
    start(workers, 0, "trap 'exit 7' INT; echo 1; while true; do sleep 0.01; done");
    start(workers, 1, "trap 'exit 8' INT; echo 1; while true; do sleep 0.01; done");
    number_in_log(0);
    number_in_log(1);
    EXPECT_EQ(workers.running().size(), 2U);
    workers.interrupt();
    auto const endings = all_of(workers, 2);
    EXPECT_EQ(endings[0].exit_code, 7);
    EXPECT_EQ(endings[1].exit_code, 8);
    EXPECT_EQ(endings[1].cut, Cut::interrupt);
}

TEST_F(WorkersTest, ThatAreGivenUpDoNotRunOn) {
    {
        Workers workers({1, 1min, 1min});
        start(workers, 0, "echo $$; sleep 1000");
        number_in_log(0);
    }
    EXPECT_NE(::kill(number_in_log(0), 0), 0);
}

TEST_F(WorkersTest, HaveTheirOwnTemporaryDirectoryAndNoBlockedSignals) {
    Workers workers({1, 1min, 1s});
    start(workers, 0, "echo $TMPDIR; grep SigBlk /proc/self/status");
    all_of(workers, 1);
    EXPECT_EQ(testing::contents_of(log(0)), directory_.path().string() + "\nSigBlk:\t0000000000000000\n");
}

// So that a build which prints without end cannot fill the disk.
TEST_F(WorkersTest, WriteNoFileOfMoreThanOneGibibyte) {
    Workers workers({1, 1min, 1s});
    start(workers, 0, "ulimit -f");
    all_of(workers, 1);
    constexpr int kBlock = 512;
    EXPECT_EQ(number_in_log(0), (1 << 30) / kBlock);
}

TEST_F(WorkersTest, WhatCannotBeStartedSaysSo) {
    Workers workers({2, 1min, 1s});
    auto const refused = workers.start(0, {{"/bin/true"}, directory_.path() / "no" / "log", directory_.path()});
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("no/log"));
    auto const missing = workers.start(1, {{"/no/such/program"}, log(1), directory_.path()});
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error().message, HasSubstr("/no/such/program"));
    EXPECT_TRUE(workers.idle());
}

}  // namespace
}  // namespace vmcheck::classes
