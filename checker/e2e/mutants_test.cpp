// Every defect that was planted in the reference kernel is found, shrunk, and reported as what it is.

#include "checker/e2e/command.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace vmcheck::e2e {
namespace {

using nlohmann::json;

constexpr std::size_t kStepsMax = 8;

// A line of the patch's header, without its name: header(mutant, "expect") of "expect: I3 fork" is "I3 fork".
std::string header(std::string const& mutant, std::string const& name) {
    std::ifstream patch(std::filesystem::path(VMCHECK_MUTANTS) / (mutant + ".patch"));
    for (std::string line; std::getline(patch, line) && !line.empty();)
        if (line.starts_with(name + ": ")) return line.substr(name.size() + 2);
    return {};
}

// The signatures that a mutant's patch says it may show: "expect: I3 fork|I1 load". "I7 *" is I7 at any kind of step:
// for a defect that shows wherever the kernel copies.
std::vector<std::string> expected_signatures(std::string const& mutant) {
    std::vector<std::string> signatures;
    std::istringstream words(header(mutant, "expect"));
    for (std::string signature; std::getline(words, signature, '|');) signatures.push_back(signature);
    return signatures;
}

// Allocations made to fail, interrupts, turns of another hart, and memory that is short from the start.
std::ptrdiff_t faults_in(std::string const& program) {
    std::ptrdiff_t faults = 0;
    std::istringstream lines(program);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("#")) continue;
        faults += std::count(line.begin(), line.end(), '!') + std::count(line.begin(), line.end(), '@');
        faults += line.starts_with("memory ") ? 1 : 0;
    }
    return faults;
}

std::vector<std::string> all_mutants() {
    std::vector<std::string> names;
    for (auto const& entry : std::filesystem::directory_iterator(VMCHECK_MUTANTS))
        if (entry.path().extension() == ".patch") names.push_back(entry.path().stem().string());
    std::sort(names.begin(), names.end());
    return names;
}

class Mutant : public testing::TestWithParam<std::string> {
  protected:
    // A defect that is not found yet says so in its header, and why; it is skipped visibly.
    void SetUp() override {
        if (std::string const why = header(GetParam(), "survives"); !why.empty()) GTEST_SKIP() << "survives: " << why;
    }
    // Some kernels are wrong before anything is asked of them: "expect: boot" does not come up, "expect: I1 boot" does.
    bool wrong_at_boot() const { return header(GetParam(), "expect").ends_with("boot"); }
    std::string kernel() const { return std::string(VMCHECK_KERNELS "/mutants/") + GetParam() + "/kernel"; }
    Scratch scratch;
};

TEST_P(Mutant, IsKilledWithItsOwnSignatureByAShortProgram) {
    Result const result = vmcheck({"verify", "--kernel", kernel(), "--json", "--max-findings", "1"}, scratch.path());
    if (header(GetParam(), "expect") == "boot") {
        EXPECT_EQ(result.exit_code, 4) << result.err;
        EXPECT_THAT(result.err, testing::HasSubstr("the kernel did not reach user mode"));
        ASSERT_FALSE(header(GetParam(), "says").empty());
        EXPECT_THAT(result.err, testing::HasSubstr(header(GetParam(), "says")));
        return;
    }
    // Advice fails nobody.
    bool const only_advice = header(GetParam(), "needs") == "advice";
    ASSERT_EQ(result.exit_code, only_advice ? 0 : 1) << "survives\n" << result.err;
    json const session = session_of(result);
    auto const expected = expected_signatures(GetParam());
    if (wrong_at_boot()) {
        ASSERT_FALSE(session.at("boot_violations").empty());
        for (json const& violation : session.at("boot_violations"))
            EXPECT_THAT(expected, testing::Contains(violation.at("signature").get<std::string>())) << violation;
        return;
    }
    ASSERT_FALSE(session.at("findings").empty());
    // The one that is shown first is the one that has to be short.
    json const& first = session.at("findings").at(0);
    bool const many = header(GetParam(), "needs") == "many processes";
    EXPECT_LE(first.at("steps").size(), many ? 2 * kStepsMax : kStepsMax) << first.at("program").get<std::string>();
    EXPECT_LE(faults_in(first.at("program").get<std::string>()), 1) << first.at("program").get<std::string>();
    for (json const& finding : session.at("findings")) {
        auto const signature = finding.at("signature").get<std::string>();
        std::string const anywhere = signature.substr(0, signature.find(' ')) + " *";
        std::string const advice = finding.at("severity") == "advice" ? " (advice)" : "";
        EXPECT_THAT(expected, testing::Contains(testing::AnyOf(signature + advice, anywhere)))
            << finding.at("program").get<std::string>();
        EXPECT_EQ(finding.at("reproduced").at("times"), finding.at("reproduced").at("attempts"));
        // What a hart remembers from before shows in a step that the kernel has no part in.
        bool const without_the_kernel = header(GetParam(), "needs") == "stale translation";
        EXPECT_TRUE(without_the_kernel || !finding.at("functions").empty()) << "no kernel function was named";
    }
}

// What probing sees is one defect among others: 128 calls of sbrk reach the trapframe, and the programs are run as
// well.
TEST(WrongAtBoot, DoesNotEndTheSearchWhereProgramsCanDoWithoutIt) {
    Scratch const scratch;
    Result const result = vmcheck({"verify", "--kernel", VMCHECK_KERNELS "/mutants/15-growth-into-trapframe/kernel",
                                   "--json", "--effort", "quick"},
                                  scratch.path());
    EXPECT_EQ(result.exit_code, 1) << result.err;
    json const session = session_of(result);
    EXPECT_EQ(session.at("boot_violations").size(), 1U);
    EXPECT_TRUE(session.at("findings").empty()) << session.at("findings");
    EXPECT_EQ(session.at("programs"), 1500);
    EXPECT_THAT(result.err, testing::HasSubstr("1 defect · seed 1"));
}

// Junk behind the file's part of each segment: of those bytes nothing is asked, of all else everything.
TEST(WrongAtBoot, IsNotToldAgainByThePrograms) {
    Scratch const scratch;
    Result const result =
        vmcheck({"verify", "--kernel", VMCHECK_KERNELS "/mutants/58-bss-not-zeroed/kernel", "--json", "--runs", "300"},
                scratch.path());
    EXPECT_EQ(result.exit_code, 1) << result.err;
    json const session = session_of(result);
    EXPECT_FALSE(session.at("boot_violations").empty());
    EXPECT_TRUE(session.at("findings").empty()) << session.at("findings");
    EXPECT_EQ(session.at("programs"), 300);
}

// Where the defect is known to the line: the child's entry is written by the line behind the one that is missing.
TEST(GuiltyLine, IsTheOneThatWroteThePte) {
    Scratch const scratch;
    Result const result = vmcheck({"verify", "--kernel", VMCHECK_KERNELS "/mutants/16-parent-keeps-w/kernel", "--json",
                                   "--runs", "64", "--max-findings", "1"},
                                  scratch.path());
    EXPECT_EQ(result.exit_code, 1) << result.err;
    json const finding = session_of(result).at("findings").at(0);
    json const first = finding.at("look_at").at(0);
    EXPECT_EQ(first.at("function"), "AddressSpace::share_page");
    EXPECT_EQ(first.at("text"), "return map(page, move(frame), rights);");
    EXPECT_EQ(first.at("why"), "last changed p1's PTE, in step 1");
    EXPECT_LE(finding.at("look_at").size(), 3U);
    EXPECT_GE(finding.at("spectrum").at("passing"), 5);
}

struct Guilty {
    std::string mutant;
    std::string function;  // of the line that the patch changes
    std::string why;
};

class GuiltyFunction : public testing::TestWithParam<Guilty> {};

TEST_P(GuiltyFunction, IsTheFirstToLookAt) {
    Scratch const scratch;
    Result const result = vmcheck({"verify", "--kernel", VMCHECK_KERNELS "/mutants/" + GetParam().mutant + "/kernel",
                                   "--json", "--max-findings", "1"},
                                  scratch.path());
    EXPECT_EQ(result.exit_code, 1) << result.err;
    json const first = session_of(result).at("findings").at(0).at("look_at").at(0);
    EXPECT_EQ(first.at("function"), GetParam().function);
    EXPECT_THAT(first.at("why").get<std::string>(), testing::StartsWith(GetParam().why));
}

INSTANTIATE_TEST_SUITE_P(
    OneOfEachKind, GuiltyFunction,
    testing::Values(
        Guilty{"01-every-store-is-copy-on-write", "AddressSpace::resolve", "the first to look at p0's PTE"},
        Guilty{"19-copy-keeps-old-reference", "make_private", "last changed p0's PTE"},
        Guilty{"32-loop-without-braces", "AddressSpace::unmap", "took the frame that is lost out of p0's page table"},
        Guilty{"41-last-level-tables-leak", "release_tables", "gave back p0's page table, but not a frame of it"},
        Guilty{"67-panics-without-memory", "make_private", "the kernel died here"},
        Guilty{"69-failed-sbrk-moves-the-break", "AddressSpace::move_break", "last moved p0's break"},
        Guilty{"87-taken-over-too-early", "make_private", "last changed p0's PTE"},
        Guilty{"95-bad-segment-keeps-its-frame", "load_segment", "last changed the count of the frame that is lost"}),
    [](auto const& each) { return each.param.mutant.substr(0, 2); });

// What is measured by them is measured at their lines (kernel/mutants/README.md).
TEST(Patches, SayWhereTheirLinesAre) {
    for (std::string const& mutant : all_mutants()) {
        std::ifstream patch(std::filesystem::path(VMCHECK_MUTANTS) / (mutant + ".patch"));
        std::vector<std::string> source;
        std::size_t line = 0;
        for (std::string text; std::getline(patch, text);) {
            if (text.starts_with("+++ b/")) {
                std::ifstream file(std::string(VMCHECK_KERNELS "/mutants/") + mutant + "/source/" + text.substr(6));
                source.clear();
                for (std::string each; std::getline(file, each);) source.push_back(each);
                ASSERT_FALSE(source.empty()) << mutant << ": " << text;
            } else if (text.starts_with("@@ ")) {
                line = std::stoul(text.substr(text.find('+') + 1)) - 1;
            } else if (!source.empty() && (text.starts_with("+") || text.starts_with(" "))) {
                ASSERT_LT(line, source.size()) << mutant;
                EXPECT_EQ(source[line++], text.substr(1)) << mutant;
            }
        }
    }
}

// corpus/regression/<mutant>.vmc is its shrunk program: right on the reference kernel, wrong on the mutant.
TEST_P(Mutant, IsKilledByItsOwnCorpusProgram) {
    if (wrong_at_boot()) GTEST_SKIP() << "wrong before any program runs";
    if (header(GetParam(), "needs") == "advice") GTEST_SKIP() << "every program goes as it should on this kernel";
    std::string const program = std::string(VMCHECK_CORPUS "/regression/") + GetParam() + ".vmc";
    Result const result = vmcheck({"replay", "--kernel", kernel(), program}, scratch.path());
    EXPECT_EQ(result.exit_code, 1) << result.out << result.err;
}

INSTANTIATE_TEST_SUITE_P(All, Mutant, testing::ValuesIn(all_mutants()), [](auto const& parameter) {
    std::string name = parameter.param;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

}  // namespace
}  // namespace vmcheck::e2e
