// A student's tree is verified as it is: built by its own rules in a scratch copy, and never changed.

#include "checker/e2e/command.h"
#include "impl/base/sandbox.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <istream>
#include <thread>
#include <tuple>

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
    std::string const tree = tree_with("cp given/kernel given/kernel.map kernel");
    scratch.copy(VMCHECK_KERNELS "/vintage-2024/kernel", "tree/given/kernel");
    Result const result = vmcheck({"verify", tree, "--runs", "50"}, scratch.path());
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    EXPECT_THAT(result.out, HasSubstr(tree));
    EXPECT_FALSE(fs::exists(fs::path(tree) / "kernel" / "kernel"));
}

TEST_F(SourceTree, IsBuiltWhereItsMakefileIsRightOnlyForOneCommandAfterTheOther) {
    std::string const tree = tree_with("cp given/kernel given/kernel.map kernel");
    scratch.copy(VMCHECK_KERNELS "/vintage-2024/kernel", "tree/given/kernel");
    scratch.file("tree/Makefile",
                 "kernel/kernel: first second\n\tcp given/kernel given/kernel.map kernel\n"
                 "first:\n\tsleep 1 && touch made\n"
                 "second:\n\ttest -f made\n");
    Result const result = vmcheck({"verify", tree, "--runs", "50", "--jobs", "2"}, scratch.path());
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
}

TEST_F(SourceTree, IsBuiltByAsManyCommandsAtATimeAsAreAskedFor) {
    std::string const said = (scratch.path() / "said").string();
    std::string const tree =
        tree_with("echo \"$$MAKEFLAGS\" > " + said + " && cp given/kernel given/kernel.map kernel");
    scratch.copy(VMCHECK_KERNELS "/vintage-2024/kernel", "tree/given/kernel");
    for (std::string const jobs : {"1", "3"}) {
        Result const result =
            vmcheck({"verify", tree, "--trust-trees", "--rebuild", "--runs", "1", "--jobs", jobs}, scratch.path());
        EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
        std::string flags;
        std::getline(std::ifstream(said) >> std::ws, flags);
        EXPECT_THAT(flags, HasSubstr("-j" + jobs));
    }
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
        "riscv64-unknown-elf-gcc -Wall -Werror -c -o main.o kernel/main.c && cp given/kernel given/kernel.map kernel");
    scratch.copy(VMCHECK_KERNELS "/vintage-2024/kernel", "tree/given/kernel");
    scratch.file("tree/kernel/main.c", "int main(void) { int unused; return 0; }\n");
    EXPECT_EQ(vmcheck({"verify", tree, "--runs", "50"}, scratch.path()).exit_code, 0);
}

// What the build has made before is there to be written again, in the copy.
TEST_F(SourceTree, ThatMayOnlyBeReadIsBuilt) {
    std::string const tree = tree_with("echo new > kernel/kernel.asm && cp given/kernel given/kernel.map kernel");
    scratch.copy(VMCHECK_KERNELS "/vintage-2024/kernel", "tree/given/kernel");
    scratch.file("tree/kernel/kernel.asm", "old");
    shell("chmod -R a-w " + tree);
    Result const result = vmcheck({"verify", tree, "--runs", "1", "--no-pressure", "--no-harts"}, scratch.path());
    shell("chmod -R u+w " + tree);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(read(fs::path(tree) / "kernel/kernel.asm"), "old");
}

TEST_F(SourceTree, IsNamedWhereItCannotBeReadAndNeedsToBe) {
    std::string const tree = tree_with("cp given/kernel given/kernel.map kernel");
    scratch.copy(VMCHECK_KERNELS "/vintage-2024/kernel", "tree/given/kernel");
    auto const verified_without = [&](std::string const& folder) {
        fs::create_directories(fs::path(tree) / folder);
        ShellResult result = shell("cd " + scratch.path().string() + " && chmod 000 tree/" + folder + " && " +
                                   without_rights(scratch.path()) +
                                   VMCHECK_BINARY " verify tree --runs 1 --no-pressure --no-harts 2>&1");
        shell("chmod 755 " + tree + "/" + folder);
        if (result.exit_code == 126 || result.exit_code == 127) result.said = "SKIP";  // may not see this program
        return result;
    };
    ShellResult const needless = verified_without("notes");
    if (needless.said == "SKIP") GTEST_SKIP() << "SKIP: nobody else may run this program";
    EXPECT_EQ(needless.exit_code, 0) << needless.said;
    ShellResult const needed = verified_without("given");
    EXPECT_EQ(needed.exit_code, 3) << "it is not said that it does not build";
    EXPECT_THAT(needed.said, HasSubstr("/tree/given: Permission denied"));
}

// ---- what the tree says of itself

class OtherTree : public SourceTree {
  protected:
    // A tree that makes one of our kernels by `rule`, with `more` in its Makefile.
    std::string tree_of(std::string const& kernel, std::string const& rule = "kernel/kernel",
                        std::string const& more = "") const {
        fs::create_directories(scratch.path() / "tree" / "kernel");
        scratch.copy(std::string(VMCHECK_KERNELS "/") + kernel + "/kernel", "tree/given/kernel");
        scratch.file("tree/Makefile", rule + ":\n\tmkdir -p " + fs::path(rule).parent_path().string() +
                                          " && cp given/kernel $@ && cp given/kernel.map $@.map\n" + more);
        return (scratch.path() / "tree").string();
    }
    nlohmann::json session(std::string const& tree) const {
        Result const result = vmcheck({"verify", tree, "--runs", "64", "--json"}, scratch.path());
        EXPECT_EQ(result.exit_code, 0) << result.err;
        return session_of(result);
    }
};

TEST_F(OtherTree, OfALabThatWasNotDoneIsToldSoFirst) {
    std::string const tree = tree_of("eager-eager");
    for (auto const& [lab, signature, story] :
         {std::tuple{"cow", "I8 fork", "copy-on-write is not implemented: fork copied 6 pages."},
          std::tuple{"lazy", "I8 sbrk", "lazy allocation is not implemented: sbrk mapped 3 pages at once."}}) {
        fs::create_directories(scratch.path() / "tree" / "conf");
        scratch.file("tree/conf/lab.mk", std::string("LAB=") + lab + "\n");
        Result const result = vmcheck({"verify", tree, "--runs", "64", "--json"}, scratch.path());
        ASSERT_EQ(result.exit_code, 1) << result.err;
        auto const session = session_of(result);
        ASSERT_EQ(session.at("findings").size(), 1U) << "otherwise it is held to what it does";
        EXPECT_EQ(session.at("findings").at(0).at("signature"), signature);
        EXPECT_EQ(session.at("findings").at(0).at("story"), story);
        EXPECT_FALSE(session.at("findings").at(0).at("look_at").empty());
        EXPECT_EQ(session.at("profile"), "eager fork, eager sbrk");
        Result const replay = vmcheck({"replay", "--kernel", tree, "findings"}, scratch.path());
        EXPECT_EQ(replay.exit_code, 1) << replay.out;
        fs::remove_all(scratch.path() / "findings");
    }
    scratch.file("tree/conf/lab.mk", "LAB=util\n");
    EXPECT_TRUE(session(tree).at("findings").empty());
}

TEST_F(OtherTree, OfALabThatWasDoneHasNothingToBeFound) {
    std::string const tree = tree_of("cow-eager");
    fs::create_directories(scratch.path() / "tree" / "conf");
    scratch.file("tree/conf/lab.mk", "LAB=cow\n");
    EXPECT_EQ(session(tree).at("profile"), "cow fork, eager sbrk");
}

TEST_F(OtherTree, IsBuiltByTheRuleForWhatItsMachineRuns) {
    std::string const tree = tree_of("vintage-2024", "build/os.elf",
                                     "B = build\nqemu:\n\tqemu-system-riscv64 -machine virt -kernel $(B)/os.elf\n");
    EXPECT_EQ(session(tree).at("kernel"), tree);
}

TEST_F(OtherTree, SaysHowMuchMemoryItsMachineHas) {
    std::string const tree = tree_of("variants/ram-256", "kernel/kernel", "QEMUOPTS = -machine virt -m 256M -smp 3\n");
    Result const result = vmcheck({"verify", tree, "--runs", "64"}, scratch.path());
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr(" 256 MiB "));
}

TEST_F(OtherTree, WithAnotherFileSystemHasItsDiskMadeByItsOwnMkfs) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "the mkfs is ours with a sanitizer, which needs more addresses than a sandbox gives";
#endif
    std::string const tree = tree_of("variants/other-file-system");
    fs::create_directories(scratch.path() / "tree" / "mkfs");
    scratch.copy(VMCHECK_MKFS, "tree/mkfs/given");
    fs::path const escaped = scratch.path() / "escaped";
    // Ours, and then another magic number: the first byte of block 1.
    auto const mkfs = [&](std::string const& files) {
        scratch.file("tree/mkfs/mkfs.sh", "#!/bin/sh\necho > " + escaped.string() + "\nset -e\n${0%mkfs}given \"$1\" " +
                                              files + "\nprintf A | dd of=\"$1\" bs=1 seek=1024 conv=notrunc\n");
    };
    mkfs("data=data init=_init large=_large broken=_broken");
    scratch.file("tree/Makefile",
                 read(scratch.path() / "tree" / "Makefile") + "mkfs/mkfs: mkfs/mkfs.sh\n\tcp $< $@ && chmod +x $@\n");
    EXPECT_TRUE(session(tree).at("missing").empty());
    EXPECT_TRUE(!base::try_sandbox() || !fs::exists(escaped)) << "its mkfs is in a sandbox too";
    // Where there is no room for more, /init does.
    mkfs("data=data init=_init");
    EXPECT_THAT(session(tree).at("missing").dump(), HasSubstr("exec is checked with /init alone"));
    mkfs("${4:+--} data=data init=_init");
    EXPECT_THAT(session(tree).at("missing").dump(), HasSubstr("exec is checked with /init alone"));
    fs::remove(scratch.path() / "tree" / "mkfs" / "mkfs.sh");
    Result const without = vmcheck({"verify", tree}, scratch.path());
    EXPECT_EQ(without.exit_code, 4);
    EXPECT_THAT(without.err, HasSubstr("the disk holds none"));
}

TEST_F(OtherTree, WhoseMkfsTakesTheDiskIsEnded) {
    std::string const tree = tree_of("variants/other-file-system");
    scratch.file("tree/mkfs/mkfs.sh", "#!/bin/sh\ntruncate -s 400M one two\nsleep 60\n");
    scratch.file("tree/Makefile",
                 read(scratch.path() / "tree" / "Makefile") + "mkfs/mkfs: mkfs/mkfs.sh\n\tcp $< $@ && chmod +x $@\n");
    auto const start = std::chrono::steady_clock::now();
    EXPECT_EQ(vmcheck({"verify", tree}, scratch.path()).exit_code, 4);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{20});
}

TEST_F(OtherTree, HasItsOwnNumbersOfSystemCallsAndSaysWhichAreNeverCalled) {
    std::string const tree = tree_of("variants/other-call-numbers");
    std::string numbers;
    int number = 31;
    for (char const* name :
         {"fork",  "exit",   "wait", "pipe",  "read",  "kill",   "exec", "fstat", "chdir", "dup",  "getpid", "sbrk",
          "sleep", "uptime", "open", "write", "mknod", "unlink", "link", "mkdir", "close", "mmap", "munmap"})
        numbers += std::string("#define SYS_") + name + "  " + std::to_string(number++) + "\n";
    scratch.file("tree/kernel/syscall.h", numbers);
    Result const result = vmcheck({"verify", tree, "--runs", "64"}, scratch.path());
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("never called: mmap, munmap"));
    EXPECT_THAT(result.out, HasSubstr("missing   No step calls mmap, munmap."));
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
    std::string const time = "1000." + std::to_string(::getpid());
    std::string const tree = tree_with(GetParam().recipe + (" sleep " + time) + "; sleep " + time);
    auto const started = [&] { return !running("sleep" + std::string(1, '\0') + time).empty(); };
    base::Child process = start_vmcheck({"verify", tree}, scratch.path());
    constexpr int kTries = 1000;
    for (int i = 0; i < kTries && !started(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds{20});
    ASSERT_TRUE(started());
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
    EXPECT_THAT(result.err, testing::MatchesRegex("(no sandbox: .*\n)?vmcheck: .*interrupted.*\n"));
    EXPECT_TRUE(fs::is_empty(scratch.path() / "tmp")) << "the scratch copy stays";
}

// With Ctrl-C, with `timeout`; and of a student who would rather not be stopped.
INSTANTIATE_TEST_SUITE_P(By, HangingBuild,
                         testing::Values(Ending{"SIGINT", SIGINT, ""}, Ending{"SIGTERM", SIGTERM, ""},
                                         Ending{"deaf_to_SIGINT", SIGINT, "trap '' INT TERM HUP;"}),
                         [](auto const& parameter) { return std::string(parameter.param.name); });

}  // namespace
}  // namespace vmcheck::e2e
