// Which findings are told as one.

#include "checker/session/mistakes.h"

#include "checker/report/sample_testing.h"
#include "spec/testing/test_setting.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

namespace vmcheck::session {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

class Mistakes : public ::testing::Test {
  protected:
    // A finding at the program's last step, in these circumstances, that ran these functions.
    Finding& found(std::string_view steps, run::Family family, std::vector<std::string> const& ran) {
        Finding finding = report::testing::finding_of(
            spec::Invariant::contents, "vmcheck 1\nprofile cow lazy\n" + std::string(steps),
            std::vector<spec::Outcome>(static_cast<std::size_t>(std::count(steps.begin(), steps.end(), '\n') - 1),
                                       report::testing::gave(0)),
            {}, report::testing::gave(0));
        finding.family = std::move(family);
        for (std::string const& function : ran)
            finding.evidence.trace.functions.push_back({function, "kernel/vm.c", 1});
        add(std::move(finding), {counts, setting}, findings);
        return findings.back();
    }

    run::Counts counts = [] {
        run::Counts many;
        many.kinds.fill(1000);
        return many;
    }();
    std::shared_ptr<spec::Setting const> setting =
        spec::testing::shared_setting({spec::ForkPolicy::cow, spec::SbrkPolicy::lazy});
    std::vector<Finding> findings;
};

using run::Symptom;
using spec::Ground;
using spec::Way;

TEST_F(Mistakes, OneFunctionThatDecidesForFaultsAndCopiesIsOne) {
    found("p0 fork p1\np1 store guard 1 = 1\n", {Symptom::no_end, Way::fault, {.grounds = Ground::no_user}},
          {"usertrap", "cowfault"});
    found("p0 fstat guard\n", {Symptom::accepted, Way::copyout, {.grounds = Ground::no_user}},
          {"usertrap", "syscall", "copyout", "cowfault"});
    ASSERT_THAT(findings, SizeIs(1));
    EXPECT_EQ(findings[0].program.steps.size(), 1U) << "the shorter one is shown";
    EXPECT_THAT(findings[0].also, SizeIs(1));
    EXPECT_EQ(findings[0].seen, 6U);
}

TEST_F(Mistakes, TwoThatDecideAreTwo) {
    found("p0 fork p1\np1 store text 1 = 1\n", {Symptom::accepted, Way::fault, {.grounds = Ground::read_only}},
          {"usertrap", "cowfault", "kalloc", "walk"});
    found("p0 fstat text\n", {Symptom::accepted, Way::copyout, {.grounds = Ground::read_only}},
          {"usertrap", "syscall", "copyout", "kalloc", "walk"});
    EXPECT_THAT(findings, SizeIs(2)) << "kalloc and walk are everybody's";
}

TEST_F(Mistakes, WhatNeedsTheTriggerOfAnotherIsItsConsequence) {
    found("p0 pipe kernel\n", {Symptom::wrong_rights, Way::copyout, {.grounds = Ground::hole}}, {"copyout"});
    found("p0 fork p1\np1 load kernel 1\np0 wait\n", {Symptom::kept, Way::end, {}}, {"freeproc"});
    EXPECT_THAT(findings, SizeIs(1));
    found("p0 fork p1\np1 exit 0\np0 wait\n", {Symptom::kept, Way::end, {}}, {"freeproc"});
    EXPECT_THAT(findings, SizeIs(2)) << "and what comes without it is not";
}

TEST_F(Mistakes, OfAStepThatAlwaysFailsNothingElseCanBeSaid) {
    counts.kinds[spec::index_of<spec::Fork>()] = 3;
    found("p0 fork p1\n", {Symptom::freed_early, Way::fork, {}}, {"uvmcopy"});
    found("p0 fork p1 !oom 3\n", {Symptom::died, Way::fork, {.refused = true}}, {"fork"});
    EXPECT_THAT(findings, SizeIs(1));
}

TEST_F(Mistakes, AFailedForkAndAForkAreTwo) {
    found("p0 fork p1\n", {Symptom::freed_early, Way::fork, {}}, {"uvmcopy"});
    found("p0 fork p1 !oom 3\n", {Symptom::kept, Way::fork, {.refused = true}}, {"uvmcopy"});
    EXPECT_THAT(findings, SizeIs(2));
}

}  // namespace
}  // namespace vmcheck::session
