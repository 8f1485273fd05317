// JUnit, Gradescope, GitHub and HTML: each holds what it must, and no byte of a kernel breaks it.

#include "checker/report/format.h"
#include "checker/report/github.h"
#include "checker/report/gradescope.h"
#include "checker/report/html.h"
#include "checker/report/junit.h"
#include "checker/report/markup_testing.h"
#include "checker/report/sample_testing.h"

#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace vmcheck::report {
namespace {

using testing::any_session;
using testing::count_tags;
using ::testing::HasSubstr;
using testing::markup_error;
using ::testing::Not;
using testing::parent_keeps_w;
using testing::session_with;
using ::testing::StartsWith;

TEST(Junit, HasASuiteForEachKernelAndACaseForEachInvariant) {
    Session skips = session_with({});
    skips.counts.checks.evaluated[4] = 0;
    std::string const text = junit_document({session_with({parent_keeps_w()}), skips});
    EXPECT_EQ(markup_error(text), "");
    EXPECT_EQ(count_tags(text, "testsuite"), 2U);
    EXPECT_EQ(count_tags(text, "testcase"), 20U);
    EXPECT_EQ(count_tags(text, "failure"), 1U);
    EXPECT_EQ(count_tags(text, "skipped"), 1U);
    EXPECT_THAT(text, HasSubstr(R"(tests="10" failures="1" errors="0" skipped="0")"));
    EXPECT_THAT(text, HasSubstr(R"(tests="10" failures="0" errors="0" skipped="1")"));
    EXPECT_THAT(text, HasSubstr("<failure type=\"I3\" message=\"After p0&#39;s fork"));
    EXPECT_THAT(text, HasSubstr("uvmcopy, kernel/vm.c:318")) << "the failure carries the text report";
}

TEST(Junit, AdviceAndFlakyFindingsFailNothing) {
    Finding advice = parent_keeps_w();
    advice.severity = Severity::advice;
    Finding flaky = parent_keeps_w();
    flaky.reproduced = 0;
    EXPECT_EQ(count_tags(junit_document({session_with({advice, flaky})}), "failure"), 0U);
}

TEST(Formats, EachTellsTheVerdictOfQemu) {
    Finding finding = parent_keeps_w();
    EXPECT_THAT(render(Format::text, {session_with({finding})}), Not(HasSubstr("On QEMU")));
    finding.on_qemu = {QemuVerdict::State::not_tried, "remap & <x>"};
    auto const session = session_with({finding});
    for (Format format : {Format::text, Format::json, Format::gradescope, Format::github})
        EXPECT_THAT(render(format, {session}), HasSubstr("remap & <x>")) << static_cast<int>(format);
    for (Format format : {Format::junit, Format::html})
        EXPECT_THAT(render(format, {session}), HasSubstr("could not be tried: remap &amp; &lt;x&gt;"));
}

TEST(Gradescope, GivesEachInvariantItsShareOfAHundredPoints) {
    auto const json = nlohmann::json::parse(gradescope_document({session_with({parent_keeps_w()})}));
    ASSERT_EQ(json.at("tests").size(), spec::kInvariants);
    double score = 0;
    for (auto const& test : json.at("tests")) {
        EXPECT_EQ(test.at("max_score").get<double>(), 10.0);
        score += test.at("score").get<double>();
    }
    EXPECT_EQ(score, 90.0);
    auto const& isolation = json.at("tests").at(2);
    EXPECT_EQ(isolation.at("status"), "failed");
    EXPECT_EQ(isolation.at("visibility"), "visible");
    EXPECT_THAT(isolation.at("output").get<std::string>(), HasSubstr("After p0's fork"));
}

TEST(Gradescope, AKernelThatIsWrongRightAfterBootLosesThosePoints) {
    Session session = session_with({});
    session.boot_violations = {
        {.invariant = spec::Invariant::rights, .story = "text is writable", .expected = "R-XU", .seen = "RWXU"}};
    auto const json = nlohmann::json::parse(gradescope_document({session}));
    EXPECT_EQ(json.at("tests").at(1).at("score").get<double>(), 0.0);
}

TEST(Github, AnnotatesTheLikelyLine) {
    std::string const text = github_annotations({session_with({parent_keeps_w()})});
    EXPECT_THAT(text, StartsWith("::error file=kernel/vm.c,line=318,title=I3 isolation at fork::After p0's fork, "));
    EXPECT_THAT(text, HasSubstr("%0Ap0 fork p1%0A"));
    EXPECT_THAT(github_annotations({session_with({})}), StartsWith("::notice title=vmcheck::"));
}

TEST(Github, AdviceIsAWarning) {
    Finding advice = parent_keeps_w();
    advice.severity = Severity::advice;
    EXPECT_THAT(github_annotations({session_with({advice})}), StartsWith("::warning "));
}

TEST(Html, IsOneFileThatNeedsNoNetworkAndFitsAPhone) {
    std::string const text = html_document({session_with({parent_keeps_w()}), session_with({})});
    EXPECT_EQ(markup_error(text), "");
    EXPECT_THAT(text, HasSubstr("width=device-width"));
    EXPECT_THAT(text, HasSubstr("prefers-color-scheme: dark"));
    EXPECT_THAT(text, HasSubstr("<div class=\"scroll\"><table>")) << "each table scrolls by itself";
    EXPECT_THAT(text, Not(HasSubstr("\n<table>")));
    for (char const* word : {"<script", "<link", "<img", "http://", "https://", "url("})
        EXPECT_THAT(text, Not(HasSubstr(word)));
    EXPECT_THAT(text, HasSubstr("uvmcopy, kernel/vm.c:318"));
    EXPECT_THAT(text, HasSubstr("void p1(void)")) << "the user program is in it";
    EXPECT_THAT(text, HasSubstr("Nothing found"));
}

TEST(Format, EveryNameIsKnownAndEveryFormatSaysSomething) {
    for (Format format : {Format::text, Format::json, Format::junit, Format::gradescope, Format::html, Format::github})
        EXPECT_FALSE(render(format, {session_with({parent_keeps_w()})}).empty());
    EXPECT_EQ(parse_format("junit"), Format::junit);
    EXPECT_EQ(parse_format("pdf"), std::nullopt);
    EXPECT_EQ(format_names(), "text, json, junit, gradescope, html, github");
}

RC_GTEST_PROP(FormatProperty, WhateverAKernelSaysXmlAndHtmlStayWellFormed, ()) {
    Session const session = *any_session();
    RC_ASSERT(markup_error(junit_document({session})) == "");
    RC_ASSERT(markup_error(html_document({session})) == "");
}

RC_GTEST_PROP(FormatProperty, WhateverAKernelSaysGradescopeGetsJson, ()) {
    RC_ASSERT(!nlohmann::json::parse(gradescope_document({*any_session()}), nullptr, false).is_discarded());
}

RC_GTEST_PROP(FormatProperty, WhateverAKernelSaysEveryLineForGithubIsACommandOfOurs, ()) {
    Session const session = *any_session();
    std::string const text = github_annotations({session});
    std::size_t lines = 0;
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1, ++lines)
        RC_ASSERT(text.compare(at, 2, "::") == 0);
    RC_ASSERT(lines == session.findings.size() + session.boot_violations.size());
}

}  // namespace
}  // namespace vmcheck::report
