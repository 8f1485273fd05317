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

std::vector<std::string> patches(std::filesystem::path const& directory) {
    std::vector<std::string> names;
    for (auto const& entry : std::filesystem::directory_iterator(directory))
        if (entry.path().extension() == ".patch") names.push_back(entry.path().stem().string());
    std::sort(names.begin(), names.end());
    return names;
}

std::string test_name(testing::TestParamInfo<std::string> const& parameter) {
    std::string name = parameter.param;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

// What the header of a patch says after `key`; empty where it says nothing.
std::string header_of(std::filesystem::path const& file, std::string const& key) {
    std::ifstream patch(file);
    for (std::string line; std::getline(patch, line) && !line.empty();)
        if (line.starts_with(key)) return line.substr(key.size());
    return {};
}

struct Fault {
    std::string need;                  // as in the headers of patches
    std::vector<std::string> options;  // that keep vmcheck from bringing it about
    std::vector<std::string> modes;    // that are then not used
};

// Those without which the defect of this mutant does not show.
std::vector<Fault> faults_for(std::string const& mutant) {
    std::vector<Fault> faults{
        {"oom", {"--no-oom", "--no-pressure"}, {"allocation faults", "memory pressure", "limits"}},
        // Where an interrupt may come, another hart may come, too.
        {"preempt", {"--no-preempt", "--no-harts"}, {"preemption", "several harts"}},
        {"harts", {"--no-harts"}, {"several harts"}}};
    std::erase_if(faults, [needs = header_of(VMCHECK_MUTANTS "/" + mutant + ".patch", "needs: ")](Fault const& fault) {
        return needs.find(fault.need) == std::string::npos;
    });
    return faults;
}

std::vector<std::string> mutants_that_need_a_fault() {
    std::vector<std::string> names = patches(VMCHECK_MUTANTS);
    std::erase_if(names, [](std::string const& name) { return faults_for(name).empty(); });
    return names;
}

// ---- defects that show only under a fault; that they are found then is asked in mutants_test.cpp

class NeedsAFault : public testing::TestWithParam<std::string> {};

TEST_P(NeedsAFault, AndIsNotFoundWithoutIt) {
    Scratch const scratch;
    std::vector<std::string> arguments{"verify", "--kernel", VMCHECK_KERNELS "/mutants/" + GetParam() + "/kernel",
                                       "--runs", "600",      "--json"};
    std::vector<std::string> switched_off;
    for (auto const& [need, options, modes] : faults_for(GetParam())) {
        arguments.insert(arguments.end(), options.begin(), options.end());
        switched_off.insert(switched_off.end(), modes.begin(), modes.end());
    }
    Result const result = vmcheck(arguments, scratch.path());
    EXPECT_EQ(result.exit_code, 0) << result.out;
    json const tried = session_of(result).at("modes");
    for (std::string const& mode : switched_off) EXPECT_EQ(tried.at(mode).at("programs"), 0) << mode;
    bool const memory_is_plenty =
        std::find(switched_off.begin(), switched_off.end(), "allocation faults") != switched_off.end();
    if (memory_is_plenty) {
        EXPECT_EQ(tried.at("plain").at("reached"), 0);
    }
    EXPECT_EQ(tried.at("plain").at("programs"), 600);
}

INSTANTIATE_TEST_SUITE_P(Every, NeedsAFault, testing::ValuesIn(mutants_that_need_a_fault()), test_name);

TEST(FailedAllocation, IsNamedByTheLineThatAskedForTheFrame) {
    Scratch const scratch;
    Result const result = vmcheck({"verify", "--kernel", VMCHECK_KERNELS "/mutants/62-writable-before-the-copy/kernel",
                                   "--json", "--max-findings", "1"},
                                  scratch.path());
    ASSERT_EQ(result.exit_code, 1);
    json const failed = session_of(result).at("findings").at(0).at("failed_allocations");
    ASSERT_FALSE(failed.empty());
    EXPECT_EQ(failed.back().at("file"), "memory/resolve.cpp") << "where the copy is made, not the allocator's wrapper";
    EXPECT_GT(failed.back().at("line"), 0);
    EXPECT_THAT(result.err, testing::HasSubstr("No frame"));
}

// The same program does what it should on a machine whose traps drop all translations.
TEST(StaleTranslation, IsToldAsAMissingFence) {
    Scratch const scratch;
    Result const result = vmcheck(
        {"verify", "--kernel", VMCHECK_KERNELS "/mutants/51-fence-only-at-a-switch/kernel", "--json"}, scratch.path());
    ASSERT_EQ(result.exit_code, 1);
    std::vector<std::string> names;
    json const findings = session_of(result).at("findings");
    for (json const& finding : findings) names.push_back(finding.at("cause").at("id"));
    EXPECT_THAT(names, testing::Contains("sfence-missing"));
}

// ---- other right answers

class Variant : public testing::TestWithParam<std::string> {};

TEST_P(Variant, Passes) {
    Scratch const scratch;
    // Of those that take their time, fewer.
    std::string const fewer = header_of(VMCHECK_VARIANTS "/" + GetParam() + ".patch", "runs: ");
    std::string const runs = fewer.empty() ? "3000" : fewer;
    Result const result =
        vmcheck({"verify", "--kernel", VMCHECK_KERNELS "/variants/" + GetParam() + "/kernel", "--runs", runs, "--json"},
                scratch.path());
    EXPECT_EQ(result.exit_code, 0) << result.out;
    json const session = session_of(result);
    EXPECT_TRUE(session.at("findings").empty());
    for (char const* mode : {"plain", "allocation faults"})
        EXPECT_GT(session.at("modes").at(mode).at("reached"), 0) << mode;
    // Not all of it: one that keeps frames back cannot be brought to the last of them.
    EXPECT_GT(session.at("modes").at("memory pressure").at("programs"), std::stoi(runs) / 20);
}

// All but those that say why they are not tried so, but by a test of their own.
std::vector<std::string> variants() {
    auto names = patches(VMCHECK_VARIANTS);
    std::erase_if(names, [](std::string const& name) {
        return !header_of(VMCHECK_VARIANTS "/" + name + ".patch", "apart: ").empty();
    });
    return names;
}

INSTANTIATE_TEST_SUITE_P(Every, Variant, testing::ValuesIn(variants()), test_name);

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
    // The program that the report asks to replay does not fail, and shows it all the same.
    std::string const program = "findings/1-I10-store.vmc";
    Result const replayed = vmcheck({"replay", program, "--kernel", kernel}, scratch.path());
    EXPECT_EQ(replayed.exit_code, 0) << replayed.err;
    EXPECT_THAT(replayed.out, testing::HasSubstr(program + "   (fails nobody; advice: a store takes a frame"));
    Result const shrunk = vmcheck({"shrink", program, "--kernel", kernel}, scratch.path());
    EXPECT_EQ(shrunk.exit_code, 2);
    EXPECT_THAT(shrunk.err, testing::HasSubstr("nothing to shrink. It gives cause for advice: a store takes a frame"));
    std::string const right = VMCHECK_KERNELS "/cow-lazy/kernel";
    Result const other = vmcheck({"replay", program, "--kernel", right}, scratch.path());
    EXPECT_THAT(other.out, testing::Not(testing::HasSubstr("advice")));
}

// ---- effort

TEST(Effort, HasNamesAndRefusesOthers) {
    Scratch const scratch;
    Result const quick = vmcheck({"verify", "--profile", "cow+eager", "--effort", "quick", "--json"}, scratch.path());
    EXPECT_EQ(quick.exit_code, 0) << quick.err;
    json const session = session_of(quick);
    EXPECT_EQ(session.at("programs"), 1500);
    EXPECT_GT(session.at("modes").at("allocation faults").at("reached"), 100);
    EXPECT_GT(session.at("modes").at("memory pressure").at("reached"), 30);
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
        ASSERT_EQ(shell(command).exit_code, 0) << command;
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
