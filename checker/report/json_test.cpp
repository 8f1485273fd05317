#include "checker/report/format.h"
#include "checker/report/formats_testing.h"
#include "checker/report/sample_testing.h"

#include <gtest/gtest.h>

#include <rapidcheck.h>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace vmcheck::report {
namespace {

using nlohmann::json;
using testing::session_with;

json in_json(Finding const& finding) {
    return json::parse(json_document({session_with({finding})})).at("sessions").at(0).at("findings").at(0);
}

class JsonSchema : public ::testing::Test {
  protected:
    void SetUp() override {
        if (!testing::can_check_schemas()) GTEST_SKIP() << "python3-jsonschema is not installed";
    }
    static std::vector<std::string> errors_in(std::vector<SessionResult> const& sessions) {
        return testing::all_schema_errors(VMCHECK_FINDINGS_SCHEMA, {json::parse(json_document(sessions))});
    }
};

TEST_F(JsonSchema, IsWhatADocumentIs) {
    Finding died = testing::finding_of(spec::Invariant::liveness, "vmcheck 1\nprofile cow\np0 fork p1\np1 load brk 1\n",
                                       {testing::made_child()}, {spec::Ends{}}, testing::panicked("x"));
    died.evidence.trace.last = CodePlace{"usertrap", "kernel/trap.c", 70};
    Finding flaky = testing::parent_keeps_w();
    flaky.reproduced = 0;
    flaky.on_qemu = {QemuVerdict::State::confirmed, "prints \"FAIL: x\""};
    SessionResult boot = session_with({});
    boot.boot_violations = died.divergence.violations;
    EXPECT_THAT(errors_in({session_with({testing::parent_keeps_w(), died, flaky}), boot, session_with({})}),
                ::testing::IsEmpty());
}

TEST_F(JsonSchema, KnowsEveryMemberAndMissesEachThatIsNotThere) {
    json const document = json::parse(json_document({session_with({testing::parent_keeps_w()})}));
    json const& finding = document.at("sessions").at(0).at("findings").at(0);
    // Each with one thing wrong: a member left out, one that is something else, one too many.
    std::vector<std::string> what;
    std::vector<json> wrong;
    for (auto const& [name, value] : finding.items()) {
        what.push_back(name + " is not required");
        wrong.push_back(document);
        wrong.back().at("sessions").at(0).at("findings").at(0).erase(name);
        what.push_back(name + " may be anything");
        wrong.push_back(document);
        wrong.back().at("sessions").at(0).at("findings").at(0)[name] = json::array({json::array()});
    }
    what.emplace_back("there may be anything else");
    wrong.push_back(document);
    wrong.back()["else"] = 1;
    auto const errors = testing::schema_errors(VMCHECK_FINDINGS_SCHEMA, wrong);
    for (std::size_t i = 0; i < wrong.size(); ++i)
        EXPECT_THAT(errors[i], ::testing::Not(::testing::IsEmpty())) << what[i];
}

TEST_F(JsonSchema, HasWhyThereIsNoMore) {
    std::vector<json> documents;
    for (Stop const& stop :
         {Stop{Stop::Cause::build, "the kernel does not build", "tree", {"vm.c:3: error: \"x\"", "y"}, {{"a", "b"}}},
          Stop{Stop::Cause::boot, "it does not boot.", "kernel"}, Stop{Stop::Cause::unsupported, "is empty.", "kernel"},
          Stop{Stop::Cause::machine, "x: cannot be written."}, Stop{Stop::Cause::usage, "no x."},
          Stop{Stop::Cause::interrupted, "interrupted.", "tree"}}) {
        documents.push_back(json::parse(json_document({session_with({})}, {.stop = stop})));
        json const& stopped = documents.back().at("stopped");
        EXPECT_EQ(parse_cause(stopped.at("cause").get<std::string>()), stop.cause);
        EXPECT_EQ(stopped.at("message"), stop.message);
        EXPECT_EQ(stopped.at("details"), json(stop.details));
        EXPECT_EQ(stopped.at("left_out").size(), stop.left_out.size());
        EXPECT_EQ(stopped.at("about").is_null(), stop.about.empty());
    }
    EXPECT_THAT(testing::all_schema_errors(VMCHECK_FINDINGS_SCHEMA, documents), ::testing::IsEmpty());
    EXPECT_FALSE(parse_cause("gremlins"));
    EXPECT_TRUE(json::parse(json_document({})).at("stopped").is_null());
}

TEST(Json, CarriesTheVerdictOfQemuWhereThereIsOne) {
    Finding finding = testing::parent_keeps_w();
    EXPECT_TRUE(in_json(finding).at("on_qemu").is_null());
    finding.on_qemu = {QemuVerdict::State::confirmed, "prints \"FAIL: x\""};
    EXPECT_EQ(json(in_json(finding).at("on_qemu")), json({{"verdict", "confirmed"}, {"how", "prints \"FAIL: x\""}}));
}

TEST(Json, CarriesTheUserProgramOrWhyThereIsNone) {
    Finding finding = testing::parent_keeps_w();
    EXPECT_EQ(in_json(finding).at("repro_c"), *finding.repro_c);
    EXPECT_TRUE(in_json(finding).at("why_no_repro_c").is_null());
    finding.repro_c = tl::unexpected(std::string("it needs a kalloc that fails"));
    EXPECT_TRUE(in_json(finding).at("repro_c").is_null());
    EXPECT_EQ(in_json(finding).at("why_no_repro_c"), "it needs a kalloc that fails");
}

TEST(Json, CarriesTheLikelyPlace) {
    json const finding = in_json(testing::parent_keeps_w());
    EXPECT_EQ(finding.at("look_at").at(0).at("function"), "uvmcopy");
    EXPECT_EQ(finding.at("rank"), "isolation");
}

// Not one property for each: they are checked in one go.
TEST_F(JsonSchema, IsWhatADocumentIsWhateverAKernelSays) {
    constexpr int kSessions = 100;
    std::vector<json> documents;
    for (int size = 0; size < kSessions; ++size) {
        auto const session = testing::any_session()(rc::Random(static_cast<std::uint64_t>(size)), size).value();
        documents.push_back(json::parse(json_document({session})));
    }
    EXPECT_THAT(testing::all_schema_errors(VMCHECK_FINDINGS_SCHEMA, documents), ::testing::IsEmpty());
}

}  // namespace
}  // namespace vmcheck::report
