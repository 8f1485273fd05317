#include "checker/class/documents.h"

#include "checker/report/markup_testing.h"
#include "checker/report/schema_testing.h"

#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <fstream>

namespace vmcheck::classes {
namespace {

using nlohmann::json;
using report::testing::count_tags;
using report::testing::markup_error;
using report::testing::schema_errors;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

Found isolation() {
    return {"I3 fork", "defect", "isolation", "I3 isolation · at fork", "the parent's PTE still has PTE_W", true};
}
Found leak() {
    return {"I6 exit", "defect", "leak", "I6 conservation · at exit", "a frame never comes back", true};
}

Outcome with(std::vector<Found> found) {
    Outcome outcome;
    outcome.verdict = found.empty() ? Verdict::nothing_found : Verdict::defects;
    outcome.found = std::move(found);
    outcome.profile = "cow fork, lazy sbrk";
    outcome.programs = 100;
    return outcome;
}

Outcome unchecked(Verdict verdict, std::string message) {
    Outcome outcome;
    outcome.verdict = verdict;
    outcome.message = std::move(message);
    return outcome;
}

Class sample() {
    Class all;
    all.directory = "class";
    all.options = {"--runs=50"};
    all.left_out = {"late.zip"};
    all.rows = {{"alice", "class/alice", with({}), {"alice/log.txt"}},
                {"bob", "class/bob/xv6", with({isolation(), leak()}), {"bob/report.html", "bob/1-I3-fork.c"}},
                {"carol", "class/carol", unchecked(Verdict::does_not_build, "vm.c:3: error: \"x\", <y>"), {}},
                {"dora #1", "class/dora #1", with({leak()}), {"dora #1/report.html"}}};
    return all;
}

TEST(Csv, HasOneRowForEachTreeQuotedAsRfc4180Says) {
    std::string const text = csv_document(sample());
    EXPECT_THAT(text, StartsWith("tree,verdict,defects,"));
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 5);
    EXPECT_THAT(text, HasSubstr("\r\nbob,defects,2,0,0,I3 fork,isolation,"));
    EXPECT_THAT(text, HasSubstr(",\"vm.c:3: error: \"\"x\"\", <y>\",no,"));
}

TEST(Csv, AnEmptyFirstCellIsStillACell) {
    Class all = sample();
    all.rows.resize(1);
    all.rows.front().name.clear();
    EXPECT_THAT(csv_document(all), HasSubstr("\r\n,nothing found,0,"));
}

TEST(Csv, NothingInItIsAFormula) {
    Class all = sample();
    all.rows[0].name = "=HYPERLINK(1)";
    EXPECT_THAT(csv_document(all), HasSubstr("\r\n'=HYPERLINK(1),"));
}

json schema() {
    std::ifstream file(VMCHECK_CLASS_SCHEMA);
    return json::parse(file);
}

TEST(ClassJson, IsWhatTheSchemaSays) {
    EXPECT_THAT(schema_errors(schema(), json::parse(json_document(sample()))), IsEmpty());
}

TEST(ClassJson, TheSchemaKnowsEveryVerdictAndMissesEachMemberThatIsNotThere) {
    Class all = sample();
    for (std::size_t i = 0; i < kVerdicts; ++i) {
        all.rows.front().outcome.verdict = Verdict{static_cast<std::uint8_t>(i)};
        EXPECT_THAT(schema_errors(schema(), json::parse(json_document(all))), IsEmpty()) << i;
    }
    json const document = json::parse(json_document(sample()));
    for (char const* place : {"", "/verdicts", "/trees/1", "/trees/1/found/0", "/shared_defects/0"})
        for (auto const& [name, value] : document.at(json::json_pointer(place)).items()) {
            json without = document;
            without.at(json::json_pointer(place)).erase(name);
            EXPECT_THAT(schema_errors(schema(), without), SizeIs(1)) << place << '/' << name << " is not required";
            json renamed = document;
            renamed.at(json::json_pointer(place))[name] = json::array({json::array()});
            EXPECT_THAT(schema_errors(schema(), renamed), Not(IsEmpty())) << place << '/' << name;
        }
}

TEST(Html, LinksToTheResultsOfEachTreeAndNeedsNothingElse) {
    std::string const page = html_document(sample());
    EXPECT_EQ(markup_error(page), "");
    EXPECT_THAT(page, AllOf(HasSubstr("href=\"bob/report.html\""), HasSubstr("href=\"dora%20%231/report.html\""),
                            HasSubstr("2 of 4 trees with defects"), HasSubstr("left out")));
    EXPECT_EQ(count_tags(page, "script") + count_tags(page, "link") + count_tags(page, "img"), 0U);
    EXPECT_THAT(page, Not(HasSubstr("http")));
}

TEST(Junit, HasASuiteForEachTree) {
    std::string const text = junit_document(sample());
    EXPECT_EQ(markup_error(text), "");
    EXPECT_EQ(count_tags(text, "testsuite"), 4U);
    EXPECT_EQ(count_tags(text, "testcase"), 5U);
    EXPECT_EQ(count_tags(text, "failure"), 3U);
    EXPECT_EQ(count_tags(text, "error"), 1U);
    EXPECT_THAT(text, HasSubstr("<testsuite name=\"bob\" tests=\"2\" failures=\"2\" errors=\"0\""));
}

TEST(Text, SortsByVerdictAndCountsWhatTreesShare) {
    std::string const text = text_document(sample(), false);
    EXPECT_LT(text.find("bob"), text.find("dora"));
    EXPECT_LT(text.find("dora"), text.find("carol"));
    EXPECT_LT(text.find("carol"), text.find("alice"));
    EXPECT_THAT(
        text, AllOf(HasSubstr("   2 trees  I6 conservation · at exit\n     1 tree   I3 isolation · at fork"),
                    HasSubstr("4 trees: 2 with defects, 1 does not build, 1 nothing found\n"), Not(HasSubstr("\033"))));
    EXPECT_THAT(text_document(sample(), true), HasSubstr("\033[31m✗"));
}

TEST(Text, ANameCannotWriteToTheTerminal) {
    Class all = sample();
    all.rows[0].name = "a\033[2Jb\nc";
    EXPECT_THAT(text_document(all, false), AllOf(Not(HasSubstr("\033")), Not(HasSubstr("b\nc"))));
}

TEST(Judgement, IsTheGravestThatHolds) {
    Class all;
    EXPECT_EQ(judgement(all), Judgement::nothing_found);
    auto const add = [&](Outcome outcome) {
        all.rows.push_back({"x", "x", std::move(outcome), {}});
        return judgement(all);
    };
    EXPECT_EQ(add(with({})), Judgement::nothing_found);
    EXPECT_EQ(add(unchecked(Verdict::not_reached, "")), Judgement::unchecked);
    EXPECT_EQ(add(unchecked(Verdict::could_not_run, "")), Judgement::machine);
    EXPECT_EQ(add(unchecked(Verdict::not_reproducible, "")), Judgement::not_reproducible);
    EXPECT_EQ(add(with({leak()})), Judgement::defects);
}

TEST(Judgement, NoVerdictButOnePasses) {
    for (std::size_t i = 0; i < kVerdicts; ++i) {
        Class all;
        all.rows.push_back({"x", "x", unchecked(Verdict{static_cast<std::uint8_t>(i)}, ""), {}});
        bool const passes = judgement(all) == Judgement::nothing_found;
        EXPECT_EQ(passes, all.rows.front().outcome.verdict == Verdict::nothing_found) << i;
    }
}

// Names, messages and stories may hold any byte.
RC_GTEST_PROP(DocumentsProperty, StayWellFormedWhateverAStudentHandsIn,
              (std::string const& name, std::string const& message)) {
    Class all = sample();
    all.rows[0].name = name;
    all.rows[0].files = {name + "/log.txt"};
    all.rows[2].outcome.message = message;
    all.rows[1].outcome.found[0].story = message;
    all.rows[1].outcome.found[0].heading = name;
    RC_ASSERT(markup_error(html_document(all)).empty());
    RC_ASSERT(markup_error(junit_document(all)).empty());
    RC_ASSERT(schema_errors(schema(), json::parse(json_document(all))).empty());
    RC_ASSERT(text_document(all, false).find('\033') == std::string::npos);
}

}  // namespace
}  // namespace vmcheck::classes
