#include "checker/class/documents.h"

#include "checker/report/escape.h"
#include "checker/report/formats_testing.h"

#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace vmcheck::classes {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using report::testing::all_schema_errors;
using report::testing::Markup;
using report::testing::parse_markup;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

Found isolation() {
    return {"I3 fork", "defect", "isolation", "I3 isolation · at fork", "the parent's PTE still has PTE_W", true};
}
Found leak() {
    return {"I6 exit", "defect", "leak", "I6 conservation · at exit", "a frame never comes back", true};
}

TreeResult with(std::vector<Found> found) {
    TreeResult result;
    result.verdict = found.empty() ? TreeVerdict::nothing_found : TreeVerdict::defects;
    result.found = std::move(found);
    result.profile = "cow fork, lazy sbrk";
    result.programs = 100;
    return result;
}

TreeResult unchecked(TreeVerdict verdict, std::string message) {
    TreeResult result;
    result.verdict = verdict;
    result.message = std::move(message);
    return result;
}

Class sample_class() {
    Class all;
    all.directory = "class";
    all.options = {"--runs=50"};
    all.left_out = {"late.zip"};
    all.rows = {{"alice", "class/alice", with({}), {"alice/log.txt"}},
                {"bob", "class/bob/xv6", with({isolation(), leak()}), {"bob/report.html", "bob/1-I3-fork.c"}},
                {"carol", "class/carol", unchecked(TreeVerdict::does_not_build, "vm.c:3: error: \"x\", <y>"), {}},
                {"dora #1", "class/dora #1", with({leak()}), {"dora #1/report.html"}}};
    return all;
}

TEST(Csv, HasOneRowForEachTreeQuotedAsRfc4180Says) {
    std::string const text = csv_document(sample_class());
    EXPECT_THAT(text, StartsWith("tree,verdict,defects,"));
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 5);
    EXPECT_THAT(text, HasSubstr("\r\nbob,defects,2,0,0,I3 fork,isolation,"));
    EXPECT_THAT(text, HasSubstr(",\"vm.c:3: error: \"\"x\"\", <y>\",no,"));
}

TEST(Csv, AnEmptyFirstCellIsStillACell) {
    Class all = sample_class();
    all.rows.resize(1);
    all.rows.front().name.clear();
    EXPECT_THAT(csv_document(all), HasSubstr("\r\n,nothing found,0,"));
}

TEST(Csv, NothingInItIsAFormula) {
    Class all = sample_class();
    all.rows[0].name = "=HYPERLINK(1)";
    EXPECT_THAT(csv_document(all), HasSubstr("\r\n'=HYPERLINK(1),"));
}

class ClassSchema : public ::testing::Test {
  protected:
    void SetUp() override {
        if (!report::testing::can_check_schemas()) GTEST_SKIP() << "python3-jsonschema is not installed";
    }
};

TEST_F(ClassSchema, IsWhatADocumentIsWithAnyVerdict) {
    std::vector<json> documents{json::parse(json_document(sample_class()))};
    Class all = sample_class();
    for (std::size_t i = 0; i < kTreeVerdicts; ++i) {
        all.rows.front().result.verdict = TreeVerdict{static_cast<std::uint8_t>(i)};
        documents.push_back(json::parse(json_document(all)));
    }
    EXPECT_THAT(all_schema_errors(VMCHECK_CLASS_SCHEMA, documents), IsEmpty());
}

TEST_F(ClassSchema, MissesEachMemberThatIsNotThereOrIsSomethingElse) {
    json const document = json::parse(json_document(sample_class()));
    std::vector<std::string> what;
    std::vector<json> wrong;
    for (char const* place : {"", "/verdicts", "/trees/1", "/trees/1/found/0", "/shared_defects/0"})
        for (auto const& [name, value] : document.at(json::json_pointer(place)).items()) {
            what.push_back(std::string(place).append("/").append(name));
            wrong.push_back(document);
            wrong.back().at(json::json_pointer(place)).erase(name);
            what.push_back(what.back() + " as something else");
            wrong.push_back(document);
            wrong.back().at(json::json_pointer(place))[name] = json::array({json::array()});
        }
    auto const errors = report::testing::schema_errors(VMCHECK_CLASS_SCHEMA, wrong);
    for (std::size_t i = 0; i < wrong.size(); ++i) EXPECT_THAT(errors[i], Not(IsEmpty())) << what[i];
}

TEST(Html, LinksToTheResultsOfEachTreeAndNeedsNothingElse) {
    std::string const page = html_document(sample_class());
    Markup const markup = parse_markup(page);
    EXPECT_EQ(markup.error, "");
    EXPECT_THAT(page, AllOf(HasSubstr("href=\"bob/report.html\""), HasSubstr("href=\"dora%20%231/report.html\""),
                            HasSubstr("2 of 4 trees with defects"), HasSubstr("left out")));
    EXPECT_EQ(markup.count("//script | //link | //img"), 0U);
    EXPECT_THAT(page, Not(HasSubstr("http")));
}

TEST(Html, FoldsWhatIsInheritedAndMissingAndMarksWhatWasCheckedInPart) {
    Class all = sample_class();
    all.rows[0].result.left_out = {"notes -> /home/<me>"};
    all.rows[0].result.missing = {"The list of free frames was not found.", "Another."};
    all.rows[1].result.inherited = {"an int"};
    std::string const page = html_document(all);
    EXPECT_EQ(parse_markup(page).count("//td/details"), 4U) << "bob has a second finding as well";
    EXPECT_THAT(page, AllOf(HasSubstr("<summary>could not be checked: 2</summary>"),
                            HasSubstr("<summary>left out, since it leads out of the tree: 1</summary>"),
                            HasSubstr("<summary>inherited from the bare tree: 1</summary>"),
                            HasSubstr("◐ nothing found (partly checked)"), HasSubstr("✗ 2 defects"),
                            HasSubstr("! does not build")));
    EXPECT_THAT(html_document(sample_class()), HasSubstr("✓ nothing found"));
}

TEST(Html, SaysInWhichOrderTreesStand) {
    Class all = sample_class();
    all.rows.push_back(
        {"emil", "class/emil", with({{"I9 exit", "defect", "corruption", "a panic", "it panics", true}}), {}});
    std::string const page = html_document(all);
    std::vector<std::size_t> places;
    for (char const* text : {">trees</th>", "Trees with defects: 3</h2>", "gravest first", "name\">emil<",
                             "name\">bob<", "name\">dora #1<", "Trees without a verdict: 1</h2>", "name\">carol<",
                             "Trees in which nothing was found: 1</h2>", "name\">alice<"})
        places.push_back(page.find(text));
    EXPECT_NE(places.back(), std::string::npos);
    EXPECT_TRUE(std::is_sorted(places.begin(), places.end())) << ::testing::PrintToString(places);
}

TEST(Html, TheTableOfMistakesNamesItsColumnsOnAPhone) {
    EXPECT_EQ(parse_markup(html_document(sample_class())).count("//table[@class='shared']//td[not(@data-head)]"), 0U);
}

TEST(Junit, HasASuiteForEachTree) {
    Markup const junit = parse_markup(junit_document(sample_class()));
    EXPECT_EQ(junit.error, "");
    EXPECT_EQ(junit.count("/testsuites/testsuite"), 4U);
    EXPECT_EQ(junit.count("//testcase"), 5U);
    EXPECT_EQ(junit.count("//testcase/failure"), 3U);
    EXPECT_EQ(junit.count("//testcase/error"), 1U);
    EXPECT_EQ(junit.count("//testsuite[@name='bob' and @tests=2 and @failures=2 and @errors=0]"), 1U);
}

TEST(Text, SortsByVerdictAndCountsWhatTreesShare) {
    std::string const text = text_document(sample_class(), false);
    EXPECT_LT(text.find("bob"), text.find("dora"));
    EXPECT_LT(text.find("dora"), text.find("carol"));
    EXPECT_LT(text.find("carol"), text.find("alice"));
    EXPECT_THAT(
        text, AllOf(HasSubstr("   2 trees  I6 conservation · at exit\n     1 tree   I3 isolation · at fork"),
                    HasSubstr("4 trees: 2 with defects, 1 does not build, 1 nothing found\n"), Not(HasSubstr("\033"))));
    EXPECT_THAT(text_document(sample_class(), true), HasSubstr("\033[31m✗"));
}

TEST(Text, ANameCannotWriteToTheTerminal) {
    Class all = sample_class();
    all.rows[0].name = "a\033[2Jb\nc";
    EXPECT_THAT(text_document(all, false), AllOf(Not(HasSubstr("\033")), Not(HasSubstr("b\nc"))));
}

TEST(Judgement, IsTheGravestThatHolds) {
    Class all;
    EXPECT_EQ(judgement(all), Judgement::nothing_found);
    auto const add = [&](TreeResult result) {
        all.rows.push_back({"x", "x", std::move(result), {}});
        return judgement(all);
    };
    EXPECT_EQ(add(with({})), Judgement::nothing_found);
    EXPECT_EQ(add(unchecked(TreeVerdict::not_reached, "")), Judgement::unchecked);
    EXPECT_EQ(add(unchecked(TreeVerdict::could_not_run, "")), Judgement::machine);
    EXPECT_EQ(add(unchecked(TreeVerdict::not_reproducible, "")), Judgement::not_reproducible);
    EXPECT_EQ(add(with({leak()})), Judgement::defects);
}

TEST(Judgement, NoVerdictButOnePasses) {
    for (std::size_t i = 0; i < kTreeVerdicts; ++i) {
        Class all;
        all.rows.push_back({"x", "x", unchecked(TreeVerdict{static_cast<std::uint8_t>(i)}, ""), {}});
        bool const passes = judgement(all) == Judgement::nothing_found;
        EXPECT_EQ(passes, all.rows.front().result.verdict == TreeVerdict::nothing_found) << i;
    }
}

TEST(Progress, NamesWhatIsRunningAndWhatIsLeft) {
    EXPECT_EQ(progress_line({12, 300, {{"alice", 14s}, {"bob", 3s}}, 250s}),
              "checking  12 of 300 trees · alice 0:14 · bob 0:03 · about 4:10 left");
    EXPECT_EQ(progress_line({0, 2, {}, std::nullopt}), "checking  0 of 2 trees");
}

TEST(Progress, DoesNotGrowWithTheNumberOfJobs) {
    ClassProgress progress{0, 300, std::vector(32, std::pair{std::string("x"), std::chrono::milliseconds{1s}}), {}};
    EXPECT_THAT(progress_line(progress), ::testing::EndsWith(" · x 0:01 · 28 more"));
}

TEST(TimeLeft, IsEstimatedOnceEachWorkerHasEndedATree) {
    EXPECT_FALSE(time_left(10s, 1, 99, 2));
    EXPECT_EQ(time_left(10s, 2, 98, 2), 490s);
    EXPECT_EQ(time_left(10s, 2, 0, 2), 0s);
    EXPECT_FALSE(time_left(0s, 0, 5, 1));
}

TEST(ClockTime, HasHoursOnlyWhereThereAreSome) {
    EXPECT_EQ(clock_time(59'999ms), "0:59");
    EXPECT_EQ(clock_time(3'723s), "1:02:03");
}

// Names, messages and stories may hold any byte.
RC_GTEST_PROP(DocumentsProperty, StayWellFormedWhateverAStudentHandsIn,
              (std::string const& name, std::string const& message)) {
    Class all = sample_class();
    all.rows[0].name = name;
    all.rows[0].files = {name + "/log.txt"};
    all.rows[2].result.message = message;
    all.rows[1].result.found[0].story = message;
    all.rows[1].result.found[0].heading = name;
    RC_ASSERT(parse_markup(html_document(all)).error.empty());
    Markup const junit = parse_markup(junit_document(all));
    RC_ASSERT(junit.error.empty());
    auto const text = [&](char const* path) {
        return std::string(junit.document.select_node(path).attribute().value());
    };
    RC_ASSERT(text("//testsuite[1]/@name") == report::printable(name));
    RC_ASSERT(text("//error/@message") == report::printable(message));
    RC_ASSERT(!json::parse(json_document(all), nullptr, false).is_discarded());
    RC_ASSERT(text_document(all, false).find('\033') == std::string::npos);
}

}  // namespace
}  // namespace vmcheck::classes
