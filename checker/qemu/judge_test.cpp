#include "checker/qemu/judge.h"

#include "checker/qemu/trial.h"

#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <gmock/gmock.h>

namespace vmcheck::qemu {
namespace {

using End = base::RunResult::End;
using State = QemuVerdict::State;
using testing::HasSubstr;
using testing::StartsWith;

std::string verdict(std::string const& console, End end = End::enough) {
    return describe(judge({.end = end, .output = console}, std::chrono::seconds{60}));
}

std::string const kStart = "xv6 kernel is booting\n\nvmcheck: init runs\n";

TEST(Judge, PassIsNotConfirmed) {
    EXPECT_EQ(verdict(kStart + "PASS\nvmcheck: repro ended with status 0\n"), "not confirmed: prints PASS");
}

TEST(Judge, FailPanicAndSilenceConfirm) {
    EXPECT_EQ(verdict(kStart + "FAIL: p0 must survive\n"), "confirmed: prints \"FAIL: p0 must survive\"");
    EXPECT_EQ(verdict(kStart + "panic: remap\n"), "confirmed: the kernel panics: remap");
    EXPECT_EQ(verdict(kStart, End::out_of_time), "confirmed: no answer within 60 s (hang)");
    EXPECT_EQ(verdict(kStart + "vmcheck: repro ended with status -1\n"),
              "confirmed: ends with status -1, without the PASS of a correct kernel");
    EXPECT_THAT(verdict(kStart + "what? what? ", End::too_much_output), StartsWith("confirmed: the kernel prints"));
}

TEST(Judge, WhatGoesWrongAfterPassConfirmsAsWell) {
    EXPECT_EQ(verdict(kStart + "PASS\npanic: freewalk: leaf\n"), "confirmed: the kernel panics: freewalk: leaf");
    EXPECT_EQ(verdict(kStart + "PASS\n", End::out_of_time),
              "confirmed: prints PASS, but does not end within 60 s (hang)");
}

TEST(Judge, WhatIsKnownNeverToEndIsNotWaitedForAsLongAsAnythingElse) {
    Finding finding;
    finding.family.symptom = run::Symptom::no_end;
    EXPECT_LE(time_for(finding), std::chrono::seconds{20});
    finding.family.symptom = run::Symptom::died;
    EXPECT_EQ(time_for(finding), kTrialTime);
}

TEST(Judge, TheKernelsOwnWordsMayStandInTheSameLine) {
    EXPECT_EQ(verdict(kStart + "usertrap(): FAIL: p1 must survive\n"), "confirmed: prints \"FAIL: p1 must survive\"");
}

TEST(Judge, AMachineThatNeverStartedTheProgramSaysNothingAboutIt) {
    EXPECT_THAT(verdict("xv6 kernel is booting\npanic: could not find virtio disk\n"),
                HasSubstr("could not be tried: on QEMU the kernel panics before it runs any program: could not find"));
    EXPECT_THAT(verdict("", End::out_of_time), HasSubstr("could not be tried: on QEMU the kernel does not come to"));
    EXPECT_THAT(verdict("qemu: no such file", End::exited),
                HasSubstr("the last that it printed: \"qemu: no such file"));
    EXPECT_THAT(verdict(kStart, End::stopped), HasSubstr("could not be tried: interrupted"));
    EXPECT_THAT(verdict(kStart + "vmcheck: no exec\nvmcheck: repro ended with status 1\n"), HasSubstr("cannot exec"));
    EXPECT_THAT(verdict(kStart + "vmcheck: no fork\n"), HasSubstr("first fork fails"));
}

TEST(Judge, AProgramThatCannotPrepareSaysNothingEither) {
    EXPECT_EQ(verdict(kStart + "cannot be shown: there is no /data\nvmcheck: repro ended with status 0\n"),
              "could not be tried: on this kernel there is no /data");
}

TEST(Judge, ALineThatIsNotOverDecidesNothing) {
    EXPECT_FALSE(is_decided(kStart + "panic: re"));
    EXPECT_TRUE(is_decided(kStart + "panic: remap\n"));
    EXPECT_FALSE(is_decided(kStart + "PASS\n")) << "the kernel may still panic when the program ends";
    EXPECT_TRUE(is_decided(kStart + "PASS\nvmcheck: repro ended with status 0\n"));
}

RC_GTEST_PROP(JudgeProperty, OnlyAProgramThatPassedAndEndedIsNotConfirmed, (std::string const& noise)) {
    auto const run = base::RunResult{.end = End::enough, .output = kStart + noise};
    bool const passed = noise.find("PASS\n") != std::string::npos;
    RC_ASSERT(passed || judge(run, std::chrono::seconds{1}).state != State::not_confirmed);
}

}  // namespace
}  // namespace vmcheck::qemu
