// Allocations that fail and memory that is short: what shows only then is found then, what is right passes, and what is
// only poor is advice.

#include "checker/e2e/command.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace vmcheck::e2e {
namespace {

using nlohmann::json;

// The names of the patches in `directory` that have this line in their header; of all patches where it is empty.
std::vector<std::string> patches(std::filesystem::path const& directory, std::string const& line) {
    std::vector<std::string> names;
    for (auto const& entry : std::filesystem::directory_iterator(directory)) {
        if (entry.path().extension() != ".patch") continue;
        std::ifstream patch(entry.path());
        bool has = line.empty();
        for (std::string each; std::getline(patch, each) && !each.empty();) has = has || each == line;
        if (has) names.push_back(entry.path().stem().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::string test_name(testing::TestParamInfo<std::string> const& parameter) {
    std::string name = parameter.param;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

json session_of(Result const& result) {
    return json::parse(result.out).at("sessions").at(0);
}

// ---- defects behind an allocation that fails; that they are found then is asked in mutants_test.cpp

class NeedsAFailedAllocation : public testing::TestWithParam<std::string> {};

TEST_P(NeedsAFailedAllocation, AndIsNotFoundWithoutOne) {
    Scratch const scratch;
    Result const result = vmcheck({"verify", "--kernel", VMCHECK_KERNELS "/mutants/" + GetParam() + "/kernel", "--runs",
                                   "2000", "--no-oom", "--no-pressure", "--json"},
                                  scratch.path());
    EXPECT_EQ(result.exit_code, 0) << result.out;
    json const modes = session_of(result).at("modes");
    EXPECT_EQ(modes.at("plain").at("failed_allocations"), 0);
    EXPECT_EQ(modes.at("allocation faults").at("programs"), 0);
    EXPECT_EQ(modes.at("memory pressure").at("programs"), 0);
}

INSTANTIATE_TEST_SUITE_P(Every, NeedsAFailedAllocation, testing::ValuesIn(patches(VMCHECK_MUTANTS, "needs: oom")),
                         test_name);

TEST(FailedAllocation, IsNamedByTheLineThatAskedForTheFrame) {
    Scratch const scratch;
    Result const result =
        vmcheck({"verify", "--kernel", VMCHECK_KERNELS "/mutants/62-writable-before-the-copy/kernel", "--json"},
                scratch.path());
    ASSERT_EQ(result.exit_code, 1);
    json const failed = session_of(result).at("findings").at(0).at("failed_allocations");
    ASSERT_FALSE(failed.empty());
    EXPECT_THAT(failed.back().at("file").get<std::string>(), testing::HasSubstr("memory/"));
    EXPECT_GT(failed.back().at("line"), 0);
    EXPECT_THAT(result.err, testing::HasSubstr("No frame"));
}

// ---- other right answers

class Variant : public testing::TestWithParam<std::string> {};

TEST_P(Variant, Passes) {
    Scratch const scratch;
    Result const result = vmcheck(
        {"verify", "--kernel", VMCHECK_KERNELS "/variants/" + GetParam() + "/kernel", "--runs", "3000", "--json"},
        scratch.path());
    EXPECT_EQ(result.exit_code, 0) << result.out;
    json const session = session_of(result);
    EXPECT_TRUE(session.at("findings").empty());
    for (char const* mode : {"plain", "allocation faults", "memory pressure"})
        EXPECT_GT(session.at("modes").at(mode).at("failed_allocations"), 0) << mode;
}

INSTANTIATE_TEST_SUITE_P(Every, Variant, testing::ValuesIn(patches(VMCHECK_VARIANTS, "")), test_name);

// ---- legal, but poor

TEST(Advice, IsGivenAndFailsNobody) {
    Scratch const scratch;
    std::string const kernel = VMCHECK_KERNELS "/mutants/31-frame-before-it-is-needed/kernel";
    Result const result = vmcheck({"verify", "--kernel", kernel, "--json"}, scratch.path());
    EXPECT_EQ(result.exit_code, 0) << result.err;
    json const findings = session_of(result).at("findings");
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].at("severity"), "advice");
    EXPECT_EQ(findings[0].at("signature"), "I10 store");
    EXPECT_LE(findings[0].at("steps").size(), 8U) << findings[0].at("program");
    EXPECT_EQ(findings[0].at("reproduced").at("times"), findings[0].at("reproduced").at("attempts"));
}

// ---- effort

TEST(Effort, HasNamesAndRefusesOthers) {
    Scratch const scratch;
    Result const quick = vmcheck({"verify", "--profile", "cow+eager", "--effort", "quick", "--json"}, scratch.path());
    EXPECT_EQ(quick.exit_code, 0) << quick.err;
    json const session = session_of(quick);
    EXPECT_EQ(session.at("programs"), 1500);
    EXPECT_GT(session.at("modes").at("allocation faults").at("failed_allocations"), 100);
    EXPECT_GT(session.at("modes").at("memory pressure").at("failed_allocations"), 30);
    EXPECT_GT(session.at("second_runs"), 100);
    Result const unknown = vmcheck({"verify", "--effort", "more"}, scratch.path());
    EXPECT_EQ(unknown.exit_code, 2);
    EXPECT_THAT(unknown.err, testing::HasSubstr("quick, default or thorough"));
}

TEST(MemoryPressure, NeedsNoSymbol) {
    Scratch const scratch;
    for (char const* name : {"cow-lazy", "eager-eager"}) {
        std::string const copy = (scratch.path() / name).string();
        std::string const command = std::string(RISCV_STRIP " -o ") + copy + " " VMCHECK_KERNELS "/" + name + "/kernel";
        ASSERT_EQ(std::system(command.c_str()), 0) << command;
        Result const result =
            vmcheck({"verify", "--kernel", copy, "--profile",
                     std::string(name).starts_with("cow") ? "cow+lazy" : "eager+eager", "--runs", "300", "--json"},
                    scratch.path());
        EXPECT_EQ(result.exit_code, 0) << result.err;
        EXPECT_GT(session_of(result).at("modes").at("memory pressure").at("programs"), 10);
    }
}

TEST(MemoryPressure, OfAKernelThatCannotBeBroughtThereIsSaidNotPassedOver) {
    Scratch const scratch;
    std::ofstream(scratch.path() / "much.vmc") << "vmcheck 1\nprofile cow lazy\nmemory 1000000\np0 sbrk +1p\n";
    Result const result = vmcheck({"replay", "much.vmc"}, scratch.path());
    EXPECT_EQ(result.exit_code, 4);
    EXPECT_THAT(result.err, testing::HasSubstr("memory 1000000"));
}

}  // namespace
}  // namespace vmcheck::e2e
