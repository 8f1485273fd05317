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
    TreeResult const result = result_of(exits(1), report_of({one_defect()}));
    EXPECT_EQ(result.verdict, TreeVerdict::defects);
    ASSERT_EQ(result.defects(), 1U);
    EXPECT_EQ(result.gravest()->heading, "fork leaves a shared page writable");
    EXPECT_EQ(result.gravest()->cause, "fork-leaves-shared-page-writable");
    EXPECT_EQ(result.gravest()->rank, "isolation");
    EXPECT_THAT(result.gravest()->story, HasSubstr("PTE_W"));
    EXPECT_FALSE(result.profile.empty());
}

TEST(TreeResult, AdviceAndFlakyFindingsAreNoDefects) {
    SessionResult advice = one_defect();
    advice.findings.front().severity = Severity::advice;
    TreeResult const advised = result_of(exits(0), report_of({advice}));
    EXPECT_EQ(advised.verdict, TreeVerdict::nothing_found);
    EXPECT_EQ(advised.found.size(), 1U);
    TreeResult const once = result_of(exits(5), report_of({flaky()}));
    EXPECT_EQ(once.verdict, TreeVerdict::not_reproducible);
    EXPECT_EQ(once.defects(), 0U);
}

TEST(TreeResult, ADefectComesBeforeWhatDidNotComeBack) {
    TreeResult const result = result_of(exits(1), report_of({flaky(), one_defect()}));
    ASSERT_EQ(result.found.size(), 2U);
    EXPECT_TRUE(result.gravest()->is_defect());
}

TEST(TreeResult, OfAKernelThatIsWrongRightAfterBootIsADefect) {
    SessionResult boot = report::testing::session_with({});
    boot.boot_violations = report::testing::parent_keeps_w().divergence.violations;
    TreeResult const result = result_of(exits(1), report_of({boot}));
    EXPECT_EQ(result.verdict, TreeVerdict::defects);
    EXPECT_THAT(result.gravest()->heading, HasSubstr("right after boot"));
}

TreeResult stopped(int code, Stop const& stop, Cut cut = Cut::no) {
    return result_of(exits(code, cut), report::json_document({}, {.stop = stop}));
}

TEST(TreeResult, OfABuildThatFailsIsItsFirstComplaint) {
    TreeResult const result = stopped(4, {Stop::Cause::build,
                                          "the kernel does not build",
                                          "class/bob",
                                          {"kernel/vm.c:3:9: error: 'sorry' undeclared", "make: *** Error 1"}});
    EXPECT_EQ(result.verdict, TreeVerdict::does_not_build);
    EXPECT_EQ(result.message, "kernel/vm.c:3:9: error: 'sorry' undeclared");
    TreeResult const slow = stopped(4, {Stop::Cause::build, "make did not end within 120 seconds.", "class/bob"});
    EXPECT_EQ(slow.verdict, TreeVerdict::does_not_build);
    EXPECT_EQ(slow.message, "make did not end within 120 seconds.");
}

TEST(TreeResult, OfAKernelThatDoesNotBootSaysWhyWithoutThePathOfAScratchCopy) {
    for (Stop::Cause cause : {Stop::Cause::boot, Stop::Cause::unsupported}) {
        TreeResult const result =
            stopped(4, {cause, "the kernel did not reach user mode: panic: boo: x.", "/tmp/x/kernel"});
        EXPECT_EQ(result.verdict, TreeVerdict::does_not_boot);
        EXPECT_EQ(result.message, "the kernel did not reach user mode: panic: boo: x.");
    }
}

TEST(TreeResult, OfAProblemOfTheMachineIsNotTheStudents) {
    TreeResult const disk = stopped(3, {Stop::Cause::machine, "out/bob: cannot be written: no space."});
    EXPECT_EQ(disk.verdict, TreeVerdict::could_not_run);
    EXPECT_EQ(disk.message, "out/bob: cannot be written: no space.");
    TreeResult const make = stopped(3, {Stop::Cause::machine, "make cannot be run.", "class/bob"});
    EXPECT_EQ(make.verdict, TreeVerdict::could_not_run);
    EXPECT_EQ(make.message, "class/bob: make cannot be run.");
    EXPECT_FALSE(is_lasting(make));
    EXPECT_EQ(result_of(exits(3), std::nullopt).verdict, TreeVerdict::could_not_run);
}

TEST(TreeResult, OfABuildThatWasCutShortIsWhatCutIt) {
    Stop const stop{Stop::Cause::interrupted, "interrupted while its kernel was built.", "class/bob"};
    EXPECT_EQ(stopped(130, stop, Cut::time_limit).verdict, TreeVerdict::timed_out);
    EXPECT_EQ(stopped(130, stop, Cut::time_limit).message, "class/bob: interrupted while its kernel was built.");
    EXPECT_EQ(stopped(130, stop, Cut::interrupt).verdict, TreeVerdict::interrupted);
    EXPECT_EQ(stopped(130, stop).verdict, TreeVerdict::interrupted);
}

TEST(TreeResult, OfACrashNamesTheSignal) {
    TreeResult const result = result_of({std::nullopt, SIGSEGV, Cut::no}, std::nullopt);
    EXPECT_EQ(result.verdict, TreeVerdict::crashed);
    EXPECT_THAT(result.message, HasSubstr("Segmentation fault"));
    EXPECT_FALSE(is_lasting(result));
}

TEST(TreeResult, AReportThatIsMissingOrCutShortIsACrashAndNoVerdict) {
    std::string const whole = report_of({one_defect()});
    for (std::optional<std::string> const& report :
         {std::optional<std::string>{}, std::optional{whole.substr(0, whole.size() / 2)},
          std::optional<std::string>{"{\"vmcheck\": 2, \"sessions\": [], \"stopped\": null}"}})
        for (int code : {0, 1, 4, 5}) EXPECT_EQ(result_of(exits(code), report).verdict, TreeVerdict::crashed);
}

TEST(TreeResult, AtTheTimeLimitKeepsWhatItHas) {
    SessionResult nothing = report::testing::session_with({});
    nothing.interrupted = true;
    TreeResult const quiet = result_of(exits(0, Cut::time_limit), report_of({nothing}));
    EXPECT_EQ(quiet.verdict, TreeVerdict::timed_out);
    EXPECT_EQ(quiet.programs, nothing.counts.programs);
    TreeResult const found = result_of(exits(1, Cut::time_limit), report_of({one_defect()}));
    EXPECT_EQ(found.verdict, TreeVerdict::defects);
    EXPECT_TRUE(found.timed_out);
    TreeResult const killed = result_of({std::nullopt, SIGKILL, Cut::time_limit}, std::nullopt);
    EXPECT_EQ(killed.verdict, TreeVerdict::timed_out);
    EXPECT_THAT(killed.message, HasSubstr("left no report"));
}

TEST(TreeResult, InterruptedIsNoVerdictWhoeverDidIt) {
    SessionResult half = one_defect();
    half.interrupted = true;
    for (TreeResult const& result :
         {result_of(exits(1), report_of({half})), result_of(exits(1, Cut::interrupt), report_of({half})),
          result_of({std::nullopt, SIGKILL, Cut::interrupt}, std::nullopt), result_of(exits(130), std::nullopt)}) {
        EXPECT_EQ(result.verdict, TreeVerdict::interrupted);
        EXPECT_FALSE(is_lasting(result));
    }
}

RC_GTEST_PROP(TreeResultProperty, IsReadFromEveryReport, ()) {
    SessionResult const session = *report::testing::any_session();
    TreeResult const result = result_of(exits(session.interrupted ? 0 : 1), report_of({session}));
    RC_ASSERT(result.verdict != TreeVerdict::crashed);
    RC_ASSERT(result.found.size() == session.findings.size() + session.boot_violations.size());
}

RC_GTEST_PROP(TreeResultProperty, IsOneWhateverTheFilesHold, (std::string const& report)) {
    int const code = *rc::gen::inRange(0, 256);
    std::string const name(to_string(result_of(exits(code), report).verdict));
    RC_ASSERT(name == "crashed" || name == "could not be run" || name == "interrupted");
}

}  // namespace
}  // namespace vmcheck::classes
