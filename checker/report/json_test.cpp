#include "checker/report/json.h"

#include "checker/report/sample_testing.h"
#include "checker/report/schema_testing.h"

#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <gmock/gmock.h>

#include <fstream>

namespace vmcheck::report {
namespace {

using nlohmann::json;
using testing::schema_errors;
using testing::session_with;

json schema() {
    std::ifstream file(VMCHECK_FINDINGS_SCHEMA);
    return json::parse(file);
}

std::vector<std::string> errors_in(std::vector<Session> const& sessions) {
    return schema_errors(schema(), json::parse(json_document(sessions)));
}

TEST(Json, IsWhatTheSchemaSays) {
    Finding died = testing::finding_of(spec::Invariant::liveness, "vmcheck 1\nprofile cow\np0 fork p1\np1 load brk 1\n",
                                       {"p1"}, "killed", "panic: x");
    died.evidence.trace.last = CodePlace{"usertrap", "kernel/trap.c", 70};
    Finding flaky = testing::parent_keeps_w();
    flaky.reproduced = 0;
    Session boot = session_with({});
    boot.boot_violations = died.divergence.violations;
    EXPECT_THAT(errors_in({session_with({testing::parent_keeps_w(), died, flaky}), boot, session_with({})}),
                ::testing::IsEmpty());
}

TEST(Json, TheSchemaKnowsEveryMemberAndMissesEachThatIsNotThere) {
    json const document = json::parse(json_document({session_with({testing::parent_keeps_w()})}));
    json const& finding = document.at("sessions").at(0).at("findings").at(0);
    for (auto const& [name, value] : finding.items()) {
        json without = document;
        without.at("sessions").at(0).at("findings").at(0).erase(name);
        EXPECT_THAT(schema_errors(schema(), without), ::testing::SizeIs(1)) << name << " is not required";
        json renamed = document;
        renamed.at("sessions").at(0).at("findings").at(0)[name] = json::array({json::array()});
        EXPECT_THAT(schema_errors(schema(), renamed), ::testing::Not(::testing::IsEmpty()))
            << name << " may be anything";
    }
    json more = document;
    more["else"] = 1;
    EXPECT_THAT(schema_errors(schema(), more), ::testing::SizeIs(1));
}

TEST(Json, CarriesTheVerdictOfQemuWhereThereIsOne) {
    Finding finding = testing::parent_keeps_w();
    EXPECT_TRUE(to_json(finding).at("on_qemu").is_null());
    finding.on_qemu = {QemuVerdict::State::confirmed, "prints \"FAIL: x\""};
    EXPECT_EQ(json(to_json(finding).at("on_qemu")), json({{"verdict", "confirmed"}, {"how", "prints \"FAIL: x\""}}));
    EXPECT_THAT(errors_in({session_with({finding})}), ::testing::IsEmpty());
}

TEST(Json, CarriesTheUserProgramAndTheLikelyPlace) {
    json const finding = to_json(testing::parent_keeps_w());
    EXPECT_THAT(finding.at("repro_c").get<std::string>(), ::testing::HasSubstr("fork()"));
    EXPECT_TRUE(finding.at("why_no_repro_c").is_null());
    EXPECT_EQ(finding.at("look_at").at(0).at("function"), "uvmcopy");
    EXPECT_EQ(finding.at("rank"), "isolation");
}

RC_GTEST_PROP(JsonProperty, WhateverAKernelSaysItStaysJsonOfTheSchema, ()) {
    RC_ASSERT(errors_in({*testing::any_session()}).empty());
}

}  // namespace
}  // namespace vmcheck::report
