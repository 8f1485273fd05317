#include "impl/control/roster.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

namespace vmcheck {
namespace {

using spec::kInit;
using spec::ProcId;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr ProcId kChild{1}, kOther{2};
constexpr FrameNo kInitsTable{100}, kChildsTable{101}, kOthersTable{102};

// p0 has made its first call, with nothing in s11.
Roster with_init() {
    Roster roster;
    EXPECT_EQ(roster.recognise({kInitsTable, 0, VMCHECK_AGENT_FRESH}), kInit);
    roster.set_pid(kInit, 1);
    roster.begin_step();
    return roster;
}

// p0 forks, and both come back from it.
void fork(Roster& roster, ProcId child, FrameNo table, std::uint64_t pid) {
    roster.expect_child(kInit, child);
    roster.begin_order(kInit);
    EXPECT_EQ(roster.recognise({kInitsTable, tag_of(kInit), pid}), kInit);
    roster.end_order(kInit);
    roster.set_pid(child, pid);
    EXPECT_EQ(roster.recognise({table, tag_of(kInit), 0}), child);
}

std::vector<ProcId> ids(std::vector<Agent> const& agents) {
    std::vector<ProcId> all;
    all.reserve(agents.size());
    for (Agent const& agent : agents) all.push_back(agent.id);
    return all;
}

TEST(Roster, TheFirstToAskIsInit) {
    Roster const roster = with_init();
    EXPECT_EQ(roster.current(), kInit);
    EXPECT_THAT(ids(roster.agents()), ElementsAre(kInit));
}

TEST(Roster, AProcessIsAtWorkFromItsOrderUntilItAsks) {
    Roster roster = with_init();
    roster.begin_order(kInit);
    EXPECT_TRUE(roster.is_at_work(kInit));
    EXPECT_FALSE(roster.result_of(kInit).has_value());
    ASSERT_TRUE(roster.recognise({kInitsTable, tag_of(kInit), 41}));
    EXPECT_FALSE(roster.is_at_work(kInit));
    auto const answer = roster.result_of(kInit);
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(std::get<spec::Returned>(*answer).value, 41U);
    roster.end_order(kInit);
    EXPECT_EQ(roster.orders(), 0U);
    EXPECT_FALSE(roster.result_of(kInit).has_value());
}

TEST(Roster, TheFirstAnswerCounts) {
    Roster roster = with_init();
    roster.begin_order(kInit);
    ASSERT_TRUE(roster.recognise({kInitsTable, tag_of(kInit), 41}));
    // It is interrupted at its hypercall and asks again, whatever is in a0 by then.
    ASSERT_TRUE(roster.recognise({kInitsTable, tag_of(kInit), 42}));
    EXPECT_EQ(std::get<spec::Returned>(*roster.result_of(kInit)).value, 41U);
}

TEST(Roster, AChildAsksWithItsParentsTagAndIsKnownByItsOwnTableAfterwards) {
    Roster roster = with_init();
    fork(roster, kChild, kChildsTable, 7);
    EXPECT_EQ(roster.current(), kChild);
    EXPECT_FALSE(roster.expects_child_of(kInit));
    EXPECT_EQ(roster.pid_of(kChild), 7U);
    EXPECT_EQ(roster.recognise({kChildsTable, tag_of(kChild), 0}), kChild);
    EXPECT_EQ(roster.recognise({kInitsTable, tag_of(kInit), 0}), kInit);
}

TEST(Roster, AChildThatIsFirstGetsItsPidWhenForkReturnsIt) {
    Roster roster = with_init();
    roster.expect_child(kInit, kChild);
    roster.begin_order(kInit);
    EXPECT_EQ(roster.recognise({kChildsTable, tag_of(kInit), 0}), kChild);
    EXPECT_TRUE(roster.is_at_work(kInit)) << "its child's call is no answer of its own";
    EXPECT_EQ(roster.pid_of(kChild), 0U);
    roster.set_pid(kChild, 7);
    EXPECT_EQ(roster.pid_of(kChild), 7U);
}

TEST(Roster, ForkReturnsZeroInTheChild) {
    Roster roster = with_init();
    roster.expect_child(kInit, kChild);
    auto const who = roster.recognise({kChildsTable, tag_of(kInit), 7});
    ASSERT_FALSE(who.has_value());
    EXPECT_EQ(who.error().what, "fork returned 0x7 in the child, where it must return 0");
}

TEST(Roster, NobodyRunsWhoWasNotForked) {
    Roster roster = with_init();
    auto const who = roster.recognise({kChildsTable, tag_of(kInit), 0});
    ASSERT_FALSE(who.has_value());
    EXPECT_THAT(who.error().what, HasSubstr("a process that nobody forked runs user code"));
    EXPECT_EQ(roster.current(), kInit) << "of a call that is nobody's nothing is remembered";
}

TEST(Roster, AForkThatFailedBringsNobody) {
    Roster roster = with_init();
    roster.expect_child(kInit, kChild);
    roster.abandon_child_of(kInit);
    EXPECT_FALSE(roster.recognise({kChildsTable, tag_of(kInit), 0}).has_value());
}

TEST(Roster, TableAndTagMustAgree) {
    Roster roster = with_init();
    fork(roster, kChild, kChildsTable, 7);
    auto const who = roster.recognise({kInitsTable, tag_of(kChild), 0});
    ASSERT_FALSE(who.has_value());
    EXPECT_THAT(who.error().what, HasSubstr("p0 came back with other registers"));
}

TEST(Roster, AChildMayGetTheTableOfOneThatEndsMeanwhile) {
    Roster roster = with_init();
    fork(roster, kChild, kChildsTable, 7);
    roster.begin_order(kChild);  // exit
    roster.expect_child(kInit, kOther);
    roster.begin_order(kInit);
    EXPECT_EQ(roster.recognise({kChildsTable, tag_of(kInit), 0}), kOther);
    EXPECT_TRUE(roster.is_at_work(kChild));
    EXPECT_EQ(roster.recognise({kChildsTable, tag_of(kOther), 0}), kOther) << "it is the frame's only owner now";
}

TEST(Roster, AfterAnExecItIsTheSameProcessWithAnotherTable) {
    Roster roster = with_init();
    roster.begin_exec(kInit);
    roster.begin_order(kInit);
    EXPECT_EQ(roster.recognise({kOthersTable, 0, VMCHECK_AGENT_FRESH}), kInit);
    EXPECT_TRUE(std::holds_alternative<spec::Restarted>(*roster.result_of(kInit)));
    roster.end_exec();
    EXPECT_EQ(roster.find(kInit)->root, kOthersTable);
    EXPECT_FALSE(roster.recognise({kInitsTable, 0, VMCHECK_AGENT_FRESH}).has_value()) << "nobody was told to exec";
}

TEST(Roster, AProcessThatEndedKeepsItsPidUntilItIsWaitedFor) {
    Roster roster = with_init();
    fork(roster, kChild, kChildsTable, 7);
    roster.end(kChild);
    EXPECT_EQ(roster.find(kChild), nullptr);
    EXPECT_EQ(roster.current(), std::nullopt);
    EXPECT_THAT(ids(roster.ended()), ElementsAre(kChild));
    EXPECT_EQ(roster.pid_of(kChild), 7U);
    roster.forget(7);
    EXPECT_EQ(roster.pid_of(kChild), std::nullopt);
    EXPECT_THAT(roster.take_ended_unasked(), IsEmpty());
}

TEST(Roster, ThatSomebodyEndedUnaskedIsToldOnce) {
    Roster roster = with_init();
    fork(roster, kChild, kChildsTable, 7);
    roster.end_unasked(kChild);
    EXPECT_THAT(roster.take_ended_unasked(), ElementsAre(kChild));
    EXPECT_THAT(roster.take_ended_unasked(), IsEmpty());
}

TEST(Roster, OneWhoIsWaitedForWhileAtWorkHasEnded) {
    Roster roster = with_init();
    fork(roster, kChild, kChildsTable, 7);
    roster.begin_order(kChild);
    roster.forget(7);
    EXPECT_EQ(roster.find(kChild), nullptr);
    EXPECT_THAT(ids(roster.ended()), IsEmpty());
}

TEST(Roster, AStepBeginsWithNobodyAtWorkAndNobodyExpected) {
    Roster roster = with_init();
    roster.expect_child(kInit, kChild);
    roster.begin_order(kInit);
    roster.begin_step();
    EXPECT_EQ(roster.orders(), 0U);
    EXPECT_FALSE(roster.expects_child_of(kInit));
    EXPECT_THAT(ids(roster.agents()), ElementsAre(kInit));
}

}  // namespace
}  // namespace vmcheck
