#include "checker/report/coverage.h"

#include "checker/report/format.h"
#include "checker/report/sample_testing.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace vmcheck::report {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::session_with;

// Ten lines about memory, of which two can only panic (one has run nevertheless), and two have not run.
Coverage sample() {
    return {
        {{"uvmcopy", "kernel/vm.c", true, true, {{10, true}, {12, true}, {14, false}, {20, false}, {21, false, true}}},
         {"walk", "kernel/vm.c", true, true, {{30, true}, {31, true, true}, {32, true}}},
         {"fork", "kernel/proc.c", true, true, {{5, true}, {6, true}}},
         {"scheduler", "kernel/proc.c", false, false, {{50, false}}}}};
}

SessionResult with(Coverage coverage) {
    SessionResult session = session_with({});
    session.coverage = std::move(coverage);
    return session;
}

TEST(Coverage, IsALineThatSaysHowMuchOfWhatAndOneThatSaysWhatNot) {
    EXPECT_THAT(coverage_lines(with(sample())),
                ElementsAre("reached 77 % of 9 lines of vm.c, proc.c's fork; 1 more can only panic",
                            "never reached: vm.c:14-20 (uvmcopy)"));
}

TEST(Coverage, IsNeverRoundedUpToAll) {
    Coverage coverage{{{"walk", "vm.c", true, true, {}}}};
    for (unsigned line = 1; line <= 1000; ++line) coverage.functions.front().lines.push_back({line, line != 500});
    EXPECT_THAT(coverage_lines(with(coverage)).front(), HasSubstr("reached 99 % of 1000 lines"));
}

TEST(Coverage, OfFunctionsIsThatOfAKernelWithoutDebugInformation) {
    EXPECT_THAT(
        coverage_lines(with({{{"kalloc", "", true, true}, {"walk", "", true, false}, {"bread", "", false, true}}})),
        ElementsAre("reached 50 % of 2 functions (no debug information) of kalloc, walk", "never reached: walk"));
}

TEST(Coverage, IsNotSpokenOfWhereNothingIsKnownOrNothingWasRun) {
    EXPECT_THAT(coverage_lines(session_with({})), IsEmpty());
    SessionResult none = with(sample());
    none.counts.programs = 0;
    EXPECT_THAT(coverage_lines(none), IsEmpty());
}

TEST(Coverage, IsInEveryReportForPeopleAndInJson) {
    SessionResult const session = with(sample());
    EXPECT_THAT(render(Format::text, {session}), HasSubstr("  reached 77 % of 9 lines"));
    EXPECT_THAT(render(Format::html, {session}), HasSubstr("never reached: vm.c:14-20 (uvmcopy)"));
    json const coverage = json::parse(json_document({session})).at("sessions").at(0).at("coverage");
    EXPECT_EQ(coverage.at("of"), "lines");
    EXPECT_EQ(coverage.at("all"), 9);
    EXPECT_EQ(coverage.at("reached"), 7);
    EXPECT_EQ(coverage.at("only_panic"), 1);
    EXPECT_EQ(coverage.at("code"), json::parse(R"([{"file": "kernel/vm.c", "functions": []},
                                                   {"file": "kernel/proc.c", "functions": ["fork"]}])"));
    EXPECT_EQ(coverage.at("never_reached"),
              json::parse(R"([{"file": "kernel/vm.c", "function": "uvmcopy", "from": 14, "to": 20}])"));
}

TEST(Lcov, IsATracefile) {
    EXPECT_EQ(
        lcov_document({with({{{"fork", "kernel/proc.c", true, true, {{5, true}, {6, false}}},
                              {"idle", "kernel/proc.c", false, false, {{9, false}}}}})}),
        "TN:cow_fork__eager_sbrk\nSF:kernel/proc.c\nFN:5,fork\nFN:9,idle\nFNDA:1,fork\nFNDA:0,idle\nFNF:2\nFNH:1\n"
        "DA:5,1\nDA:6,0\nDA:9,0\nLF:3\nLH:1\nend_of_record\n");
}

TEST(Lcov, CountsALineOfTwoFunctionsOnceAndLetsNoNameForgeARecord) {
    std::string const document = lcov_document(
        {with({{{"a\nend_of_record", "k\n.c", true, true, {{5, true}}}, {"b", "k\n.c", true, false, {{5, false}}}}})});
    EXPECT_THAT(document, HasSubstr("DA:5,1\nLF:1\nLH:1\n"));
    EXPECT_EQ(document.find("\nend_of_record\n"), document.size() - std::string("\nend_of_record\n").size());
}

}  // namespace
}  // namespace vmcheck::report
