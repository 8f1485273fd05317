// A student's history is searched for the commit that brought a defect: built by its own rules, and never changed.

#include "checker/e2e/command.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

#include <filesystem>
#include <string>

namespace vmcheck::e2e {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Bisect : public testing::Test {
  protected:
    // Ten commits: the seventh brings the kernel of mutant 16, and the fifth does not build.
    void SetUp() override {
        if (!base::find_program("git")) GTEST_SKIP() << "SKIP: no git here";
        git("init --quiet --initial-branch=main");
        for (int number = 1; number <= 10; ++number) {
            scratch.copy(
                number < 7 ? VMCHECK_KERNELS "/cow-lazy/kernel" : VMCHECK_KERNELS "/mutants/16-parent-keeps-w/kernel",
                "tree/given/kernel");
            scratch.file("tree/Makefile", std::string("kernel/kernel: kernel/main.c\n\t") +
                                              (number == 5 ? "false" : "cp given/kernel given/kernel.map kernel") +
                                              "\n");
            scratch.file("tree/kernel/main.c", "int step = " + std::to_string(number) + ";\n");
            git("add .");
            git("commit --quiet -m 'step " + std::to_string(number) + "'");
        }
        scratch.file("finding.vmc", "vmcheck 1\nprofile cow lazy\np0 fork p1\n");
    }
    void git(std::string const& words) const {
        fs::create_directories(scratch.path() / "tree");
        ShellResult const ran =
            shell("cd " + (scratch.path() / "tree").string() +
                  " && GIT_CONFIG_GLOBAL=/dev/null git -c user.name='A Student' -c user.email=a@b " + words + " 2>&1");
        ASSERT_EQ(ran.exit_code, 0) << words << ": " << ran.said;
    }

    Scratch scratch;
};

TEST_F(Bisect, NamesTheCommitAndShowsWhatItChanged) {
    Result const result = vmcheck({"bisect", "tree", "finding.vmc"}, scratch.path());
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, testing::ContainsRegex("first bad commit: [0-9a-f]+ \"step 7\", by A Student"));
    EXPECT_THAT(result.out, HasSubstr("-int step = 6;\n+int step = 7;\n"));
    EXPECT_EQ(shell("cd " + scratch.path().string() + "/tree && git status --short").said, "");
}

TEST_F(Bisect, SkipsWhatDoesNotBuild) {
    Result const result =
        vmcheck({"bisect", "tree", "finding.vmc", "--bad", "HEAD~3", "--good", "HEAD~7"}, scratch.path());
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, testing::ContainsRegex("skip .*\"step 5\": does not build"));
    EXPECT_THAT(result.out, testing::ContainsRegex("first bad commit: [0-9a-f]+ \"step 7\""));
}

TEST_F(Bisect, DoesNotTakeARunWithoutAnEndForOneThatPasses) {
    scratch.copy(VMCHECK_KERNELS "/variants/slow-fork/kernel", "tree/given/kernel");
    git("commit --quiet -a -m 'step 11'");
    scratch.file("finding.vmc", "vmcheck 1\nprofile cow eager\np0 sbrk +500p\np0 touch heap 500\np0 fork p1\n");
    Result const result = vmcheck({"bisect", "tree", "finding.vmc"}, scratch.path());
    EXPECT_EQ(result.exit_code, 4) << result.out;
    EXPECT_THAT(result.err, HasSubstr("tree, as committed: the program was not run to its end"));
}

TEST_F(Bisect, SaysWhatCannotBeSearched) {
    auto const complaint = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {"bisect", "tree", "finding.vmc"});
        Result const result = vmcheck(words, scratch.path());
        EXPECT_EQ(result.exit_code, 2) << result.out;
        return result.err;
    };
    EXPECT_THAT(complaint({"--good", "HEAD~1"}), HasSubstr("\"step 9\" is bad already"));
    EXPECT_THAT(complaint({"--bad", "HEAD~4"}), HasSubstr("\"step 6\" does not fail so"));
    EXPECT_THAT(complaint({"--good", "nobody"}), HasSubstr("nobody: is no commit of this repository"));
    scratch.file("finding.vmc", "nonsense");
    EXPECT_THAT(complaint({}), HasSubstr("finding.vmc: "));
    fs::remove_all(scratch.path() / "tree" / ".git");
    scratch.file("finding.vmc", "vmcheck 1\nprofile cow lazy\np0 fork p1\n");
    EXPECT_THAT(complaint({}), HasSubstr("is in no git repository"));
}

}  // namespace
}  // namespace vmcheck::e2e
