#include "impl/base/sandbox.h"

#include "impl/base/files.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

#include <chrono>
#include <fstream>

namespace vmcheck::base {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using End = RunResult::End;

class Sandboxed : public testing::Test {
  protected:
    void SetUp() override {
        if (auto const possible = try_sandbox(); !possible) GTEST_SKIP() << "SKIP: " << possible.error().message;
        fs::create_directories(given());
        fs::create_directories(own());
        std::ofstream(given() / "text") << "given";
        std::ofstream(scratch_.path() / "secret") << "secret";
    }

    static constexpr std::uint64_t kMemory = std::uint64_t{1} << 28;
    fs::path given() const { return scratch_.path() / "given"; }
    fs::path own() const { return scratch_.path() / "own"; }
    RunResult shell(std::string const& script, RunLimits const& limits = {}) const {
        auto const ran = run(in_sandbox({.arguments = {"sh", "-c", script}, .directory = own()},
                                        {.readable = {given()}, .writable = {own()}, .memory_bytes = kMemory}),
                             limits);
        EXPECT_TRUE(ran) << ran.error().message;
        return ran.value_or(RunResult{});
    }

    ScratchDirectory scratch_ = std::move(ScratchDirectory::make("sandbox").value());
};

TEST_F(Sandboxed, SeesWhatItIsGivenAndNothingElse) {
    EXPECT_EQ(shell("cat ../given/text").output, "given");
    EXPECT_NE(shell("cat ../secret").exit_code, 0);
    EXPECT_EQ(shell("ls -A / /home /root 2>/dev/null | grep -xE 'home|root|var|srv|boot|sys'").output, "");
    EXPECT_EQ(shell("ls -A ..").output, "given\nown\n");
}

TEST_F(Sandboxed, WritesWhereItMayAndNowhereElse) {
    EXPECT_EQ(shell("echo mine > file && echo temporary > /tmp/file").exit_code, 0);
    EXPECT_EQ(read_file(own() / "file").value_or(""), "mine\n");
    EXPECT_NE(shell("echo x > ../given/text").exit_code, 0);
    shell("echo x > ../beside");  // may be in its own /tmp
    EXPECT_NE(shell("echo x > /usr/file").exit_code, 0);
    EXPECT_NE(shell("echo x > /file").exit_code, 0) << "memory without a limit";
    EXPECT_NE(shell("echo x > /dev/shm/file").exit_code, 0) << "memory without a limit";
    EXPECT_FALSE(fs::exists(scratch_.path() / "beside"));
}

TEST_F(Sandboxed, EndsWithAllThatItStarted) {
    EXPECT_EQ(shell("setsid sh -c '(sleep 0.3; touch later) & ' & sleep 0.1").end, End::exited);
    std::this_thread::sleep_for(600ms);
    EXPECT_FALSE(fs::exists(own() / "later"));
}

TEST_F(Sandboxed, IsEndedWhenItTakesTooMuch) {
    auto const many = [](pid_t process) { return usage_of(process).processes > 20; };
    EXPECT_EQ(shell("for i in $(seq 40); do sleep 100 & done; wait", {.too_much = many}).end, End::too_much);
    EXPECT_NE(shell("exec tail /dev/zero", {}).exit_code, 0) << "of memory";
    auto const much = [](pid_t process) { return usage_of(process).memory_bytes > kMemory; };
    EXPECT_EQ(
        shell("for i in 1 2 3; do perl -e '$x = 1 x 100_000_000; sleep 100' & done; wait", {.too_much = much}).end,
        End::too_much)
        << "each may have as much";
}

TEST_F(Sandboxed, PassesSignalsOnAndTellsOfThem) {
    Command command{
        .arguments = {"sh", "-c", "trap 'echo heard; exit 3' INT; echo ready; while :; do sleep 0.05; done"}};
    command.output = scratch_.path() / "said";
    // A shell that starts with a signal blocked cannot take it: what is started here is told to by its own shell.
    command.arguments = {"perl", "-MPOSIX", "-e",
                         "$SIG{INT}=sub{exit 3}; $s=POSIX::SigSet->new(SIGINT); sleep 1; sigprocmask(SIG_UNBLOCK,$s);"
                         "sleep 9"};
    auto child = Child::start(in_sandbox(command, {}));
    ASSERT_TRUE(child);
    std::this_thread::sleep_for(300ms);
    child->send(SIGINT);
    EXPECT_EQ(child->wait().code, 3);
    command.arguments = {"sh", "-c", "kill -SEGV $$"};
    child = Child::start(in_sandbox(command, {}));
    ASSERT_TRUE(child);
    Exit const exit = child->wait();
    EXPECT_FALSE(exit.code);
    EXPECT_EQ(exit.signal, SIGSEGV);
}

TEST_F(Sandboxed, CanHaveAnotherWithin) {
    Command const inner =
        in_sandbox({.arguments = {"sh", "-c", "ls; touch file; ! unshare -U true"}, .directory = given()},
                   {.readable = {given()}, .confinement = Confinement::within});
    auto const ran = run(in_sandbox(inner, {.readable = {given()}, .writable = {own()}}), {});
    ASSERT_TRUE(ran);
    EXPECT_EQ(ran->exit_code, 0) << ran->output;
    EXPECT_THAT(ran->output, testing::StartsWith("text\ntouch:"));
}

}  // namespace
}  // namespace vmcheck::base
