// JUnit, Gradescope, GitHub and HTML: each holds what it must, and no byte of a kernel breaks it.

#include "checker/report/escape.h"
#include "checker/report/format.h"
#include "checker/report/formats_testing.h"
#include "checker/report/sample_testing.h"
#include "checker/report/story.h"
#include "checker/report/verdict.h"

#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace vmcheck::report {
namespace {

using testing::any_session;
using ::testing::HasSubstr;
using testing::Markup;
using ::testing::Not;
using testing::parent_keeps_w;
using testing::parse_markup;
using testing::session_with;
using ::testing::StartsWith;

TEST(Junit, HasASuiteForEachKernelAndACaseForEachInvariant) {
    SessionResult skips = session_with({});
    skips.counts.checks.evaluated[4] = 0;
    std::string const text = junit_document({session_with({parent_keeps_w()}), skips});
    Markup const markup = parse_markup(text);
    EXPECT_EQ(markup.error, "");
    EXPECT_EQ(markup.count("/testsuites/testsuite"), 2U);
    EXPECT_EQ(markup.count("/testsuites/testsuite/testcase"), 20U);
    EXPECT_EQ(markup.count("//testcase/failure"), 1U);
    EXPECT_EQ(markup.count("//testcase/skipped"), 1U);
    EXPECT_EQ(markup.count("//testsuite[@tests=10 and @failures=1 and @errors=0 and @skipped=0]"), 1U);
    EXPECT_EQ(markup.count("//testsuite[@tests=10 and @failures=0 and @errors=0 and @skipped=1]"), 1U);
    pugi::xml_node const failure = markup.document.select_node("//failure").node();
    EXPECT_STREQ(failure.attribute("type").value(), "fork-leaves-shared-page-writable");
    EXPECT_THAT(failure.attribute("message").value(), StartsWith("After p0's fork"));
    EXPECT_THAT(failure.child_value(), HasSubstr("uvmcopy, kernel/vm.c:318")) << "it carries the text report";
}

TEST(Junit, AdviceAndFlakyFindingsFailNothing) {
    Finding advice = parent_keeps_w();
    advice.severity = Severity::advice;
    Finding flaky = parent_keeps_w();
    flaky.reproduced = 0;
    EXPECT_EQ(parse_markup(junit_document({session_with({advice, flaky})})).count("//failure"), 0U);
}

TEST(Formats, EachTellsTheVerdictOfQemu) {
    Finding finding = parent_keeps_w();
    EXPECT_THAT(render(Format::text, {session_with({finding})}), Not(HasSubstr("On QEMU")));
    finding.on_qemu = {QemuVerdict::State::not_tried, "remap & <x>"};
    auto const session = session_with({finding});
    for (Format format : {Format::text, Format::json, Format::gradescope, Format::github, Format::sarif})
        EXPECT_THAT(render(format, {session}), HasSubstr("remap & <x>")) << static_cast<int>(format);
    for (Format format : {Format::junit, Format::html})
        EXPECT_THAT(render(format, {session}), HasSubstr("could not be tried: remap &amp; &lt;x&gt;"));
}

TEST(Formats, TellWhichArgumentsDoNotMatter) {
    using Of = FreeArgument::Of;
    Finding finding = testing::finding_of(
        spec::Invariant::results, "vmcheck 1\nprofile cow\np0 sbrk +1p\np0 store rodata 1 = 7\np0 wait\n",
        {testing::gave(0x7000), testing::gave(0)}, {spec::Exactly{spec::kFailed}}, testing::gave(3));
    for (Format format : {Format::text, Format::html})
        EXPECT_THAT(render(format, {session_with({finding})}), Not(HasSubstr("(any ")));
    finding.evidence.free = {
        {{0}, Of::amount, 1, 65536, 3}, {{1}, Of::address, 0, 4095, 2}, {{1}, Of::value, 0, 255, 4}};
    auto const session = session_with({finding});
    EXPECT_THAT(render(Format::text, {session}),
                AllOf(HasSubstr("store rodata 1 = 7   ok                 ok\n"
                                "              (any address in rodata..rodata+1p, any value)\n"),
                      HasSubstr("(any amount of 1 to 65536 bytes)\n"), HasSubstr("(any ...): fails in the same way")));
    EXPECT_THAT(render(Format::html, {session}),
                AllOf(HasSubstr("store rodata 1 = 7 (any address in rodata..rodata+1p, any value)</td>"),
                      HasSubstr("<p class=\"dim\">(any ...) fails in the same way")));
    auto const document = nlohmann::json::parse(render(Format::json, {session}));
    auto const& steps = document.at("sessions").at(0).at("findings").at(0).at("steps");
    EXPECT_EQ(steps.at(1).at("free").at(0),
              nlohmann::json({{"argument", "address"}, {"words", "any address in rodata..rodata+1p"}, {"tried", 2}}));
    EXPECT_TRUE(steps.at(2).at("free").empty());
}

TEST(Gradescope, GivesEachInvariantItsShareOfAHundredPoints) {
    auto const document = nlohmann::json::parse(gradescope_document({session_with({parent_keeps_w()})}));
    ASSERT_EQ(document.at("tests").size(), spec::kInvariants);
    double score = 0;
    for (auto const& test : document.at("tests")) {
        EXPECT_EQ(test.at("max_score").get<double>(), 10.0);
        score += test.at("score").get<double>();
    }
    EXPECT_EQ(score, 90.0);
    auto const& isolation = document.at("tests").at(2);
    EXPECT_EQ(isolation.at("status"), "failed");
    EXPECT_EQ(isolation.at("visibility"), "visible");
    EXPECT_THAT(isolation.at("output").get<std::string>(), HasSubstr("After p0's fork"));
}

TEST(Gradescope, AKernelThatIsWrongRightAfterBootLosesThosePoints) {
    SessionResult session = session_with({});
    session.boot_violations = {
        {.invariant = spec::Invariant::rights,
         .process = spec::kInit,
         .place = spec::Address{spec::Anchor::text, 0},
         .facts = spec::WrongRights{spec::WrongRights::What::gained_write,
                                    spec::Rights{.read = true, .execute = true, .user = true},
                                    spec::Rights{.read = true, .write = true, .execute = true, .user = true}}}};
    auto const document = nlohmann::json::parse(gradescope_document({session}));
    EXPECT_EQ(document.at("tests").at(1).at("score").get<double>(), 0.0);
}

double score_of(nlohmann::json const& document) {
    double score = 0;
    for (auto const& test : document.at("tests")) score += test.at("score").get<double>();
    return score;
}
double score_of(SessionResult const& session, ReportOptions const& options = {}) {
    return score_of(nlohmann::json::parse(gradescope_document({session}, options)));
}

TEST(Gradescope, WhatWasNotCheckedGivesNoPointsUnlessStaffSaySo) {
    SessionResult stripped = session_with({});
    stripped.counts.checks.evaluated[4] = 0;
    EXPECT_EQ(score_of(stripped), 90.0);
    EXPECT_EQ(score_of(stripped, {.grant_unchecked = true}), 100.0);
    EXPECT_THAT(gradescope_document({stripped}), HasSubstr("withheld"));

    SessionResult eager = stripped;
    eager.kernel.nothing_counted = true;
    EXPECT_NEAR(score_of(eager), 100.0, 1e-9) << "a fork that copies by right counts nothing";
    Finding not_done = parent_keeps_w();
    not_done.signature.invariant = spec::Invariant::laziness;
    not_done.family = {.symptom = run::Symptom::lab_not_done, .way = spec::Way::fork};
    eager.findings = {not_done};
    EXPECT_EQ(score_of(eager), 80.0) << "asked for copy-on-write, it has neither done it nor its counts";
}

TEST(Formats, NothingPassesInASessionThatWasCutShort) {
    SessionResult session = session_with({parent_keeps_w()});
    session.interrupted = true;
    EXPECT_EQ(score_of(session), 0.0);
    Markup const junit = parse_markup(junit_document({session}));
    EXPECT_EQ(junit.count("//testcase/failure"), 1U) << "what was found is found";
    EXPECT_EQ(junit.count("//testcase/skipped"), 9U);
    session.findings.clear();
    EXPECT_THAT(html_document({session}), Not(HasSubstr("✓")));
    EXPECT_THAT(github_annotations({session}), StartsWith("::warning "));
    EXPECT_THAT(render(Format::text, {session}), HasSubstr("interrupted after 256 programs"));
    SessionResult nothing = session_with({});
    nothing.counts.programs = 0;
    EXPECT_EQ(score_of(nothing), 0.0);
    EXPECT_THAT(html_document({nothing}), Not(HasSubstr("✓")));
}

TEST(Formats, EachSaysWhyThereIsNoMore) {
    Stop const stop{Stop::Cause::build,
                    "the kernel does not build",
                    "tree",
                    {"vm.c:3: error: 'x' <undeclared>"},
                    {{"notes", "/home/<me>"}}};
    for (Format format :
         {Format::text, Format::json, Format::junit, Format::gradescope, Format::html, Format::github, Format::sarif}) {
        std::string const text = render(format, {}, {.stop = stop});
        EXPECT_THAT(text, HasSubstr("the kernel does not build")) << static_cast<int>(format);
        EXPECT_THAT(text, HasSubstr("vm.c:3: error: ")) << static_cast<int>(format);
        EXPECT_THAT(text, HasSubstr("notes")) << static_cast<int>(format);
    }
    EXPECT_EQ(score_of(nlohmann::json::parse(gradescope_document({session_with({})}, {.stop = stop}))), 0.0);
    EXPECT_EQ(parse_markup(junit_document({}, {.stop = stop})).count("//testcase/error"), 1U);
    EXPECT_EQ(parse_markup(html_document({}, {.stop = stop})).error, "");
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

TEST(Sarif, NamesTheMistakeItsLineAndTheStepsOfTheProgram) {
    Finding advice = parent_keeps_w();
    advice.severity = Severity::advice;
    auto const run = nlohmann::json::parse(sarif_document({session_with({parent_keeps_w(), advice})})).at("runs").at(0);
    EXPECT_EQ(run.at("tool").at("driver").at("rules").size(), 1U) << "one mistake, twice";
    auto const& result = run.at("results").at(0);
    EXPECT_EQ(result.at("ruleId"), "fork-leaves-shared-page-writable");
    EXPECT_EQ(result.at("level"), "error");
    EXPECT_EQ(run.at("results").at(1).at("level"), "note");
    auto const& place = result.at("locations").at(0).at("physicalLocation");
    EXPECT_EQ(place.at("artifactLocation").at("uri"), "kernel/vm.c");
    EXPECT_EQ(place.at("region").at("startLine"), 318);
    auto const& steps = result.at("codeFlows").at(0).at("threadFlows").at(0).at("locations");
    EXPECT_THAT(steps.at(0).at("location").at("message").at("text").get<std::string>(), HasSubstr("step 1: p0's fork"));
    EXPECT_GT(steps.size(), 1U) << "the way that it took";
    EXPECT_TRUE(run.at("invocations").at(0).at("executionSuccessful").get<bool>());
}

// Not one property for each: they are checked in one go.
TEST(Sarif, IsWhatItsSchemaSaysWhateverAKernelSays) {
    if (!testing::can_check_schemas()) GTEST_SKIP() << "python3-jsonschema is not installed";
    std::vector<nlohmann::json> documents{nlohmann::json::parse(
        sarif_document({session_with({parent_keeps_w()})}, {.stop = Stop{Stop::Cause::boot, "it does not boot."}}))};
    for (int size = 0; size < 50; ++size) {
        auto const session = any_session()(rc::Random(static_cast<std::uint64_t>(size)), size).value();
        documents.push_back(nlohmann::json::parse(sarif_document({session})));
    }
    EXPECT_THAT(testing::all_schema_errors(VMCHECK_SARIF_SCHEMA, documents), ::testing::IsEmpty());
    // The schema can say no.
    documents.resize(1);
    documents[0].at("runs").at(0).at("results").at(0).erase("ruleId");
    EXPECT_THAT(testing::all_schema_errors(VMCHECK_SARIF_SCHEMA, documents), ::testing::SizeIs(1));
}

TEST(Html, IsOneFileThatNeedsNoNetworkAndFitsAPhone) {
    std::string const text = html_document({session_with({parent_keeps_w()}), session_with({})});
    Markup const page = parse_markup(text);
    EXPECT_EQ(page.error, "");
    EXPECT_THAT(text, HasSubstr("width=device-width"));
    EXPECT_THAT(text, HasSubstr("prefers-color-scheme: dark"));
    EXPECT_GT(page.count("//table"), 0U);
    EXPECT_EQ(page.count("//table[not(parent::div[@class='scroll'])]"), 0U) << "each table scrolls by itself";
    EXPECT_EQ(page.count("//script | //link | //img"), 0U);
    for (char const* word : {"http://", "https://", "url("}) EXPECT_THAT(text, Not(HasSubstr(word)));
    EXPECT_THAT(text, HasSubstr("uvmcopy, kernel/vm.c:318"));
    EXPECT_THAT(text, HasSubstr("void p1(void)")) << "the user program is in it";
    EXPECT_THAT(text, HasSubstr("Nothing found"));
}

TEST(Html, SaysWhatEachInvariantAsksAndHowItCameOutWithoutColour) {
    SessionResult partly = session_with({parent_keeps_w()});
    partly.counts.checks.skipped[4] = 3;
    partly.counts.checks.evaluated[5] = 0;
    partly.findings.front().also = {{spec::Invariant::conservation, spec::index_of<spec::Wait>()}};
    std::string const text = html_document({partly});
    auto const row = [&](spec::Invariant invariant) {
        std::size_t const at = text.find("\">" + title_of(invariant) + "</td>");
        return text.substr(at, text.find("</tr>", at) - at);
    };
    for (std::size_t i = 1; i <= spec::kInvariants; ++i) {
        auto const invariant = static_cast<spec::Invariant>(i);
        EXPECT_THAT(row(invariant), HasSubstr(escape_markup(spec::promise(invariant))));
    }
    EXPECT_THAT(row(spec::Invariant::contents), HasSubstr("✓ held"));
    EXPECT_THAT(row(spec::Invariant::conservation), HasSubstr("✗ broken by finding 1"));
    EXPECT_THAT(row(spec::Invariant::isolation), HasSubstr("✗ broken"));
    EXPECT_THAT(row(spec::Invariant::counts), HasSubstr("◐ partly checked"));
    EXPECT_THAT(row(spec::Invariant::dangling), HasSubstr("– not checked"));
}

TEST(Html, ExplainsTheMarksBehindAStep) {
    Finding finding = parent_keeps_w();
    EXPECT_THAT(html_document({session_with({finding})}), Not(HasSubstr("<code>!oom n</code>")));
    finding.program.steps[0].faults.oom = 2;
    EXPECT_THAT(html_document({session_with({finding})}), HasSubstr("<code>!oom n</code> the n-th frame allocation"));
}

TEST(Format, EveryNameIsKnownAndEveryFormatSaysSomething) {
    for (Format format :
         {Format::text, Format::json, Format::junit, Format::gradescope, Format::html, Format::github, Format::sarif})
        EXPECT_FALSE(render(format, {session_with({parent_keeps_w()})}).empty());
    EXPECT_EQ(parse_format("junit"), Format::junit);
    EXPECT_EQ(parse_format("pdf"), std::nullopt);
    EXPECT_EQ(format_names(), "text, json, junit, gradescope, html, github, sarif");
}

RC_GTEST_PROP(FormatProperty, WhateverAKernelSaysXmlAndHtmlStayWellFormed, ()) {
    SessionResult const session = *any_session();
    Markup const junit = parse_markup(junit_document({session}));
    RC_ASSERT(junit.error == "");
    // What a kernel says comes out as it went in.
    RC_ASSERT(junit.document.select_node("//testsuite/@name").attribute().value() == printable(name_of(session)));
    std::vector<InvariantVerdict> const all = verdicts(session);
    for (InvariantVerdict const& verdict : all)
        if (verdict.state == InvariantVerdict::State::failed)
            RC_ASSERT(junit.document.find_node([&](pugi::xml_node node) {
                return node.name() == std::string("failure") && node.child_value() == printable(verdict.text);
            }));
    RC_ASSERT(parse_markup(html_document({session})).error == "");
}

RC_GTEST_PROP(FormatProperty, WhateverAKernelSaysGradescopeGetsJson, ()) {
    RC_ASSERT(!nlohmann::json::parse(gradescope_document({*any_session()}), nullptr, false).is_discarded());
}

RC_GTEST_PROP(FormatProperty, WhateverAKernelSaysEveryLineForGithubIsACommandOfOurs, ()) {
    SessionResult const session = *any_session();
    std::string const text = github_annotations({session});
    std::size_t lines = 0;
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1, ++lines)
        RC_ASSERT(text.compare(at, 2, "::") == 0);
    RC_ASSERT(lines == session.findings.size() + session.boot_violations.size() + session.kernel.left_out.size());
}

}  // namespace
}  // namespace vmcheck::report
