#include "checker/mutants/mutant.h"
#include "checker/mutants/mutant_result.h"
#include "checker/mutants/table.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

namespace vmcheck::mutants {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class PatchHeader : public testing::Test {
  protected:
    tl::expected<Mutant, base::Error> read(std::string const& text) const {
        std::ofstream(path_) << text;
        return read_mutant(path_);
    }
    std::filesystem::path path_ = std::filesystem::path(testing::TempDir()) / "16-parent-keeps-w.patch";
};

TEST_F(PatchHeader, IsReadUpToTheFirstEmptyLine) {
    auto const mutant = read(
        "origin: labs.md 16\nstory: Fork forgets.\nprofile: cow-eager\nexpect: I3 fork|I7 *\n"
        "survives: no step\nneeds: oom or preempt\n\nstory: of the diff\n");
    ASSERT_TRUE(mutant.has_value()) << mutant.error().message;
    EXPECT_EQ(mutant->name, "16-parent-keeps-w");
    EXPECT_EQ(mutant->story, "Fork forgets.");
    EXPECT_THAT(mutant->expected, ElementsAre("I3 fork", "I7 *"));
    EXPECT_EQ(mutant->survives, "no step");
    EXPECT_TRUE(mutant->numbered());
    EXPECT_TRUE(mutant->expects("I3 fork"));
    EXPECT_TRUE(mutant->expects("I7 load"));
    EXPECT_FALSE(mutant->expects("I3 load"));
    EXPECT_THAT(mutant->options_without_its_faults(),
                ElementsAre("--no-oom", "--no-pressure", "--no-preempt", "--no-harts"));
}

TEST_F(PatchHeader, WithoutAnExpectationIsRefused) {
    auto const mutant = read("origin: our own\nstory: s\nprofile: cow-lazy\n\n");
    ASSERT_FALSE(mutant.has_value());
    EXPECT_THAT(mutant.error().message, HasSubstr("16-parent-keeps-w.patch"));
}

constexpr char const* kPatch = R"(--- a/memory/fork.cpp
+++ b/memory/fork.cpp
@@ -2,5 +2,4 @@
 two
 three
-four
 five
 six
@@ -20,3 +19,4 @@
 nineteen
-twenty
+twenty
+twenty-one
 end
--- a/memory/heap.cpp
+++ b/memory/heap.cpp
@@ -1,2 +1,3 @@
 one
+two
 end
)";

TEST(ChangedLines, AreThoseAddedOrAroundWhatIsGone) {
    EXPECT_THAT(changed_lines(kPatch),
                ElementsAre(ChangedLine{"memory/fork.cpp", 3}, ChangedLine{"memory/fork.cpp", 4},
                            ChangedLine{"memory/fork.cpp", 20}, ChangedLine{"memory/fork.cpp", 21},
                            ChangedLine{"memory/heap.cpp", 2}));
    EXPECT_THAT(changed_lines("no patch\n+\n"), ElementsAre());
}

TEST(NamedPlaces, AreHeldToTheLinesAndFunctionsOfThePatch) {
    namespace fs = std::filesystem;
    fs::path const source = fs::path(testing::TempDir()) / "named_places";
    fs::create_directories(source / "memory");
    std::ofstream(source / "memory/fork.cpp") << "a() {\n1\n2\n}\nb() {\n3\n4\n}\n";
    auto const named = [&](std::string const& places) {
        return named_places(R"({"sessions":[{"findings":[{"look_at":[)" + places + "]}]}]}", {{"memory/fork.cpp", 2}},
                            source);
    };
    std::string const line = R"({"file":"kernel/memory/fork.cpp","line":2})",
                      function = R"({"file":"kernel/memory/fork.cpp","line":3})",
                      other = R"({"file":"kernel/memory/fork.cpp","line":6})",
                      elsewhere = R"({"file":"kernel/memory/heap.cpp","line":2})";
    EXPECT_THAT(named(other + "," + function + "," + line + "," + line),
                ElementsAre(Named::elsewhere, Named::function, Named::line));
    EXPECT_THAT(named(elsewhere), ElementsAre(Named::elsewhere));
    EXPECT_THAT(named_places("no report", {}, source), ElementsAre());
    EXPECT_THAT(named_places(R"({"sessions":[{"findings":[]}]})", {}, source), ElementsAre());
    fs::remove_all(source);
}

TEST(VerifyVerdict, IsTheFirstFindingOfTheReport) {
    auto const verdict =
        judge_verify(1, R"({"sessions":[{"programs":256,"findings":[{"signature":"I1 fstat","steps":[1,2]}]}]})", 1.5);
    ASSERT_TRUE(verdict.has_value());
    EXPECT_TRUE(verdict->killed);
    EXPECT_EQ(verdict->signature, "I1 fstat");
    EXPECT_EQ(verdict->steps, 2U);
    EXPECT_EQ(verdict->programs, 256U);
}

TEST(VerifyVerdict, MayBeOfTheTimeBeforeAnyProgram) {
    EXPECT_EQ(judge_verify(4, "", 0)->signature, "boot");
    auto const verdict =
        judge_verify(1, R"({"sessions":[{"boot_violations":[{"signature":"I4 boot"}],"findings":[]}]})", 0);
    EXPECT_EQ(verdict->signature, "I4 boot");
    EXPECT_FALSE(verdict->steps.has_value());
}

TEST(VerifyVerdict, OfNothingFoundIsSurvival) {
    EXPECT_FALSE(judge_verify(0, R"({"sessions":[{"programs":10000,"findings":[]}]})", 9)->killed);
}

TEST(VerifyVerdict, MayBeAdviceThatFailsNobody) {
    auto const verdict = judge_verify(
        0, R"({"sessions":[{"programs":9,"findings":[{"signature":"I10 store","severity":"advice","steps":[1]}]}]})",
        9);
    ASSERT_TRUE(verdict.has_value());
    EXPECT_TRUE(verdict->killed);
    EXPECT_TRUE(verdict->advice);
    EXPECT_EQ(verdict->signature, "I10 store (advice)");
}

TEST(VerifyVerdict, IsNoneWhereTheMachineFailedOrTheReportIsMissing) {
    EXPECT_FALSE(judge_verify(3, "", 0).has_value());
    EXPECT_FALSE(judge_verify(5, "", 0).has_value());
    EXPECT_FALSE(judge_verify(1, "", 0).has_value());
    EXPECT_FALSE(judge_verify(1, R"({"sessions":[{"findings":[]}]})", 0).has_value());
}

struct SuiteCase {
    int exit_code;
    char const* report;
    char const* how;
};
void PrintTo(SuiteCase const& suite, std::ostream* out) {
    *out << "code " << suite.exit_code << " \"" << suite.how << "\"";
}

class SuiteVerdict : public testing::TestWithParam<SuiteCase> {};

TEST_P(SuiteVerdict, SaysHowItWasNoticed) {
    auto const result = judge_suite(GetParam().exit_code, GetParam().report, 1);
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ(result->how, GetParam().how);
    EXPECT_EQ(result->noticed, GetParam().exit_code != 0);
}

INSTANTIATE_TEST_SUITE_P(
    Endings, SuiteVerdict,
    testing::Values(SuiteCase{0, R"({"ending": "exited", "status": 0})", ""},
                    SuiteCase{1, R"({"ending": "exited", "status": 2})", "2 fail"},
                    SuiteCase{1, R"({"ending": "panicked", "status": null, "message": "panic: was killed"})", "panic"},
                    SuiteCase{1, R"({"ending": "time up", "status": null})", "hang"},
                    SuiteCase{1, R"({"ending": "halted", "status": null})", "hang"},
                    SuiteCase{1, R"({"ending": "killed", "status": -1})", "killed"},
                    SuiteCase{1, R"({"ending": "exited", "status": 4096})", "no verdict"},
                    SuiteCase{1, R"({"ending": "exited", "status": null})", "no verdict"},
                    SuiteCase{1, R"({"ending": "not run", "status": null})", "no verdict"},
                    SuiteCase{4, "", "no boot"}));

TEST(SuiteVerdict, IsNoneWhereTheMachineFailedOrTheReportIsMissing) {
    for (int const code : {2, 3, 130}) EXPECT_FALSE(judge_suite(code, "", 1).has_value());
    for (char const* const report : {"", "[]", "{}"}) EXPECT_FALSE(judge_suite(1, report, 1).has_value());
}

Row row(std::string const& name, std::string const& origin, VerifyResult verdict, bool noticed) {
    MutantResult result{std::move(verdict), {}, {{"cowtest", {noticed, noticed ? "panic" : "", 1}}}};
    return {{name, origin, "A story.", "cow-eager", {"I3 fork"}, "a reason", {}, "harts"}, result};
}

std::vector<Row> rows() {
    std::vector<Row> rows{
        row("01-a", "labs.md 1", {true, false, "I3 fork", 256, 2, 1.0, {Named::elsewhere, Named::function}}, true),
        row("02-b", "labs.md 2", {true, false, "I1 load", 512, 5, 3.0, {Named::line, Named::elsewhere}}, false),
        row("03-c", "our own", {true, false, "boot", 0, std::nullopt, 2.0}, false),
        row("04-d", "our own", {false, false, "", 10000, std::nullopt, 90.0}, false),
        row("05-e", "our own", {true, true, "I10 store (advice)", 3000, 3, 9.0}, false)};
    rows[0].result.without_its_faults = VerifyResult{false, false, "", 3000, std::nullopt, 4.0};
    rows[1].result.without_its_faults = VerifyResult{true, false, "I4 fork", 256, 1, 2.0};
    return rows;
}

TEST(MutantResult, PrintedAndParsedIsTheSame) {
    MutantResult const result = rows()[1].result;
    auto const again = parse(print(result, "stamp"), "stamp");
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(print(*again, "stamp"), print(result, "stamp"));
    EXPECT_FALSE(parse(print(result, "stamp"), "another").has_value());
    EXPECT_FALSE(parse(R"({"stamp":"stamp","killed":7})", "stamp").has_value());
    EXPECT_FALSE(parse("no json", "stamp").has_value());
}

TEST(KillTable, SumsUpWhatItsRowsSay) {
    Summary const summary = summarize(rows(), {"cowtest"});
    EXPECT_EQ(summary.mutants, 5U);
    EXPECT_EQ(summary.killed, 4U);
    EXPECT_EQ(summary.numbered, 2U);
    EXPECT_EQ(summary.numbered_killed, 2U);
    EXPECT_EQ(summary.as_expected, 1U);
    EXPECT_EQ(summary.only_vmcheck, 3U);
    EXPECT_EQ(summary.only_vmcheck_as_advice, 1U);
    EXPECT_EQ(summary.need_a_fault, 2U);
    EXPECT_EQ(summary.not_without, 1U);
    EXPECT_EQ(summary.nobody, 1U);
    EXPECT_EQ(summary.with_places, 2U);
    EXPECT_EQ(summary.named_first, 1U);
    EXPECT_EQ(summary.named_among_three, 2U);
    EXPECT_EQ(summary.seconds_median, 2.5);
    EXPECT_EQ(summary.steps_median, 3.0);
    EXPECT_THAT(summary.noticed_by_suite, ElementsAre(1U));
}

TEST(KillTable, HasALineForEachMutantAndAReasonForEachThatSurvives) {
    std::string const text = markdown(rows(), {"cowtest"}, "vmcheck verify --seed 1");
    EXPECT_THAT(
        text,
        HasSubstr("| [01-a](01-a.patch) | cow-eager | I3 fork | yes | 1.0 s | 256 | 2 | 2: function | harts: not found "
                  "without | panic |\n"));
    EXPECT_THAT(
        text,
        HasSubstr("| I1 load | **no** | 3.0 s | 512 | 5 | 1: line | harts: **found without, I4 fork** | passes |\n"));
    EXPECT_THAT(text, HasSubstr("| boot | **no** | 2.0 s | - | - | - | - | passes |\n"));
    EXPECT_THAT(text, HasSubstr("| **survives** | - | 90.0 s | 10000 | - | - | - | passes |\n"));
    EXPECT_THAT(text, HasSubstr("- **04-d**: A story. Why: a reason.\n"));
    EXPECT_THAT(text, Not(HasSubstr("- **01-a**")));
    EXPECT_THAT(text, HasSubstr("**4 of 5 mutants are killed by vmcheck** (80.0 %)"));
    EXPECT_THAT(text,
                HasSubstr("**Killed by vmcheck, and noticed by none of cowtest: 3 of 5**, 1 of them as advice only."));
}

}  // namespace
}  // namespace vmcheck::mutants
