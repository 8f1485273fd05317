// The main job, as a user runs it, on the kernels that come with vmcheck.

#include "checker/e2e/command.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <fstream>

namespace vmcheck::e2e {
namespace {

using nlohmann::json;

class ReferenceKernel : public testing::TestWithParam<char const*> {
  protected:
    Result run(std::vector<std::string> const& arguments) const { return vmcheck(arguments, scratch.path()); }
    Scratch scratch;
};

TEST_P(ReferenceKernel, HasNothingToBeFoundAndEveryCheckIsOn) {
    Result const result = run({"verify", "--profile", GetParam(), "--runs", "1500", "--json"});
    ASSERT_EQ(result.exit_code, 0) << result.out << result.err;
    json const session = session_of(result);
    EXPECT_EQ(session.at("programs"), 1500);
    EXPECT_TRUE(session.at("missing").empty());
    for (auto const& [invariant, counts] : session.at("checks").items()) {
        EXPECT_GT(counts.at("evaluated"), 0) << invariant;
        EXPECT_EQ(counts.at("skipped"), 0) << invariant;
    }
    for (auto const& [kind, steps] : session.at("steps_by_kind").items()) EXPECT_GT(steps, 0) << kind;
}

INSTANTIATE_TEST_SUITE_P(Profiles, ReferenceKernel,
                         testing::Values("cow+lazy", "cow+eager", "eager+lazy", "eager+eager"),
                         [](auto const& parameter) {
                             std::string name = parameter.param;
                             name[name.find('+')] = '_';
                             return name;
                         });

// The same kernel built as the trees of each year are: timer, disk, segments, first program, sbrk.
class Vintage : public testing::TestWithParam<int> {};

TEST_P(Vintage, HasNothingToBeFound) {
    Scratch const scratch;
    std::string const kernel = std::string(VMCHECK_KERNELS "/vintage-") + std::to_string(GetParam()) + "/kernel";
    Result const result = vmcheck({"verify", "--kernel", kernel, "--runs", "300"}, scratch.path());
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
}

INSTANTIATE_TEST_SUITE_P(Years, Vintage, testing::Range(2020, 2026));

// Right, and made otherwise than xv6 is.
class OtherMake : public testing::TestWithParam<std::pair<char const*, char const*>> {};

TEST_P(OtherMake, HasNothingToBeFound) {
    Scratch const scratch;
    auto const [name, says] = GetParam();
    Result const result =
        vmcheck({"verify", "--kernel", std::string(VMCHECK_KERNELS "/variants/") + name + "/kernel", "--runs", "128"},
                scratch.path());
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    EXPECT_THAT(result.out, testing::HasSubstr(says));
}

INSTANTIATE_TEST_SUITE_P(
    As, OtherMake,
    testing::Values(std::pair{"ram-256", " 256 MiB "}, std::pair{"refuses-entry-zero", "nothing found"},
                    std::pair{"bss-at-first-touch", "come at their first touch"},
                    std::pair{"holds-a-frame-beside", "I6 is not checked"},
                    std::pair{"swaps-pages", "out of memory when all processes together have 24."},
                    std::pair{"counts-hashed", "frames (int32, 1 for one reference), recognised by its use"},
                    std::pair{"counts-scattered", "or words with keys beside them, was recognised. I4 is not checked"},
                    std::pair{"counts-per-hart", "1 for one reference, 8 arrays to be summed)"},
                    std::pair{"counts-with-locks",
                              "all_counts (int32, 1 for one reference), "
                              "recognised by its use"},
                    std::pair{"marks-with-g", "advice    fork marks shared pages with PTE_G"}),
    [](auto const& parameter) {
        std::string name = parameter.param.first;
        std::replace(name.begin(), name.end(), '-', '_');
        return name;
    });

TEST(Corpus, IsReplayedWithoutADifference) {
    Scratch const scratch;
    // All but what nights have kept here, on other kernels too.
    Result const result = vmcheck(
        {"replay", VMCHECK_CORPUS "/seeds", VMCHECK_CORPUS "/regression", VMCHECK_CORPUS "/found"}, scratch.path());
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    EXPECT_THAT(result.out, testing::HasSubstr(" · 0 fail\n"));
    EXPECT_THAT(result.out, testing::Not(testing::HasSubstr("left out")));
}

TEST(Profile, AKernelThatCopiesOnForkBreaksThePromiseOfCow) {
    Scratch const scratch;
    Result const result = vmcheck({"verify", "--kernel", VMCHECK_KERNELS "/eager-eager/kernel", "--profile",
                                   "cow+eager", "--runs", "200", "--json"},
                                  scratch.path());
    ASSERT_EQ(result.exit_code, 1) << result.err;
    EXPECT_EQ(session_of(result).at("findings").at(0).at("signature"), "I8 fork");
}

TEST(Findings, AreTheSameOnOneAndOnTwoWorkers) {
    Scratch const scratch;
    std::vector<std::string> const base{"verify",    "--kernel", VMCHECK_KERNELS "/eager-eager/kernel",
                                        "--profile", "cow+lazy", "--runs",
                                        "600",       "--seed",   "7",
                                        "--json",    "--jobs"};
    std::vector<std::string> one = base, two = base;
    one.push_back("1");
    two.push_back("2");
    Result const first = vmcheck(one, scratch.path()), second = vmcheck(two, scratch.path());
    EXPECT_EQ(first.exit_code, 1);
    EXPECT_EQ(first.out, second.out);
}

TEST(Findings, ReplayFromTheFileThatTheyAreSavedIn) {
    Scratch const scratch;
    Result const verify = vmcheck(
        {"verify", "--kernel", VMCHECK_KERNELS "/eager-eager/kernel", "--profile", "cow+eager", "--runs", "200"},
        scratch.path());
    ASSERT_EQ(verify.exit_code, 1);
    Result const replay =
        vmcheck({"replay", "--kernel", VMCHECK_KERNELS "/eager-eager/kernel", "--profile", "cow+eager", "findings"},
                scratch.path());
    EXPECT_EQ(replay.exit_code, 1) << replay.out << replay.err;
    Result const clean =
        vmcheck({"replay", "--kernel", VMCHECK_KERNELS "/cow-eager/kernel", "findings"}, scratch.path());
    EXPECT_EQ(clean.exit_code, 0) << clean.out << clean.err;
}

TEST(Acceleration, ChangesNoResult) {
    Scratch const scratch;
    // Without interrupts and other harts, which come by the board's clock: that goes faster where the host copies.
    std::vector<std::string> const fast{"verify",        "--profile",    "cow+lazy",   "--runs", "100",
                                        "--no-pressure", "--no-preempt", "--no-harts", "--json"};
    std::vector<std::string> slow = fast;
    slow.push_back("--no-accel");
    Result const first = vmcheck(fast, scratch.path()), second = vmcheck(slow, scratch.path());
    ASSERT_EQ(first.exit_code, 0) << first.err;
    EXPECT_EQ(first.out, second.out);
}

TEST(Show, SaysWhatACorrectKernelDoesAtEachStep) {
    Scratch const scratch;
    Result const result = vmcheck({"show", VMCHECK_CORPUS "/seeds/exit-status-through-wait.vmc"}, scratch.path());
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, testing::HasSubstr("p0 load stack-16 4"));
}

TEST(Show, TakesTogetherWhatOverlaps) {
    Scratch const scratch;
    Result const result =
        vmcheck({"show", VMCHECK_CORPUS "/seeds/wait-sleeps-until-the-child-exits.vmc"}, scratch.path());
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, testing::Not(testing::HasSubstr("left out")));
    EXPECT_THAT(result.out, testing::HasSubstr("(within the step before)"));
}

TEST(ReplayAndShrink, SayWhatAProgramAsksForThatTheKernelDoesNotHave) {
    Scratch const scratch;
    std::ofstream(scratch.path() / "a.vmc") << "vmcheck 1\nprofile cow lazy\nmemory 60000\np0 fork p1\n";
    for (char const* command : {"replay", "shrink"}) {
        Result const result = vmcheck({command, "a.vmc"}, scratch.path());
        EXPECT_EQ(result.exit_code, 4) << command;
        EXPECT_THAT(result.err, testing::HasSubstr("a.vmc cannot be run on this kernel, since it asks for `memory"));
    }
}

TEST(Doctor, FindsThatEverythingWorks) {
    Scratch const scratch;
    Result const result = vmcheck({"doctor"}, scratch.path());
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
}

}  // namespace
}  // namespace vmcheck::e2e
