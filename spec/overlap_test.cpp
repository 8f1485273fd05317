#include "spec/overlap.h"

#include "spec/testing/judging.h"

#include <gtest/gtest.h>

namespace vmcheck::spec {
namespace {

using namespace testing;

// p0 with two children, p1 and p2, whose pids are 2 and 3.
World family() {
    Story story{kCowLazy};
    story.then(fork(0, 1), forked(2)).then(fork(0, 2), forked(3));
    return story.world();
}

// A machine of which nothing is looked at.
Observation nothing_seen() {
    return {};
}

PairVerdict verdict_of(World const& world, Pair const& pair, Outcome first, Outcome second,
                       FrameCensus const& before = kPlenty) {
    EXPECT_FALSE(why_not_together(world, pair));
    Observation const seen = nothing_seen();
    return judge(world, pair, {std::move(first), std::move(second)}, before, &seen);
}

TEST(Overlap, OfTwoProcessesIsAllowedAndOfOneIsNot) {
    World const world = family();
    Step const store = by(1, Store{at(Anchor::data), 8, 1});
    EXPECT_FALSE(why_not_together(world, {store, by(2, Store{at(Anchor::data), 8, 2})}));
    EXPECT_EQ(why_not_together(world, {store, by(1, Exit{0})}), "a process does one step at a time");
    EXPECT_EQ(why_not_together(world, {store, by(3, Exit{0})}), "p3 is not there");
}

TEST(Overlap, IsRefusedWhereAKernelMayLeaveAStepHalfDone) {
    World const world = family();
    Step const kill = by(0, Kill{ProcId{1}});
    EXPECT_TRUE(why_not_together(world, {kill, by(1, Store{at(Anchor::data), 8, 1})}));
    EXPECT_TRUE(why_not_together(world, {by(1, Exit{0}), kill}));
    EXPECT_TRUE(why_not_together(world, {kill, by(2, Kill{ProcId{1}})}));
    EXPECT_FALSE(why_not_together(world, {kill, by(2, Store{at(Anchor::data), 8, 1})}));
    EXPECT_TRUE(why_not_together(world, {by(1, Exec{}), fork(0, 3)}));
    EXPECT_TRUE(why_not_together(world, {by(1, Exec{}), by(2, Exec{})}));
    EXPECT_FALSE(why_not_together(world, {by(1, Exec{}), by(2, Exit{0})}));
}

TEST(Overlap, LetsAProcessBeKilledInItsSleep) {
    World const world = family();
    Step const kill = by(0, Kill{ProcId{1}});
    Pair const pair{by(1, PipeRead{at(Anchor::data), 4}), kill};
    Outcome killed = returned(0);
    PairVerdict const verdict = verdict_of(world, pair, ended(), killed);
    ASSERT_EQ(verdict.orders.size(), 1u);
    EXPECT_EQ(verdict.orders.front().after.find(ProcId{1})->life, Life::zombie);
    EXPECT_EQ(predict(world, pair), verdict.orders.front().after);
    EXPECT_EQ(verdict_of(world, pair, ended_as(Blocked{}), killed).violation->invariant, Invariant::liveness);
    EXPECT_EQ(verdict_of(world, pair, returned(kMinus1), killed).violation->invariant, Invariant::results);
    EXPECT_EQ(verdict_of(world, pair, ended(), returned(kMinus1)).violation->invariant, Invariant::results);
    EXPECT_TRUE(why_not_together(world, {kill, pair.first})) << "it may be gone before it sleeps";
    EXPECT_TRUE(why_not_together(world, {by(1, Store{at(Anchor::data), 8, 1}), kill})) << "it does not sleep";
    Pair on_two_harts = pair;
    on_two_harts.first.faults.switch_hart = 1;
    EXPECT_TRUE(why_not_together(world, on_two_harts)) << "it may be killed just before it sleeps";
}

TEST(Overlap, OfTwoPipeStepsIsRefusedUnlessTheReaderSleepsUntilTheOtherHasWritten) {
    World const empty = family();
    Step const read = by(1, PipeRead{at(Anchor::data), 4});
    Step const write = by(2, PipeWrite{at(Anchor::data), 4});
    EXPECT_FALSE(why_not_together(empty, {read, write}));
    EXPECT_FALSE(why_not_together(empty, {write, read}));
    EXPECT_TRUE(why_not_together(empty, {read, by(2, PipeRead{at(Anchor::data), 4})}));
    EXPECT_TRUE(why_not_together(empty, {write, by(1, PipeWrite{at(Anchor::data), 4})}));
    EXPECT_TRUE(why_not_together(empty, {read, by(2, Exit{0})})) << "nobody would wake the reader";
    Story filled{kCowLazy};
    filled.then(fork(0, 1), forked(2))
        .then(fork(0, 2), forked(3))
        .then(by(0, PipeWrite{at(Anchor::data), 4}), returned(4));
    EXPECT_TRUE(why_not_together(filled.world(), {read, write}));
}

TEST(Overlap, LetsAWaitSleepUntilTheChildHasEnded) {
    World const world = family();
    Pair const pair{by(0, Wait{}), by(1, Exit{7})};
    PairVerdict const verdict = verdict_of(world, pair, returned(2), ended());
    ASSERT_EQ(verdict.orders.size(), 1u);
    EXPECT_TRUE(verdict.orders.front().second_comes_first);
    EXPECT_EQ(verdict.orders.front().after.find(ProcId{1}), nullptr);
    // No order lets it miss the child, or take one that runs.
    EXPECT_EQ(verdict_of(world, pair, returned(kMinus1), ended()).violation->invariant, Invariant::results);
    EXPECT_EQ(verdict_of(world, pair, returned(3), ended()).violation->invariant, Invariant::results);
    EXPECT_EQ(verdict_of(world, pair, ended_as(Blocked{}), ended()).violation->invariant, Invariant::liveness);
    EXPECT_TRUE(why_not_together(world, {by(0, Wait{}), by(1, Store{at(Anchor::data), 8, 1})})) << "sleeps for good";
    // p1 dies of its second load.
    Step const touch = by(1, Touch{Address{Anchor::guard, -1}, 2});
    EXPECT_FALSE(why_not_together(world, {by(0, Wait{}), touch}));
    EXPECT_TRUE(why_not_together(world, {touch, by(0, Wait{})})) << "the wait would keep it from its second load";
}

TEST(Overlap, AllowsWhatEitherOrderAllows) {
    // p1 and its child p3 end at a time, while p0 waits: it may find p1 alone, or both.
    Story story{kCowLazy};
    story.then(fork(0, 1), forked(2)).then(fork(1, 3), forked(4)).then(by(3, Exit{0}), ended());
    Pair const pair{by(1, Exit{0}), by(0, Wait{})};
    EXPECT_EQ(verdict_of(story.world(), pair, ended(), returned(2)).orders.size(), 1u);
    EXPECT_EQ(verdict_of(story.world(), pair, ended(), returned(4)).orders.size(), 1u) << "an orphan by then";
    EXPECT_TRUE(verdict_of(story.world(), pair, ended(), returned(3)).violation);
}

TEST(Overlap, IsTheSameStateInBothOrdersWhereNothingIsInCommon) {
    World const world = family();
    Pair const pair{by(1, Store{at(Anchor::data), 8, 1}), by(2, Store{at(Anchor::data), 8, 2})};
    PairVerdict const verdict = verdict_of(world, pair, returned(0), returned(0));
    ASSERT_EQ(verdict.orders.size(), 2u);
    EXPECT_EQ(verdict.orders[0].after, verdict.orders[1].after);
    PairVerdict const killed = verdict_of(world, pair, returned(0), ended());
    ASSERT_TRUE(killed.violation);
    EXPECT_EQ(killed.violation->invariant, Invariant::results);
    EXPECT_TRUE(killed.violation_is_the_seconds);
}

TEST(Overlap, ExcusesAFailureByTheFramesThatTheOtherStepMayHold) {
    World const world = family();
    Pair const pair{fork(1, 3), fork(2, 4)};
    auto const frees = [&](std::uint64_t free) {
        return verdict_of(world, pair, forked(4), returned(kMinus1), FrameCensus{free}).violation.has_value();
    };
    std::uint64_t enough = 1;
    while (!frees(enough)) ++enough;
    // One fork alone must succeed with about half of that.
    EXPECT_FALSE(frees(enough / 2 + 1));
    EXPECT_TRUE(why_not(world, pair.first) == std::nullopt &&
                !advance(world, pair.first, returned(kMinus1), FrameCensus{enough / 2 + 1}));
}

TEST(Overlap, ReportsTheDeathOfTheMachineUnlessItIsAllowedForEither) {
    World const world = family();
    Pair const pair{by(1, Store{at(Anchor::data), 8, 1}), by(0, Store{at(Anchor::data), 8, 2})};
    PairVerdict const verdict = judge(world, pair, {ended_as(Panicked{"walk"}), std::nullopt}, kPlenty, nullptr);
    ASSERT_TRUE(verdict.violation);
    EXPECT_EQ(verdict.violation->invariant, Invariant::liveness);
    // Killed for want of memory, p0 takes the machine with it.
    PairVerdict const end =
        judge(world, pair, {returned(0), ended_as(Panicked{"init exiting"})}, kNothingFree, nullptr);
    ASSERT_FALSE(end.violation);
    EXPECT_TRUE(end.orders.front().after.over());
}

}  // namespace
}  // namespace vmcheck::spec
