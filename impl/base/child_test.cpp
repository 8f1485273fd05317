#include "impl/base/child.h"

#include "impl/base/files.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <thread>

namespace vmcheck::base {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using End = RunResult::End;

RunResult shell(std::string const& script, RunLimits const& limits = {}) {
    auto const result = run({.arguments = {"sh", "-c", script}}, limits);
    EXPECT_TRUE(result) << result.error().message;
    return result.value_or(RunResult{});
}

// Whether it runs no more; a process that was killed may wait for whoever inherited it to collect it.
bool is_gone(pid_t process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    std::string line;
    return !std::getline(file, line) || line.find(") Z ") != std::string::npos;
}

TEST(Child, SaysWhatItPrintedAndHowItEnded) {
    RunResult const result = shell("echo out; echo err >&2; exit 3");
    EXPECT_EQ(result.end, End::exited);
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_EQ(result.output, "out\nerr\n");
    EXPECT_EQ(shell("kill -TERM $$").end, End::signalled);
}

TEST(Child, HasAFileForItsErrorsWhereTheOutputIsKeptToo) {
    auto const scratch = ScratchDirectory::make("test");
    auto const ran = run({.arguments = {"sh", "-c", "echo out; echo bad >&2"}, .errors = scratch->path() / "err"}, {});
    ASSERT_TRUE(ran) << ran.error().message;
    EXPECT_EQ(ran->output, "out\n");
    EXPECT_EQ(read_file(scratch->path() / "err").value(), "bad\n");
}

TEST(Child, ReadsNothingFromThisProgramsInput) {
    EXPECT_EQ(shell("cat; echo done").output, "done\n");
}

TEST(Child, ThatListensToNoSignalIsEndedAtItsTime) {
    auto const start = std::chrono::steady_clock::now();
    RunResult const result = shell("trap '' INT TERM HUP; echo begun; while true; do sleep 100; done", {.time = 300ms});
    EXPECT_EQ(result.end, End::out_of_time);
    EXPECT_EQ(result.output, "begun\n");
    EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
}

TEST(Child, ThatClosesItsOutputAndGoesOnIsEndedToo) {
    EXPECT_EQ(shell("exec >&- 2>&-; sleep 100", {.time = 300ms}).end, End::out_of_time);
}

TEST(Child, ThatHasEndedIsNotWaitedForBecauseItsOwnChildIsNot) {
    auto const start = std::chrono::steady_clock::now();
    RunResult const result = shell("sleep 100 & echo $!", {.time = 1min});
    EXPECT_EQ(result.end, End::exited);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
    EXPECT_TRUE(is_gone(std::stoi(result.output)));
}

// In a group of its own (as `timeout` makes one), and in a session of its own as long as somebody knows its parent.
TEST(Child, LeavesNobodyBehind) {
    for (char const* how : {"sleep 100 & echo $!; wait", "timeout 100 sleep 100 & echo $!; wait",
                            "trap '' TERM; setsid sh -c 'echo $$; trap \"\" TERM; sleep 100' & wait"}) {
        RunResult const result = shell(how, {.time = 300ms});
        EXPECT_EQ(result.end, End::out_of_time);
        EXPECT_TRUE(is_gone(std::stoi(result.output))) << how;
    }
}

TEST(Child, ThatPrintsWithoutEndIsCutOff) {
    RunResult const result = shell("yes", {.output_bytes = 10'000});
    EXPECT_EQ(result.end, End::too_much_output);
    EXPECT_EQ(result.output.size(), 10'000U);
}

TEST(Child, IsEndedAsSoonAsItHasSaidEnough) {
    RunLimits limits;
    limits.enough = [](std::string_view output) { return output.find("two") != std::string_view::npos; };
    EXPECT_EQ(shell("echo one; echo two; sleep 100", limits).end, End::enough);
}

TEST(Child, IsEndedAtOnceWhenAStopIsAskedFor) {
    std::stop_source stop;
    std::jthread const asks([&] {
        std::this_thread::sleep_for(200ms);
        stop.request_stop();
    });
    auto const start = std::chrono::steady_clock::now();
    EXPECT_EQ(shell("sleep 100", {.time = 1min, .stop = stop.get_token()}).end, End::stopped);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
}

TEST(Child, HasNoSignalBlockedOrIgnoredAlthoughThisProgramHas) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    auto const pipe_before = ::signal(SIGPIPE, SIG_IGN);
    RunResult const result = shell("grep -E 'SigBlk|SigIgn' /proc/self/status");
    ::signal(SIGPIPE, pipe_before);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    EXPECT_EQ(result.output, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST(Child, InheritsNoOpenFile) {
    int const leaked = ::dup(STDOUT_FILENO);  // without O_CLOEXEC, as libraries do it
    RunResult const result = shell("ls /proc/self/fd | wc -l");
    ::close(leaked);
    EXPECT_EQ(std::stoi(result.output), 4) << "three streams, and the directory that ls reads";
}

TEST(Child, HasTheEnvironmentThatItIsGiven) {
    ASSERT_EQ(::setenv("VMCHECK_TEST_A", "outer", 1), 0);
    Command command{.arguments = {"sh", "-c", "echo $VMCHECK_TEST_A-$VMCHECK_TEST_B"}};
    command.environment = {"VMCHECK_TEST_B=b"};
    EXPECT_EQ(run(command, {})->output, "outer-b\n");
    command.environment.emplace_back("VMCHECK_TEST_A=inner");
    EXPECT_EQ(run(command, {})->output, "inner-b\n");
    command.environment = {"VMCHECK_TEST_B=b"};
    command.environment_alone = true;
    EXPECT_EQ(run(command, {})->output, "-b\n");
}

TEST(Child, WritesToFilesOfLimitedSize) {
    auto const scratch = ScratchDirectory::make("test");
    ASSERT_TRUE(scratch);
    auto const out = scratch->path() / "out", err = scratch->path() / "err";
    Command command{.arguments = {"sh", "-c", "pwd; echo err >&2; yes >many"}};
    command.directory = scratch->path();
    command.output = out;
    command.errors = err;
    command.file_bytes_max = 100'000;
    auto const result = run(command, {});
    ASSERT_TRUE(result);
    EXPECT_EQ(result->end, End::exited);
    EXPECT_NE(result->exit_code, 0);
    EXPECT_EQ(read_file(out).value(), scratch->path().string() + "\n");
    EXPECT_THAT(read_file(err).value(), HasSubstr("err\n"));
    EXPECT_EQ(std::filesystem::file_size(scratch->path() / "many"), 100'000U);
}

TEST(Child, ThatIsNotThereIsAnError) {
    for (char const* name : {"/nowhere/qemu", "vmcheck-no-such-program", "/etc/passwd"}) {
        auto const result = run({.arguments = {name}}, {});
        ASSERT_FALSE(result);
        EXPECT_THAT(result.error().message, HasSubstr(std::string(name) + " cannot be run: "));
    }
}

TEST(Child, BesideThisProgramCanBeAskedToStop) {
    auto const scratch = ScratchDirectory::make("test");
    ASSERT_TRUE(scratch);
    Command command{.arguments = {"sh", "-c", "trap 'exit 7' INT; echo ready; while true; do sleep 0.01; done"}};
    command.output = scratch->path() / "out";
    auto child = Child::start(command);
    ASSERT_TRUE(child) << child.error().message;
    while (read_file(command.output).value() != "ready\n") std::this_thread::sleep_for(1ms);
    EXPECT_FALSE(child->poll());
    child->send(SIGINT);
    wait_for_one_of({&*child}, 1min);
    auto const exit = child->poll();
    ASSERT_TRUE(exit) << "it has ended, or nobody would have been woken";
    EXPECT_EQ(exit->code, 7);
}

TEST(Child, ThatIsGivenUpDoesNotRunOn) {
    auto const scratch = ScratchDirectory::make("test");
    ASSERT_TRUE(scratch);
    Command command{.arguments = {"sleep", "100"}};
    command.output = scratch->path() / "out";
    pid_t process = 0;
    {
        auto const child = Child::start(command);
        ASSERT_TRUE(child);
        process = child->process();
        EXPECT_FALSE(is_gone(process));
    }
    EXPECT_TRUE(is_gone(process));
}

}  // namespace
}  // namespace vmcheck::base
