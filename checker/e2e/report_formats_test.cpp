// What real runs write, held against the formats' rules by tools that are not ours: xmllint for JUnit, Chromium for
// HTML, python3-jsonschema for JSON and Gradescope.

#include "checker/e2e/command.h"
#include "checker/report/formats_testing.h"
#include "checker/report/night.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <regex>
#include <sstream>

namespace vmcheck::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using report::testing::all_schema_errors;
using testing::HasSubstr;
using testing::IsEmpty;

bool is_installed(std::string const& tool) {
    return base::find_program(tool).has_value();
}

// One run with findings, one clean, one with something missing and one that is wrong right after boot.
struct Case {
    char const* name;
    char const* kernel;
    int exit_code;
};
void PrintTo(Case const& run, std::ostream* out) {
    *out << run.kernel;
}
constexpr Case kCases[] = {
    {"finding", "mutants/16-parent-keeps-w", 1},
    {"clean", "cow-lazy", 0},
    {"missing", "hostile/free-list-in-circles-from-boot", 1},
    {"markup", "hostile/panics-in-markup", 1},
    {"boot", "mutants/58-bss-not-zeroed", 1},
};

class ReportFormats : public testing::TestWithParam<Case> {
  protected:
    // The report in this format, of a real run.
    std::string report(std::string const& format) const {
        Result const result =
            vmcheck({"verify", "--kernel", std::string(VMCHECK_KERNELS "/") + GetParam().kernel + "/kernel", "--runs",
                     "256", "--format", format, "--out", "report"},
                    scratch.path());
        EXPECT_EQ(result.exit_code, GetParam().exit_code) << result.err;
        return read(scratch.path() / "report");
    }
    bool clean() const { return GetParam().exit_code == 0; }

    Scratch scratch;
};

TEST_P(ReportFormats, JunitIsWhatItsSchemaSays) {
    if (!is_installed("xmllint")) GTEST_SKIP() << "xmllint is not installed (libxml2-utils)";
    std::string const text = report("junit");
    EXPECT_EQ(text.find("<failure") == std::string::npos, clean());
    std::string const command = "xmllint --noout --schema '" VMCHECK_REPORT "/junit.xsd' '";
    ShellResult const checked = shell(command + (scratch.path() / "report").string() + "'");
    EXPECT_EQ(checked.exit_code, 0) << checked.said;
    // The schema can say no.
    std::string const wrong = scratch.file("wrong", std::regex_replace(text, std::regex(" tests=\"[0-9]*\""), ""));
    EXPECT_NE(shell(command + wrong + "'").exit_code, 0);
}

TEST_P(ReportFormats, JsonIsWhatItsSchemaSays) {
    if (!report::testing::can_check_schemas()) GTEST_SKIP() << "python3-jsonschema is not installed";
    EXPECT_THAT(all_schema_errors(VMCHECK_REPORT "/findings.schema.json", {json::parse(report("json"))}), IsEmpty());
}

TEST_P(ReportFormats, GradescopeIsWhatItsSchemaSays) {
    if (!report::testing::can_check_schemas()) GTEST_SKIP() << "python3-jsonschema is not installed";
    char const* const schema = VMCHECK_REPORT "/gradescope.schema.json";
    json document = json::parse(report("gradescope"));
    EXPECT_THAT(all_schema_errors(schema, {document}), IsEmpty());
    double score = 0, score_max = 0;
    for (json const& test : document.at("tests")) {
        EXPECT_LE(test.at("score"), test.at("max_score"));
        score += test.at("score").get<double>();
        score_max += test.at("max_score").get<double>();
    }
    EXPECT_NEAR(score_max, 100, 1e-6);
    EXPECT_EQ(score == score_max, clean());
    // The schema can say no.
    document.at("tests").at(0)["visibility"] = "public";
    document.at("tests").at(1).erase("score");
    EXPECT_THAT(all_schema_errors(schema, {document}), testing::SizeIs(2));
}

// GitHub, "Workflow commands for GitHub Actions": one command a line; %, CR and LF are escaped everywhere, and in
// properties : and , as well.
TEST_P(ReportFormats, GithubAnnotationsAreWorkflowCommands) {
    std::string const text = report("github");
    std::string const value = "(?:[^%:,]|%25|%0D|%0A|%3A|%2C)+";
    std::regex const command("::(error|warning|notice) (?:(?:file|line|title)=" + value +
                             ",)*(?:file|line|title)=" + value + "::(?:[^%]|%25|%0D|%0A)+");
    std::istringstream lines(text);
    std::size_t errors = 0;
    for (std::string line; std::getline(lines, line);) {
        std::smatch match;
        ASSERT_TRUE(std::regex_match(line, match, command)) << line;
        errors += match[1] == "error";
        EXPECT_THAT(line, testing::Not(HasSubstr("\r")));
    }
    EXPECT_EQ(errors == 0, clean()) << text;
    if (GetParam().name == std::string("finding")) {
        EXPECT_THAT(text, testing::ContainsRegex("::error file=memory/fork.cpp,line=[0-9]+,title="));
    }
}

INSTANTIATE_TEST_SUITE_P(Runs, ReportFormats, testing::ValuesIn(kCases),
                         [](auto const& parameter) { return std::string(parameter.param.name); });

// ---- HTML, as a browser shows it

// Has Chromium show the pages and gives what report_page_measure.html measures of each, at two widths.
json measure(Scratch const& scratch, std::string const& pages, bool dark) {
    fs::copy_file(VMCHECK_PAGE_MEASURE, scratch.path() / "measure.html", fs::copy_options::overwrite_existing);
    fs::path const shown = scratch.path() / "shown.html";
    // preferredColorScheme: 0 is dark, 1 is light.
    std::string const command =
        "timeout 120 chromium --headless=new --no-sandbox --disable-gpu --no-first-run --user-data-dir='" +
        (scratch.path() / "profile").string() + "' --blink-settings=preferredColorScheme=" + (dark ? "0" : "1") +
        " --window-size=1400,4000 --allow-file-access-from-files --virtual-time-budget=10000 --dump-dom 'file://" +
        (scratch.path() / "measure.html").string() + "?" + pages + "' >'" + shown.string() + "' 2>/dev/null";
    EXPECT_EQ(shell(command).exit_code, 0);
    std::string const text = read(shown);
    std::smatch match;
    if (!std::regex_search(text, match, std::regex("<pre id=\"result\">measured (.*) end</pre>"))) return {};
    return json::parse(std::regex_replace(match[1].str(), std::regex("&(lt|gt|amp);"), " "));
}

// A class with defects, one of them in overlapping steps, with a stripped kernel and one that does not build.
TEST(Pages, AreReadableAndNeverScrollSidewaysOnAnyScreen) {
    if (!is_installed("chromium")) GTEST_SKIP() << "chromium is not installed";
    Scratch scratch;
    for (char const* mutant : {"16-parent-keeps-w", "19-copy-keeps-old-reference"})
        scratch.copy(std::string(VMCHECK_KERNELS "/mutants/") + mutant + "/kernel",
                     std::string("class/") + mutant + "/kernel.elf");
    scratch.copy(VMCHECK_KERNELS "/hostile/free-list-in-circles-from-boot/kernel", "class/circles/kernel.elf");
    fs::create_directories(scratch.path() / "class/empty");
    Result const result =
        vmcheck({"verify", "class", "--findings", ".", "--runs", "64", class_option()}, scratch.path());
    ASSERT_EQ(result.exit_code, 1) << result.err;
    // Nights of ten kernels, with a long name, and a finding in each state.
    std::vector<report::Night> nights;
    nights.reserve(30);
    for (int i = 0; i < 30; ++i)
        nights.push_back(
            {.began = "2026-11-0" + std::to_string(i / 10 + 1) + "T21:04:03Z",
             .seconds = 1200,
             .kernel = "build/release/kernel/of-somebody-with-a-long-name-" + std::to_string(i % 10) + "/kernel",
             .profile = "cow fork, lazy sbrk",
             .kernel_commit = "0123456789abcdef",
             .vmcheck = "0.1.0 0123456789",
             .machine = "a processor, 2 cores",
             .seed = 20261126,
             .programs = 1'200'000,
             .steps = 60'000'000,
             .reached = 280,
             .lines = 295,
             .corpus = 19,
             .findings = {{.name = "fork-leaves-shared-page-writable-01234567",
                           .title = "fork leaves a shared page writable",
                           .state = static_cast<report::Night::State>(i / 10),
                           .change = report::Night::Change{
                               .commit = "0123456789abcdef",
                               .subject = "Pages that two share are copied by whoever writes first"}}}});
    scratch.file("nightly.html", report::night_page(nights));
    std::string const pages =
        "nightly.html,class.html,16-parent-keeps-w/report.html,19-copy-keeps-old-reference/report.html,circles/"
        "report.html";
    for (bool const dark : {false, true}) {
        json const seen = measure(scratch, pages, dark);
        ASSERT_EQ(seen.size(), 10U) << "not everything was measured";
        for (json const& each : seen) {
            EXPECT_EQ(each.at("dark"), dark) << each;
            EXPECT_EQ(each.at("inner_width"), each.at("width")) << each;
            EXPECT_GT(each.at("texts"), each.at("page") == "class.html" ? 30 : 50) << each;
            EXPECT_LE(each.at("scroll_width"), each.at("inner_width")) << each;
            EXPECT_GE(each.at("smallest_px"), 12) << each;
            EXPECT_GE(each.at("contrast"), 4.5) << each;
            EXPECT_EQ(each.at("columns_out_of_sight"), 0) << each;
        }
    }
}

}  // namespace
}  // namespace vmcheck::e2e
