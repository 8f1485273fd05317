// Going through a recorded run, both ways.
#include "checker/debug/timeline.h"

#include "checker/debug/recorded_guest_testing.h"

#include <chrono>
#include <map>

namespace vmcheck::debug {
namespace {

using Why = Hit::Why;

bool never() {
    return false;
}

TEST(Timeline, GoesToAnyInstructionAndBackToTheSameState) {
    for (unsigned const harts : {1U, 3U}) {
        RecordedGuest guest(harts, harts == 1 ? SCENARIO_SSTC_TIMER : SCENARIO_COUNT_TOGETHER);
        Timeline& timeline = *guest.timeline;
        EXPECT_EQ(guest.board.hash(), guest.hash);
        std::map<std::uint64_t, std::uint64_t> hashes;
        for (std::uint64_t i = 0; i <= 20; ++i) {
            Position const at{timeline.end().value * i / 20};
            timeline.go_to(at);
            EXPECT_EQ(timeline.now(), at);
            hashes[at.value] = guest.board.hash();
        }
        EXPECT_EQ(hashes[timeline.end().value], guest.hash);
        for (auto each = hashes.rbegin(); each != hashes.rend(); ++each) {
            timeline.go_to(Position{each->first});
            EXPECT_EQ(guest.board.hash(), each->second) << each->first << " on " << harts;
        }
    }
}

TEST(Timeline, StepsForwardsUndoStepsBackwards) {
    RecordedGuest guest;
    Timeline& timeline = *guest.timeline;
    timeline.go_to(Position{1'000});
    Search const step{.steps = board::HartIndex{0}};
    std::vector<VirtAddr> there, back;
    for (int i = 0; i < 50; ++i) {
        there.push_back(guest.pc());
        EXPECT_EQ(timeline.forward(step, never).why, Why::here);
    }
    EXPECT_EQ(timeline.now(), Position{1'050});
    for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(timeline.backward(step, never).why, Why::here);
        back.insert(back.begin(), guest.pc());
    }
    EXPECT_EQ(there, back);
}

// Each store that changed it is found from before and from behind: between them lie the same instructions.
TEST(Timeline, FindsWhoWroteWatchedBytes) {
    RecordedGuest guest;
    Timeline& timeline = *guest.timeline;
    std::uint64_t const last = guest.ticks();
    ASSERT_GT(last, 3U);
    timeline.go_to(Position{0});
    Search const search{.watches = {ticks_watch()}};
    std::vector<std::uint64_t> stores;
    while (timeline.forward(search, never).why == Why::watch) stores.push_back(timeline.now().value - 1);
    EXPECT_EQ(timeline.now(), timeline.end());
    EXPECT_EQ(stores.size(), last);
    for (std::uint64_t ticks = last; ticks-- > 0;) {
        EXPECT_EQ(timeline.backward(search, never).why, Why::watch);
        EXPECT_EQ(guest.ticks(), ticks);  // as it was before
        EXPECT_EQ(timeline.now().value, stores.back());
        stores.pop_back();
    }
    EXPECT_EQ(timeline.backward(search, never).why, Why::end);
    EXPECT_EQ(timeline.now(), Position{0});
}

TEST(Timeline, FindsWhoReadsWatchedBytes) {
    RecordedGuest guest;
    Timeline& timeline = *guest.timeline;
    timeline.go_to(Position{0});
    // The handler loads what it then stores, one more.
    Search const reads{.watches = {ticks_watch(Watch::Kind::read)}},
        both{.watches = {ticks_watch(Watch::Kind::access)}};
    EXPECT_EQ(timeline.forward(reads, never).why, Why::watch);
    EXPECT_EQ(guest.ticks(), 0U);
    Position const read = timeline.now();
    EXPECT_EQ(timeline.forward(both, never).why, Why::watch);
    EXPECT_EQ(guest.ticks(), 1U);
    EXPECT_EQ(timeline.backward(both, never).why, Why::watch);
    EXPECT_EQ(guest.ticks(), 0U);
    EXPECT_EQ(timeline.backward(both, never).why, Why::watch);
    EXPECT_EQ(timeline.now().value, read.value - 1);
}

TEST(Timeline, StopsAtBreakpointsInTheirOrder) {
    RecordedGuest guest;
    Timeline& timeline = *guest.timeline;
    timeline.go_to(Position{500});
    VirtAddr const place = guest.pc();
    Search const search{.breakpoints = {place}};
    std::vector<std::uint64_t> there;
    while (timeline.forward(search, never).why == Why::here) there.push_back(timeline.now().value);
    EXPECT_GT(there.size(), 5U);
    while (timeline.backward(search, never).why == Why::here && timeline.now() > Position{500}) {
        EXPECT_EQ(timeline.now().value, there.back());
        EXPECT_EQ(guest.pc(), place);
        there.pop_back();
    }
    EXPECT_TRUE(there.empty());
}

TEST(Timeline, EndsWhereItIsInterrupted) {
    RecordedGuest guest(1, SCENARIO_LOOP_IN_M);
    Timeline& timeline = *guest.timeline;
    timeline.go_to(Position{0});
    EXPECT_EQ(timeline.forward({}, [] { return true; }).why, Why::interrupted);
    EXPECT_LT(timeline.now(), timeline.end());
    Position const at{timeline.end().value - 3};
    timeline.go_to(at);
    EXPECT_EQ(timeline.backward({}, [] { return true; }).why, Why::interrupted);
    EXPECT_EQ(timeline.now(), at);
}

// Backwards over more than ten million instructions costs them once, and the way to where it ends.
TEST(Timeline, GoesBackOverTenMillionInstructionsInOnePass) {
    RecordedGuest guest(1, SCENARIO_LOOP_IN_M, {}, board::Parcels{26'000});
    Timeline& timeline = *guest.timeline;
    ASSERT_GT(timeline.end().value, 10'000'000U);
    std::uint64_t const before = timeline.executed();
    auto const began = std::chrono::steady_clock::now();
    EXPECT_EQ(timeline.backward({.watches = {ticks_watch()}}, never).why, Why::end);
    EXPECT_EQ(timeline.now(), Position{0});
    EXPECT_LT(timeline.executed() - before, timeline.end().value * 11 / 10);
    // A second at most; more where a sanitizer watches, or the machine is busy.
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{30});
}

TEST(Timeline, KeepsToItsMemoryAndStillGoesAnywhere) {
    RecordedGuest guest(1, SCENARIO_SSTC_TIMER, {100, 40'000});
    guest.timeline->go_to(Position{guest.timeline->end().value / 2});
    std::uint64_t const hash = guest.board.hash();
    guest.timeline->go_to(Position{3});
    guest.timeline->go_to(Position{guest.timeline->end().value / 2});
    EXPECT_EQ(guest.board.hash(), hash);
}

}  // namespace
}  // namespace vmcheck::debug
