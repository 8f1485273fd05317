#include "checker/class/tree_result.h"

#include "checker/report/format.h"
#include "checker/report/sample_testing.h"

#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <gmock/gmock.h>

#include <csignal>

namespace vmcheck::classes {
namespace {

using ::testing::HasSubstr;

Ending exits(int code, Cut cut = Cut::no) {
    return {code, 0, cut};
}

std::string report_of(std::vector<SessionResult> const& sessions) {
    return report::json_document(sessions);
}

SessionResult one_defect() {
    return report::testing::session_with({report::testing::parent_keeps_w()});
}

SessionResult flaky() {
    Finding finding = report::testing::parent_keeps_w();
    finding.reproduced = 0;
    return report::testing::session_with({finding});
}

TEST(TreeResult, OfADefectNamesIt) {
    TreeResult const result = result_of(exits(1), report_of({one_defect()}), "");
    EXPECT_EQ(result.verdict, TreeVerdict::defects);
    ASSERT_EQ(result.defects(), 1U);
    EXPECT_EQ(result.gravest()->heading, "I3 isolation · at fork");
    EXPECT_EQ(result.gravest()->rank, "isolation");
    EXPECT_THAT(result.gravest()->story, HasSubstr("PTE_W"));
    EXPECT_FALSE(result.profile.empty());
}

TEST(TreeResult, AdviceAndFlakyFindingsAreNoDefects) {
    SessionResult advice = one_defect();
    advice.findings.front().severity = Severity::advice;
    TreeResult const advised = result_of(exits(0), report_of({advice}), "");
    EXPECT_EQ(advised.verdict, TreeVerdict::nothing_found);
    EXPECT_EQ(advised.found.size(), 1U);
    TreeResult const once = result_of(exits(5), report_of({flaky()}), "");
    EXPECT_EQ(once.verdict, TreeVerdict::not_reproducible);
    EXPECT_EQ(once.defects(), 0U);
}

TEST(TreeResult, ADefectComesBeforeWhatDidNotComeBack) {
    TreeResult const result = result_of(exits(1), report_of({flaky(), one_defect()}), "");
    ASSERT_EQ(result.found.size(), 2U);
    EXPECT_TRUE(result.gravest()->is_defect());
}

TEST(TreeResult, OfAKernelThatIsWrongRightAfterBootIsADefect) {
    SessionResult boot = report::testing::session_with({});
    boot.boot_violations = report::testing::parent_keeps_w().divergence.violations;
    TreeResult const result = result_of(exits(1), report_of({boot}), "");
    EXPECT_EQ(result.verdict, TreeVerdict::defects);
    EXPECT_THAT(result.gravest()->heading, HasSubstr("right after boot"));
}

TEST(TreeResult, OfABuildThatFailsIsItsFirstComplaint) {
    TreeResult const result = result_of(exits(4), std::nullopt,
                                        "vmcheck: class/bob: the kernel does not build:\n"
                                        "    kernel/vm.c:3:9: error: 'sorry' undeclared\n    make: *** Error 1\n");
    EXPECT_EQ(result.verdict, TreeVerdict::does_not_build);
    EXPECT_EQ(result.message, "kernel/vm.c:3:9: error: 'sorry' undeclared");
}

TEST(TreeResult, OfAKernelThatDoesNotBootSaysWhyWithoutThePathOfAScratchCopy) {
    TreeResult const result = result_of(
        exits(4), std::nullopt, "noise\nvmcheck: /tmp/x/kernel: the kernel did not reach user mode: panic: boo.\n");
    EXPECT_EQ(result.verdict, TreeVerdict::does_not_boot);
    EXPECT_EQ(result.message, "the kernel did not reach user mode: panic: boo.");
}

TEST(TreeResult, OfAProblemOfTheMachineIsNotTheStudents) {
    TreeResult const disk = result_of(exits(3), std::nullopt, "vmcheck: out/bob: cannot be written: no space.\n");
    EXPECT_EQ(disk.verdict, TreeVerdict::could_not_run);
    EXPECT_EQ(disk.message, "out/bob: cannot be written: no space.");
    TreeResult const make = result_of(exits(3), std::nullopt, "vmcheck: class/bob: make cannot be run.\n");
    EXPECT_EQ(make.verdict, TreeVerdict::could_not_run);
    EXPECT_FALSE(is_lasting(make));
}

TEST(TreeResult, OfACrashNamesTheSignal) {
    TreeResult const result = result_of({std::nullopt, SIGSEGV, Cut::no}, std::nullopt, "");
    EXPECT_EQ(result.verdict, TreeVerdict::crashed);
    EXPECT_THAT(result.message, HasSubstr("Segmentation fault"));
    EXPECT_FALSE(is_lasting(result));
}

TEST(TreeResult, AReportThatIsMissingOrCutShortIsACrashAndNoVerdict) {
    std::string const whole = report_of({one_defect()});
    for (std::optional<std::string> const& report :
         {std::optional<std::string>{}, std::optional{whole.substr(0, whole.size() / 2)},
          std::optional<std::string>{"{\"vmcheck\": 2, \"sessions\": []}"}})
        for (int code : {0, 1, 5}) EXPECT_EQ(result_of(exits(code), report, "").verdict, TreeVerdict::crashed);
}

TEST(TreeResult, AtTheTimeLimitKeepsWhatItHas) {
    SessionResult nothing = report::testing::session_with({});
    nothing.interrupted = true;
    TreeResult const quiet = result_of(exits(0, Cut::time_limit), report_of({nothing}), "");
    EXPECT_EQ(quiet.verdict, TreeVerdict::timed_out);
    EXPECT_EQ(quiet.programs, nothing.counts.programs);
    TreeResult const found = result_of(exits(1, Cut::time_limit), report_of({one_defect()}), "");
    EXPECT_EQ(found.verdict, TreeVerdict::defects);
    EXPECT_TRUE(found.timed_out);
    TreeResult const killed = result_of({std::nullopt, SIGKILL, Cut::time_limit}, std::nullopt, "");
    EXPECT_EQ(killed.verdict, TreeVerdict::timed_out);
    EXPECT_THAT(killed.message, HasSubstr("left no report"));
}

TEST(TreeResult, InterruptedIsNoVerdictWhoeverDidIt) {
    SessionResult half = one_defect();
    half.interrupted = true;
    for (TreeResult const& result :
         {result_of(exits(1), report_of({half}), ""), result_of(exits(1, Cut::interrupt), report_of({half}), ""),
          result_of({std::nullopt, SIGKILL, Cut::interrupt}, std::nullopt, ""),
          result_of(exits(130), std::nullopt, "")}) {
        EXPECT_EQ(result.verdict, TreeVerdict::interrupted);
        EXPECT_FALSE(is_lasting(result));
    }
}

RC_GTEST_PROP(TreeResultProperty, IsReadFromEveryReport, ()) {
    SessionResult const session = *report::testing::any_session();
    TreeResult const result = result_of(exits(session.interrupted ? 0 : 1), report_of({session}), "");
    RC_ASSERT(result.verdict != TreeVerdict::crashed);
    RC_ASSERT(result.found.size() == session.findings.size() + session.boot_violations.size());
}

RC_GTEST_PROP(TreeResultProperty, IsOneWhateverTheFilesHold, (std::string const& report, std::string const& log)) {
    int const code = *rc::gen::inRange(0, 256);
    std::string const name(to_string(result_of(exits(code), report, "vmcheck: " + log).verdict));
    RC_ASSERT(name == "crashed" || name == "does not boot" || name == "could not be run" || name == "does not build" ||
              name == "interrupted");
}

}  // namespace
}  // namespace vmcheck::classes
