#include "checker/report/text.h"

#include "checker/report/escape.h"
#include "checker/report/sample_testing.h"
#include "spec/testing/test_setting.h"
#include "spec/text.h"

#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <gmock/gmock.h>

#include <sstream>

namespace vmcheck::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Text, TellsStoryStepsPageTablePlaceAndWhatToDo) {
    Saved const saved{"findings/1-I3-fork.vmc", "../xv6-cow", "findings/1-I3-fork.c"};
    std::string const text = finding_text(testing::parent_keeps_w(), 1, 2, saved, {});
    EXPECT_THAT(
        text,
        HasSubstr("✗ 1 of 2   I3 isolation · at fork · defect · isolation · seen in 3 runs, reproduced 3 of 3 times"));
    EXPECT_THAT(text, HasSubstr("After p0's fork, p0's bss and p1's bss map one frame"));
    EXPECT_THAT(text, HasSubstr("p0   fork p1   p1                 p1   ← here"));
    EXPECT_THAT(text, HasSubstr("before step 1"));
    EXPECT_THAT(text, HasSubstr("p1 = fork();"));
    EXPECT_THAT(text, HasSubstr("Look at   uvmcopy, kernel/vm.c:318\n"));
    EXPECT_THAT(text, HasSubstr("Entered   in this order: usertrap, syscall, sys_fork"));
    EXPECT_THAT(text, HasSubstr("vmcheck replay findings/1-I3-fork.vmc --kernel ../xv6-cow\n"));
    EXPECT_THAT(text, HasSubstr("vmcheck debug findings/1-I3-fork.vmc --kernel ../xv6-cow --gdb\n"));
    EXPECT_THAT(text, HasSubstr("fork leaves a shared page writable (fork-leaves-shared-page-writable)"));
    EXPECT_THAT(text, HasSubstr("findings/1-I3-fork.c is an xv6 program"));
    EXPECT_THAT(text, Not(HasSubstr("\033")));
}

TEST(Text, NamesTheLinesThatFailuresOfTheSameKindPointAt) {
    Finding finding = testing::parent_keeps_w();
    finding.also_at = {{"copyout", "kernel/vm.c", 399}, {"uvmunmap", "kernel/vm.c", 195}};
    auto const text = [&] { return finding_text(finding, 1, 1, std::nullopt, {}); };
    EXPECT_THAT(text(), HasSubstr("Likewise  such failures also point at copyout, kernel/vm.c:399; uvmunmap, "
                                  "kernel/vm.c:195\n"));
    finding.also = {{spec::Invariant::isolation, spec::index_of<spec::Exec>()}};
    EXPECT_THAT(text(), HasSubstr("Likewise  at exec\n                such failures also point at copyout"));
    finding.also_at.clear();
    EXPECT_THAT(text(), Not(HasSubstr("also point")));
}

TEST(Text, AnIssueHasATitleAndABlockOfCode) {
    Finding finding = testing::parent_keeps_w();
    std::string const text = issue_text(finding, {"found/a.vmc", "../xv6-cow"});
    EXPECT_THAT(text, ::testing::StartsWith("# After p0's fork, p0's bss and p1's bss map one frame"));
    EXPECT_THAT(text, HasSubstr("\n\nOn ../xv6-cow, by vmcheck:\n\n    ✗ 1 of 1   I3 isolation"));
    EXPECT_THAT(text, HasSubstr("\n          Replay    vmcheck replay found/a.vmc --kernel ../xv6-cow\n"));
    std::istringstream lines(text.substr(text.find("    ✗")));
    for (std::string line; std::getline(lines, line);) EXPECT_TRUE(line.empty() || line.starts_with("    ")) << line;
    finding.reproduced = 0;
    EXPECT_THAT(issue_text(finding, {"found/a.vmc", "../xv6-cow"}),
                ::testing::StartsWith("# A program did not fail again"));
}

TEST(Text, IsShortFromTheEleventhFindingOn) {
    Saved const saved{"findings/11-I3-fork.vmc", "../xv6-cow", std::nullopt};
    std::string const text = finding_text(testing::parent_keeps_w(), 11, 12, saved, {});
    EXPECT_THAT(text, HasSubstr("fork leaves a shared page writable"));
    EXPECT_THAT(text, HasSubstr("vmcheck replay findings/11-I3-fork.vmc"));
    EXPECT_THAT(text, Not(HasSubstr("Look at")));
}

TEST(Text, HasColourOnlyWhereItIsAskedFor) {
    std::string const text = finding_text(testing::parent_keeps_w(), 1, 1, std::nullopt, {.colour = true});
    EXPECT_THAT(text, HasSubstr("\033[31m✗ 1 of 1"));
    EXPECT_THAT(text, Not(HasSubstr("Replay"))) << "nothing was saved";
}

TEST(Text, SaysWhyThereIsNoUserProgram) {
    Finding finding = testing::parent_keeps_w();
    finding.repro_c = tl::unexpected(std::string("it needs a kalloc that fails"));
    EXPECT_THAT(finding_text(finding, 1, 1, Saved{"a.vmc", "../xv6", std::nullopt}, {}),
                HasSubstr("no user program: it needs a kalloc that fails"));
    finding.on_qemu =
        QemuVerdict{QemuVerdict::State::not_tried, "no user program shows it: it needs a kalloc that fails"};
    std::string const tried = finding_text(finding, 1, 1, Saved{"a.vmc", "../xv6", std::nullopt}, {});
    EXPECT_THAT(tried, HasSubstr("On QEMU   could not be tried: no user program shows it"));
    EXPECT_THAT(tried, Not(HasSubstr("Show it"))) << "once is enough";
}

TEST(Text, SaysHowGdbShowsWhatNoUserProgramCan) {
    Finding finding = testing::parent_keeps_w();
    finding.repro_c = tl::unexpected(std::string("it needs a kalloc that fails"));
    Saved saved{"a.vmc", "../xv6", std::nullopt, {"gdb-multiarch", "-x", "a.gdb"}};
    EXPECT_THAT(finding_text(finding, 1, 1, saved, {}),
                HasSubstr("Show it   no program in C: it needs a kalloc that fails. GDB shows it on QEMU:\n"
                          "                gdb-multiarch -x a.gdb\n"));
    saved.not_built = true;
    EXPECT_THAT(finding_text(finding, 1, 1, saved, {}),
                HasSubstr("GDB shows it on QEMU, after make kernel/kernel in the tree:\n"));
}

TEST(Text, CallsAFindingThatDidNotComeBackFlaky) {
    Finding finding = testing::parent_keeps_w();
    finding.reproduced = 0;
    finding.divergence.violations.clear();
    EXPECT_THAT(finding_text(finding, 1, 1, std::nullopt, {}), HasSubstr("flaky"));
}

std::string walk_of(std::string_view steps) {
    spec::Profile const profile{spec::ForkPolicy::cow, spec::SbrkPolicy::lazy};
    auto const program = spec::parse("vmcheck 1\nprofile cow lazy\n" + std::string(steps));
    return program ? walk_text(*program, spec::testing::shared_setting(profile)) : spec::to_string(program.error());
}

TEST(Walk, SaysWhatACorrectKernelDoesAtEachStep) {
    EXPECT_EQ(walk_of("p0 fork p1\np1 store rodata 1 = 1\np0 wait\n"),
              "    1  p0 fork p1                            p1\n"
              "    2  p1 store rodata 1 = 1                 killed\n"
              "    3  p0 wait                               pid 2 (p1)\n");
}

TEST(Walk, AStepThatCannotBeAskedIsLeftOutAndSaysWhy) {
    std::string const text = walk_of("p1 load bss 1\np0 load bss 1\n");
    EXPECT_THAT(text, HasSubstr("left out: "));
    EXPECT_THAT(text, HasSubstr("    2  p0 load bss 1                         0"));
}

TEST(Walk, TakesTwoStepsThatOverlapTogether) {
    // By itself the wait would sleep for good, and be left out.
    std::string const text = walk_of("p0 fork p1\np0 wait\np1 exit 7 meanwhile\np0 fork p2\n");
    EXPECT_THAT(text, Not(HasSubstr("left out")));
    EXPECT_THAT(text, HasSubstr("(within the step before)"));
}

TEST(Walk, SaysWhichStepsMayNotOverlap) {
    std::string const text = walk_of("p0 fork p1\np1 store bss 1 = 1\np0 kill p1 meanwhile\n");
    EXPECT_THAT(text, HasSubstr("(after the step before: the two may not overlap)"));
}

RC_GTEST_PROP(TextProperty, NothingThatAKernelSaysReachesTheTerminalAsAnythingButText, ()) {
    SessionResult const session = *testing::any_session();
    for (Finding const& finding : session.findings) {
        std::string const text = finding_text(finding, 1, 1, std::nullopt, {});
        RC_ASSERT(printable(text) == text);
    }
}

}  // namespace
}  // namespace vmcheck::report
