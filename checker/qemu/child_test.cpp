#include "checker/qemu/child.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>

namespace vmcheck::qemu {
namespace {

using namespace std::chrono_literals;
using End = ChildResult::End;

ChildResult shell(std::string const& script, ChildLimits const& limits = {}) {
    auto const result = run_child({"sh", "-c", script}, limits);
    EXPECT_TRUE(result) << result.error();
    return result.value_or(ChildResult{});
}

TEST(Child, SaysWhatItPrintedAndHowItEnded) {
    ChildResult const result = shell("echo out; echo err >&2; exit 3");
    EXPECT_EQ(result.end, End::exited);
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_EQ(result.output, "out\nerr\n");
    EXPECT_EQ(shell("kill -TERM $$").end, End::signalled);
}

TEST(Child, ReadsNothingFromThisProgramsInput) {
    EXPECT_EQ(shell("cat; echo done").output, "done\n");
}

TEST(Child, ThatDoesNotEndIsEnded) {
    ChildResult const result = shell("echo begun; sleep 100", {.time = 300ms});
    EXPECT_EQ(result.end, End::out_of_time);
    EXPECT_EQ(result.output, "begun\n");
}

TEST(Child, ThatClosesItsOutputAndGoesOnIsEndedToo) {
    EXPECT_EQ(shell("exec >&- 2>&-; sleep 100", {.time = 300ms}).end, End::out_of_time);
}

TEST(Child, LeavesNobodyBehind) {
    ChildResult const result = shell("sleep 100 & echo $!; wait", {.time = 300ms});
    pid_t const grandchild = std::stoi(result.output);
    // Killed, it is only still there until it is waited for by whoever inherited it.
    for (int i = 0; i < 100 && ::kill(grandchild, 0) == 0; ++i) ::usleep(20'000);
    std::string const state = "/proc/" + std::to_string(grandchild) + "/stat";
    std::FILE* const file = std::fopen(state.c_str(), "r");
    char what = 'Z';
    if (file != nullptr) {
        EXPECT_EQ(std::fscanf(file, "%*d %*s %c", &what), 1);
        std::fclose(file);
    }
    EXPECT_EQ(what, 'Z');
}

TEST(Child, ThatPrintsWithoutEndIsCutOff) {
    ChildResult const result = shell("yes", {.output_bytes = 10'000});
    EXPECT_EQ(result.end, End::too_much_output);
    EXPECT_EQ(result.output.size(), 10'000U);
}

TEST(Child, IsEndedAsSoonAsItHasSaidEnough) {
    ChildLimits limits;
    limits.enough = [](std::string_view output) { return output.find("two") != std::string_view::npos; };
    EXPECT_EQ(shell("echo one; echo two; sleep 100", limits).end, End::enough);
}

TEST(Child, IsEndedWhenAStopIsAskedFor) {
    std::stop_source stop;
    stop.request_stop();
    EXPECT_EQ(shell("sleep 100", {.stop = stop.get_token()}).end, End::stopped);
}

TEST(Child, DoesNotInheritBlockedSignals) {
    sigset_t terminate, before;
    sigemptyset(&terminate);
    sigaddset(&terminate, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &terminate, &before);
    ChildResult const result = shell("kill -TERM $$; echo survived");
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    EXPECT_EQ(result.end, End::signalled);
}

TEST(Child, ThatIsNotThereIsAnError) {
    auto const result = run_child({"/nowhere/qemu"}, {});
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error(), testing::HasSubstr("/nowhere/qemu cannot be run"));
}

}  // namespace
}  // namespace vmcheck::qemu
