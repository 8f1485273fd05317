// A student's tree is verified as it is: built by its own rules in a scratch copy, and never changed.

#include "checker/e2e/command.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>

namespace vmcheck::e2e {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class SourceTree : public testing::Test {
  protected:
    // A tree whose rule for the kernel is `recipe`.
    std::string tree_with(std::string const& recipe) const {
        fs::create_directories(scratch.path() / "tree" / "kernel");
        scratch.file("tree/Makefile", "kernel/kernel: kernel/main.c\n\t" + recipe + "\n");
        scratch.file("tree/kernel/main.c", "int main(void) { return 0; }\n");
        return (scratch.path() / "tree").string();
    }

    Scratch scratch;
};

TEST_F(SourceTree, IsBuiltInACopyAndLeftAsItWas) {
    std::string const tree = tree_with("cp " VMCHECK_KERNELS "/vintage-2024/kernel kernel/kernel && cp " VMCHECK_KERNELS
                                       "/vintage-2024/kernel.map kernel/kernel.map");
    Result const result = vmcheck({"verify", tree, "--runs", "50"}, scratch.path());
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    EXPECT_THAT(result.out, HasSubstr(tree));
    EXPECT_FALSE(fs::exists(fs::path(tree) / "kernel" / "kernel"));
}

TEST_F(SourceTree, WithABuiltKernelIsNotBuiltAgain) {
    std::string const tree = tree_with("false");
    fs::copy_file(VMCHECK_KERNELS "/vintage-2024/kernel", fs::path(tree) / "kernel" / "kernel");
    fs::copy_file(VMCHECK_KERNELS "/vintage-2024/kernel.map", fs::path(tree) / "kernel" / "kernel.map");
    fs::last_write_time(fs::path(tree) / "kernel" / "kernel",
                        fs::file_time_type::clock::now() + std::chrono::seconds{5});
    EXPECT_EQ(vmcheck({"verify", tree, "--runs", "50"}, scratch.path()).exit_code, 0);
}

TEST_F(SourceTree, ThatDoesNotCompileShowsWhatTheCompilerSays) {
    std::string const tree = tree_with("riscv64-unknown-elf-gcc -c -o kernel/kernel kernel/main.c");
    scratch.file("tree/kernel/main.c", "int main(void) { return sorry; }\n");
    Result const result = vmcheck({"verify", tree}, scratch.path());
    EXPECT_EQ(result.exit_code, 4);
    EXPECT_THAT(result.err, HasSubstr("does not build"));
    EXPECT_THAT(result.err, HasSubstr("'sorry' undeclared"));
    Result const report = vmcheck({"verify", tree, "--json"}, scratch.path());
    EXPECT_EQ(report.exit_code, 4);
    auto const document = nlohmann::json::parse(report.out);
    EXPECT_EQ(document.at("sessions"), nlohmann::json::array());
    EXPECT_EQ(document.at("stopped").at("cause"), "build");
    EXPECT_EQ(document.at("stopped").at("about"), tree);
    EXPECT_THAT(document.at("stopped").at("details").dump(), HasSubstr("'sorry' undeclared"));
}

TEST_F(SourceTree, IsNotFailedByWarningsThatOldTreesTurnIntoErrors) {
    std::string const tree = tree_with(
        "riscv64-unknown-elf-gcc -Wall -Werror -c -o main.o kernel/main.c && cp " VMCHECK_KERNELS
        "/vintage-2024/kernel kernel/kernel && cp " VMCHECK_KERNELS "/vintage-2024/kernel.map kernel/kernel.map");
    scratch.file("tree/kernel/main.c", "int main(void) { int unused; return 0; }\n");
    EXPECT_EQ(vmcheck({"verify", tree, "--runs", "50"}, scratch.path()).exit_code, 0);
}

// ---- a build that hangs

struct Ending {
    char const* name;
    int signal;
    char const* recipe;
};
void PrintTo(Ending const& ending, std::ostream* out) {
    *out << ending.name;
}

class HangingBuild : public SourceTree, public testing::WithParamInterface<Ending> {
  protected:
    void SetUp() override { ::setenv("TMPDIR", (scratch.path() / "tmp").c_str(), 1); }
    void TearDown() override { ::unsetenv("TMPDIR"); }

    // The processes whose command line has these words.
    static std::vector<std::string> running(std::string const& words) {
        std::vector<std::string> all;
        for (auto const& process : fs::directory_iterator("/proc"))
            if (std::string line = read(process.path() / "cmdline"); line.find(words) != std::string::npos)
                all.push_back(std::move(line));
        return all;
    }
};

TEST_P(HangingBuild, IsEndedWithAllThatItStarted) {
    fs::create_directories(scratch.path() / "tmp");
    fs::path const started = scratch.path() / "started";
    std::string const tree = tree_with(GetParam().recipe + (" touch " + started.string()) + "; sleep 1000; sleep 1000");
    base::Child process = start_vmcheck({"verify", tree}, scratch.path());
    constexpr int kTries = 1000;
    for (int i = 0; i < kTries && !fs::exists(started); ++i) std::this_thread::sleep_for(std::chrono::milliseconds{20});
    ASSERT_TRUE(fs::exists(started));
    EXPECT_THAT(running(scratch.path().string()), testing::Not(testing::IsEmpty()));
    auto const asked = std::chrono::steady_clock::now();
    process.send(GetParam().signal);
    base::wait_for_one_of({&process}, std::chrono::seconds{10});
    EXPECT_LT(std::chrono::steady_clock::now() - asked, std::chrono::seconds{3});
    std::vector<std::string> const left = running((scratch.path() / "tmp").string());
    if (!left.empty()) process.kill();
    Result const result = finish_vmcheck(process, scratch.path());
    EXPECT_THAT(left, testing::IsEmpty());
    EXPECT_EQ(result.exit_code, 130);
    EXPECT_THAT(result.err, testing::MatchesRegex("vmcheck: .*interrupted.*\n"));
    EXPECT_TRUE(fs::is_empty(scratch.path() / "tmp")) << "the scratch copy stays";
}

// With Ctrl-C, with `timeout`; and of a student who would rather not be stopped.
INSTANTIATE_TEST_SUITE_P(By, HangingBuild,
                         testing::Values(Ending{"SIGINT", SIGINT, ""}, Ending{"SIGTERM", SIGTERM, ""},
                                         Ending{"deaf_to_SIGINT", SIGINT, "trap '' INT TERM HUP;"}),
                         [](auto const& parameter) { return std::string(parameter.param.name); });

}  // namespace
}  // namespace vmcheck::e2e
