#include "checker/class/outcome.h"

#include "checker/report/json.h"
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

std::string report_of(std::vector<report::Session> const& sessions) {
    return report::json_document(sessions);
}

report::Session one_defect() {
    return report::testing::session_with({report::testing::parent_keeps_w()});
}

report::Session flaky() {
    report::Finding finding = report::testing::parent_keeps_w();
    finding.reproduced = 0;
    return report::testing::session_with({finding});
}

TEST(Outcome, OfADefectNamesIt) {
    Outcome const outcome = outcome_of(exits(1), report_of({one_defect()}), "");
    EXPECT_EQ(outcome.verdict, Verdict::defects);
    ASSERT_EQ(outcome.defects(), 1U);
    EXPECT_EQ(outcome.gravest()->heading, "I3 isolation · at fork");
    EXPECT_EQ(outcome.gravest()->rank, "isolation");
    EXPECT_THAT(outcome.gravest()->story, HasSubstr("PTE_W"));
    EXPECT_FALSE(outcome.profile.empty());
}

TEST(Outcome, AdviceAndFlakyFindingsAreNoDefects) {
    report::Session advice = one_defect();
    advice.findings.front().severity = report::Severity::advice;
    Outcome const advised = outcome_of(exits(0), report_of({advice}), "");
    EXPECT_EQ(advised.verdict, Verdict::nothing_found);
    EXPECT_EQ(advised.found.size(), 1U);
    Outcome const once = outcome_of(exits(5), report_of({flaky()}), "");
    EXPECT_EQ(once.verdict, Verdict::not_reproducible);
    EXPECT_EQ(once.defects(), 0U);
}

TEST(Outcome, ADefectComesBeforeWhatDidNotComeBack) {
    Outcome const outcome = outcome_of(exits(1), report_of({flaky(), one_defect()}), "");
    ASSERT_EQ(outcome.found.size(), 2U);
    EXPECT_TRUE(outcome.gravest()->is_defect());
}

TEST(Outcome, OfAKernelThatIsWrongRightAfterBootIsADefect) {
    report::Session boot = report::testing::session_with({});
    boot.boot_violations = report::testing::parent_keeps_w().divergence.violations;
    Outcome const outcome = outcome_of(exits(1), report_of({boot}), "");
    EXPECT_EQ(outcome.verdict, Verdict::defects);
    EXPECT_THAT(outcome.gravest()->heading, HasSubstr("right after boot"));
}

TEST(Outcome, OfABuildThatFailsIsItsFirstComplaint) {
    Outcome const outcome = outcome_of(exits(4), std::nullopt,
                                       "vmcheck: class/bob: the kernel does not build:\n"
                                       "    kernel/vm.c:3:9: error: 'sorry' undeclared\n    make: *** Error 1\n");
    EXPECT_EQ(outcome.verdict, Verdict::does_not_build);
    EXPECT_EQ(outcome.message, "kernel/vm.c:3:9: error: 'sorry' undeclared");
}

TEST(Outcome, OfAKernelThatDoesNotBootSaysWhyWithoutThePathOfAScratchCopy) {
    Outcome const outcome = outcome_of(
        exits(4), std::nullopt, "noise\nvmcheck: /tmp/x/kernel: the kernel did not reach user mode: panic: boo.\n");
    EXPECT_EQ(outcome.verdict, Verdict::does_not_boot);
    EXPECT_EQ(outcome.message, "the kernel did not reach user mode: panic: boo.");
}

TEST(Outcome, OfAProblemOfTheMachineIsNotTheStudents) {
    Outcome const disk = outcome_of(exits(3), std::nullopt, "vmcheck: out/bob: cannot be written: no space.\n");
    EXPECT_EQ(disk.verdict, Verdict::could_not_run);
    EXPECT_EQ(disk.message, "out/bob: cannot be written: no space.");
    Outcome const make = outcome_of(exits(4), std::nullopt, "vmcheck: class/bob: make cannot be run; install make.\n");
    EXPECT_EQ(make.verdict, Verdict::could_not_run);
    EXPECT_FALSE(is_lasting(make));
}

TEST(Outcome, OfACrashNamesTheSignal) {
    Outcome const outcome = outcome_of({std::nullopt, SIGSEGV, Cut::no}, std::nullopt, "");
    EXPECT_EQ(outcome.verdict, Verdict::crashed);
    EXPECT_THAT(outcome.message, HasSubstr("Segmentation fault"));
    EXPECT_FALSE(is_lasting(outcome));
}

TEST(Outcome, AReportThatIsMissingOrCutShortIsACrashAndNoVerdict) {
    std::string const whole = report_of({one_defect()});
    for (std::optional<std::string> const& report :
         {std::optional<std::string>{}, std::optional{whole.substr(0, whole.size() / 2)},
          std::optional<std::string>{"{\"vmcheck\": 2, \"sessions\": []}"}})
        for (int code : {0, 1, 5}) EXPECT_EQ(outcome_of(exits(code), report, "").verdict, Verdict::crashed);
}

TEST(Outcome, AtTheTimeLimitKeepsWhatItHas) {
    report::Session nothing = report::testing::session_with({});
    nothing.interrupted = true;
    Outcome const quiet = outcome_of(exits(0, Cut::time_limit), report_of({nothing}), "");
    EXPECT_EQ(quiet.verdict, Verdict::timed_out);
    EXPECT_EQ(quiet.programs, nothing.counts.programs);
    Outcome const found = outcome_of(exits(1, Cut::time_limit), report_of({one_defect()}), "");
    EXPECT_EQ(found.verdict, Verdict::defects);
    EXPECT_TRUE(found.timed_out);
    Outcome const killed = outcome_of({std::nullopt, SIGKILL, Cut::time_limit}, std::nullopt, "");
    EXPECT_EQ(killed.verdict, Verdict::timed_out);
    EXPECT_THAT(killed.message, HasSubstr("left no report"));
}

TEST(Outcome, InterruptedIsNoVerdictWhoeverDidIt) {
    report::Session half = one_defect();
    half.interrupted = true;
    for (Outcome const& outcome :
         {outcome_of(exits(1), report_of({half}), ""), outcome_of(exits(1, Cut::interrupt), report_of({half}), ""),
          outcome_of({std::nullopt, SIGKILL, Cut::interrupt}, std::nullopt, "")}) {
        EXPECT_EQ(outcome.verdict, Verdict::interrupted);
        EXPECT_FALSE(is_lasting(outcome));
    }
}

RC_GTEST_PROP(OutcomeProperty, IsReadFromEveryReport, ()) {
    report::Session const session = *report::testing::any_session();
    Outcome const outcome = outcome_of(exits(session.interrupted ? 0 : 1), report_of({session}), "");
    RC_ASSERT(outcome.verdict != Verdict::crashed);
    RC_ASSERT(outcome.found.size() == session.findings.size() + session.boot_violations.size());
}

RC_GTEST_PROP(OutcomeProperty, IsOneWhateverTheFilesHold, (std::string const& report, std::string const& log)) {
    int const code = *rc::gen::inRange(0, 256);
    std::string const name(to_string(outcome_of(exits(code), report, "vmcheck: " + log).verdict));
    RC_ASSERT(name == "crashed" || name == "does not boot" || name == "could not be run" || name == "does not build");
}

}  // namespace
}  // namespace vmcheck::classes
