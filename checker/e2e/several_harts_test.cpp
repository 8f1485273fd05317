// Programs on several harts, and interrupted ones: used by default, the same on any number of jobs and in a fresh
// process.

#include "checker/e2e/command.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace vmcheck::e2e {
namespace {

using nlohmann::json;

std::string const kLostUpdate = VMCHECK_KERNELS "/mutants/131-reference-dropped-without-the-lock/kernel";

TEST(SeveralHarts, AreUsedUnlessSwitchedOff) {
    Scratch const scratch;
    std::vector<std::string> arguments{"verify", "--profile", "cow+eager", "--runs", "512", "--json"};
    Result const with = vmcheck(arguments, scratch.path());
    ASSERT_EQ(with.exit_code, 0) << with.err;
    json const mode = session_of(with).at("modes").at("several harts");
    EXPECT_GT(mode.at("programs"), 40);
    // Nearly always the other hart has its turn before the step has ended.
    EXPECT_GT(mode.at("reached").get<int>(), mode.at("runs").get<int>() * 9 / 10);
    EXPECT_GT(mode.at("runs"), 500);
    arguments.push_back("--no-harts");
    Result const without = vmcheck(arguments, scratch.path());
    ASSERT_EQ(without.exit_code, 0) << without.err;
    EXPECT_EQ(session_of(without).at("modes").at("several harts").at("programs"), 0);
}

TEST(SeveralHarts, AKernelThatUsesButOneIsToldSoAndPasses) {
    Scratch const scratch;
    Result const result = vmcheck(
        {"verify", "--kernel", VMCHECK_KERNELS "/variants/one-hart/kernel", "--runs", "256", "--json"}, scratch.path());
    EXPECT_EQ(result.exit_code, 0) << result.err;
    json const session = session_of(result);
    EXPECT_EQ(session.at("modes").at("several harts").at("programs"), 0);
    EXPECT_THAT(session.at("missing").get<std::vector<std::string>>(),
                testing::IsSupersetOf({testing::HasSubstr("does not run on two harts"),
                                       testing::HasSubstr("does not run on three harts")}));
    EXPECT_THAT(result.err, testing::HasSubstr("Programs on several harts were not all run."));
    std::string const program = scratch.file("two.vmc",
                                             "vmcheck 1\nprofile cow eager\np0 fork p1\n"
                                             "p0 store data 8 = 1 @h 9\np1 store data 8 = 1 meanwhile\n");
    Result const replay =
        vmcheck({"replay", "--kernel", VMCHECK_KERNELS "/variants/one-hart/kernel", program}, scratch.path());
    EXPECT_EQ(replay.exit_code, 4);
    EXPECT_THAT(replay.err, testing::HasSubstr("two harts"));
}

TEST(SeveralHarts, MayBeThree) {
    Scratch const scratch;
    std::string const program = scratch.file("three.vmc",
                                             "vmcheck 1\nprofile cow eager\nharts 3\np0 fork p1\np0 fork p2\n"
                                             "p0 store data 8 = 1 @h 80\np1 store data 8 = 1 meanwhile\n"
                                             "p2 store data 8 = 1 @h 80\np1 exit 0 meanwhile\n");
    Result const right = vmcheck({"replay", program}, scratch.path());
    EXPECT_EQ(right.exit_code, 0) << right.out << right.err;
    EXPECT_THAT(right.out, testing::Not(testing::HasSubstr("left out")));
    // What was found on two is there on three as well.
    std::string found = read(VMCHECK_CORPUS "/regression/131-reference-dropped-without-the-lock.vmc");
    std::string const profile = "profile cow eager\n";
    found.replace(found.find(profile), profile.size(), profile + "harts 3\n");
    Result const wrong = vmcheck({"replay", "--kernel", kLostUpdate, scratch.file("found.vmc", found)}, scratch.path());
    EXPECT_EQ(wrong.exit_code, 1) << wrong.out << wrong.err;
}

// p0 sleeps when its fork has ended, so that its child comes up, and is woken by the clock of hart 0, on which that
// asks.
TEST(SeveralHarts, AreNotHeldWhereASleeperNeedsTheirClock) {
    Scratch const scratch;
    std::string const program = scratch.file("feedback.vmc",
                                             "vmcheck 1\nprofile cow eager\nharts 3\np0 wait @h 1\np0 fork p1\np0 "
                                             "pipe_write data 1 @h 1\np1 exec meanwhile\n");
    Result const result =
        vmcheck({"replay", "--kernel", VMCHECK_KERNELS "/variants/feedback-scheduler/kernel", program}, scratch.path());
    EXPECT_EQ(result.exit_code, 0) << result.out;
}

TEST(SeveralHarts, DoNotGoWithLittleMemory) {
    Scratch const scratch;
    std::string const program =
        scratch.file("both.vmc", "vmcheck 1\nprofile cow eager\nmemory 9\np0 store data 8 = 1 @h 9\n");
    Result const result = vmcheck({"replay", program}, scratch.path());
    EXPECT_EQ(result.exit_code, 4);
    EXPECT_THAT(result.err, testing::HasSubstr("@h"));
}

// Two kernels, and what keeps vmcheck from finding them in other ways.
struct Race {
    std::string name;
    std::string kernel;
    std::vector<std::string> options;
    std::string mode;
};

class Races : public testing::TestWithParam<Race> {};

TEST_P(Races, AreTheSameOnOneAndOnTwoJobsAndReplayInAFreshProcess) {
    Scratch const scratch;
    std::vector<std::string> base{"verify", "--kernel", GetParam().kernel, "--runs", "768", "--json"};
    base.insert(base.end(), GetParam().options.begin(), GetParam().options.end());
    std::vector<std::string> one = base, two = base;
    one.insert(one.end(), {"--jobs", "1"});
    two.insert(two.end(), {"--jobs", "2"});
    Result const first = vmcheck(one, scratch.path()), second = vmcheck(two, scratch.path());
    ASSERT_EQ(first.exit_code, 1) << first.err;
    EXPECT_EQ(first.out, second.out);
    json const findings = session_of(first).at("findings");
    ASSERT_FALSE(findings.empty());
    for (json const& finding : findings) {
        EXPECT_EQ(finding.at("mode"), GetParam().mode);
        EXPECT_EQ(finding.at("reproduced").at("times"), finding.at("reproduced").at("attempts"));
    }
    Result const replay = vmcheck({"replay", "--kernel", GetParam().kernel, "findings"}, scratch.path());
    EXPECT_EQ(replay.exit_code, 1) << replay.out << replay.err;
    EXPECT_THAT(replay.out, testing::HasSubstr(" · 0 pass · ")) << "each of them shows it again";
    Result const right =
        vmcheck({"replay", "--kernel", VMCHECK_KERNELS "/cow-eager/kernel", "findings"}, scratch.path());
    EXPECT_EQ(right.exit_code, 0) << right.out << right.err;
}

INSTANTIATE_TEST_SUITE_P(Of, Races,
                         testing::Values(Race{"two_harts", kLostUpdate, {"--seed", "5"}, "several harts"},
                                         Race{"an_interrupt",
                                              VMCHECK_KERNELS "/mutants/121-free-list-looked-at-before-the-lock/kernel",
                                              {"--no-harts", "--seed", "7"},
                                              "preemption"}),
                         [](auto const& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace vmcheck::e2e
