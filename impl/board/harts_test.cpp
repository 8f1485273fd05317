// Several harts: whose turn it is, and what they see of each other.

#include "impl/board/test_guest.h"

#include <gtest/gtest.h>

#include <numeric>

namespace vmcheck::board::test {
namespace {

constexpr PhysAddr kShared{GUEST_SHARED_AT};
// Longer than any of these tests runs: the turn has to end by itself.
constexpr Blocks kForEver{std::uint64_t{1} << 40};

Config config_of(unsigned harts, Blocks slice) {
    Config config = small_config();
    config.harts = harts;
    config.hart_slice = slice;
    return config;
}

TEST(Harts, EachKnowsItsNumber) {
    Board board = board_with(SCENARIO_READ_HART, config_of(3, Blocks{100}));
    EXPECT_TRUE(stopped_by<stop::BudgetExhausted>(board.run(Parcels{100'000})));
    for (std::uint64_t hart = 0; hart < 3; ++hart) {
        EXPECT_EQ(board.read_u64(PhysAddr{GUEST_HARTS_AT} + 8 * hart), hart + 1);
    }
}

TEST(Harts, ATurnTooShortForAnAtomicLoopIsRefused) {
    EXPECT_EQ(Board::create(config_of(2, Blocks{15})).error().message,
              "A hart's turn must last at least 16 blocks, not 15.");
    EXPECT_TRUE(Board::create(config_of(2, Blocks{16})));
}

// --- memory --------------------------------------------------------------------------------------

TEST(Harts, AReservationIsLostWhenAnotherStoresTheSameValue) {
    Board board = board_with(SCENARIO_RESERVATION, config_of(2, Blocks{100}));
    ASSERT_TRUE(finished(board.run(kPlenty)));
    EXPECT_NE(board.read(HartIndex{0}, Register::a0), 0u);
}

TEST(Harts, AReservationIsKeptWhereNobodyElseRuns) {
    Board board = board_with(SCENARIO_RESERVATION, config_of(2, kForEver));
    board.park_hart(HartIndex{1}, true);
    ASSERT_TRUE(finished(board.run(kPlenty)));
    EXPECT_EQ(board.read(HartIndex{0}, Register::a0), 0u);
}

class CountTogether : public testing::TestWithParam<std::uint64_t> {};

TEST_P(CountTogether, NoUpdateIsLost) {
    for (unsigned const harts : {2u, 3u}) {
        constexpr std::uint64_t kTimes = 500;
        Board board = board_with(SCENARIO_COUNT_TOGETHER, config_of(harts, Blocks{GetParam()}), kTimes, harts);
        ASSERT_TRUE(finished(board.run(kPlenty)));
        EXPECT_EQ(board.read_u64(kShared), harts * kTimes * 2);
        EXPECT_EQ(board.read_u64(kShared + 24), harts * kTimes);
    }
}

TEST(Harts, AnUpdateIsLostThoughOneBlockLoadsAndStores) {
    constexpr std::uint64_t kTimes = 500;
    auto const counted = [](std::uint64_t slice) {
        Board board = board_with(SCENARIO_COUNT_ALONE, config_of(2, Blocks{slice}), kTimes, 2);
        EXPECT_TRUE(finished(board.run(kPlenty)));
        return board.read_u64(kShared);
    };
    // An odd slice ends at the store every other time.
    EXPECT_LT(counted(17), 2 * kTimes);
    EXPECT_EQ(counted(17), counted(17));
    EXPECT_EQ(counted(kForEver.value), 2 * kTimes);
}

TEST(Harts, ItIsKnownWhereTheTurnThatWasAskedForWentOver) {
    auto const turned_after = [](std::uint64_t blocks) {
        Board board = board_with(SCENARIO_COUNT_ALONE, config_of(2, kForEver), 500, 2);
        EXPECT_FALSE(board.turned());
        board.watch_turn();
        board.switch_hart_after(Blocks{blocks});
        EXPECT_TRUE(finished(board.run(kPlenty)));
        return board.turned().value_or(Turned{});
    };
    // In the loop, 32 blocks later: that place again, as many rounds later.
    Turned const early = turned_after(256), late = turned_after(288);
    EXPECT_NE(early.pc, VirtAddr{0});
    EXPECT_EQ(early.pc, late.pc);
    EXPECT_GT(early.passes, 1u);
    EXPECT_GT(late.passes, early.passes);
    EXPECT_LE(late.passes, early.passes + 32);
    // It is a store within its block; in the last of 500 rounds it has been passed 499 times.
    Turned const last = turned_after(1000);
    EXPECT_EQ(last.pc, early.pc);
    EXPECT_EQ(last.passes, 500u);
}

INSTANTIATE_TEST_SUITE_P(Slices, CountTogether, testing::Values(16, 17, 23, 64, 1000, kForEver.value),
                         testing::PrintToStringParamName());

TEST(Harts, CodeThatAnotherHartHasWrittenIsTranslatedAnew) {
    for (std::uint64_t const slice : {std::uint64_t{16}, std::uint64_t{333}, kForEver.value}) {
        constexpr std::uint64_t kRounds = 200;
        Board board = board_with(SCENARIO_PASS_CODE, config_of(2, Blocks{slice}), kRounds);
        ASSERT_TRUE(finished(board.run(kPlenty))) << slice;
        EXPECT_EQ(board.read(HartIndex{0}, Register::t0), kRounds * (kRounds + 1) / 2) << slice;
    }
}

// --- turns ---------------------------------------------------------------------------------------

TEST(Harts, ASoftwareInterruptWakesTheHartItIsFor) {
    for (std::uint64_t const slice : {std::uint64_t{16}, kForEver.value}) {
        Board board = board_with(SCENARIO_WAKE_UP, config_of(2, Blocks{slice}), 50);
        ASSERT_TRUE(finished(board.run(kPlenty))) << slice;
        EXPECT_EQ(board.read_u64(kShared), 50u);
    }
}

TEST(Harts, EachHasItsOwnTimer) {
    Board board = board_with(SCENARIO_OWN_TIMERS, config_of(3, Blocks{64}));
    EXPECT_TRUE(stopped_by<stop::Idle>(board.run(kPlenty)));
    for (std::uint64_t hart = 0; hart < 3; ++hart) {
        auto const came = board.read_u64(PhysAddr{GUEST_HARTS_AT} + 8 * hart);
        EXPECT_GE(came, (hart + 1) * 100);
        EXPECT_LT(came, (hart + 1) * 100 + 50);
    }
}

TEST(Harts, TwoThatWaitForALockThatNobodyHoldsUseUpTheBudget) {
    Board board = bare_board(config_of(2, kForEver));
    std::uint64_t const taken = 1;
    start(board, SCENARIO_COUNT_TOGETHER, 10, 2);
    ASSERT_TRUE(board.write(kShared + 16, std::as_bytes(std::span{&taken, 1})));
    EXPECT_TRUE(stopped_by<stop::BudgetExhausted>(board.run(Parcels{1'000'000})));
    EXPECT_GE(board.elapsed(), Parcels{1'000'000});
}

// In U-mode, at its first hypercall, each.
Board at_hypercalls(unsigned harts) {
    Board board = board_with(SCENARIO_HYPERCALLS, config_of(harts, kForEver));
    for (unsigned hart = 0; hart < harts; ++hart) {
        board.select_hart(HartIndex{hart});
        EXPECT_EQ(std::get<stop::Hypercall>(board.run(kPlenty)).hart, HartIndex{hart});
    }
    return board;
}

TEST(Harts, TheOneThatWasSelectedGoesOn) {
    Board board = at_hypercalls(3);
    for (std::uint64_t const hart : {2u, 0u, 1u, 1u}) {
        board.select_hart(HartIndex{hart});
        board.write(Register::a0, 100 + hart);
        EXPECT_EQ(std::get<stop::Hypercall>(board.run(kPlenty)).hart, HartIndex{hart});
    }
    EXPECT_EQ(board.read(HartIndex{0}, Register::t0), 100u);
    EXPECT_EQ(board.read(HartIndex{1}, Register::t0), 101u + 101u);
    EXPECT_EQ(board.read(HartIndex{2}, Register::t0), 102u);
}

TEST(Harts, AParkedHartStaysWhereItIs) {
    Board board = at_hypercalls(2);
    board.park_hart(HartIndex{0}, true);
    EXPECT_TRUE(board.is_parked(HartIndex{0}));
    board.select_hart(HartIndex{0});
    EXPECT_EQ(std::get<stop::Hypercall>(board.run(kPlenty)).hart, HartIndex{1});
    board.park_hart(HartIndex{0}, false);
    board.select_hart(HartIndex{0});
    EXPECT_EQ(std::get<stop::Hypercall>(board.run(kPlenty)).hart, HartIndex{0});
}

TEST(Harts, WhenAllAreParkedNothingCanHappen) {
    Board board = at_hypercalls(2);
    board.park_hart(HartIndex{0}, true);
    board.park_hart(HartIndex{1}, true);
    EXPECT_TRUE(stopped_by<stop::Idle>(board.run(kPlenty)));
}

TEST(Harts, ASwitchComesAfterExactlySoManyBlocks) {
    for (std::uint64_t const after : {1u, 2u, 77u}) {
        Board board = board_with(SCENARIO_RESERVATION, config_of(2, kForEver));
        board.switch_hart_after(Blocks{after});
        std::uint64_t const before = board.counters().blocks;
        // Hart 1 goes round in circles, so hart 0 comes back and ends.
        ASSERT_TRUE(finished(board.run(kPlenty)));
        EXPECT_GT(board.counters().blocks - before, 2000u);
        // The loop of hart 0 has a block a round; what comes before it are three at most.
        EXPECT_EQ(board.read(HartIndex{0}, Register::a0) != 0, after > 2) << after;
    }
}

TEST(Harts, ATimerThatIsRaisedLeavesTheClockAndSoTheOthersTimersAlone) {
    for (auto const scenario : {SCENARIO_SSTC_TIMER, SCENARIO_CLINT_TIMER}) {
        Board board = board_with(scenario, config_of(2, kForEver));
        board.park_hart(HartIndex{1}, true);
        ASSERT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
        TimeUnits const before = board.time();
        ASSERT_TRUE(board.raise_timer());
        EXPECT_EQ(board.time(), before);
        ASSERT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
        EXPECT_EQ(board.read_u64(kTicksAt), 1u);
    }
}

// --- snapshots -----------------------------------------------------------------------------------

TEST(Harts, ACheckpointHoldsAllOfThem) {
    Board board = board_with(SCENARIO_COUNT_TOGETHER, config_of(3, Blocks{20}), 300, 3);
    ASSERT_TRUE(stopped_by<stop::BudgetExhausted>(board.run(Parcels{3000})));
    auto const golden = board.take_golden();
    ASSERT_TRUE(golden);
    ASSERT_TRUE(stopped_by<stop::BudgetExhausted>(board.run(Parcels{3001})));
    Checkpoint const halfway = board.save();
    ASSERT_TRUE(finished(board.run(kPlenty)));
    std::uint64_t const end = board.hash();
    EXPECT_EQ(board.read_u64(kShared), 1800u);
    EXPECT_EQ(board.read_u64(kShared + 24), 900u);

    board.restore(halfway);
    ASSERT_TRUE(finished(board.run(kPlenty)));
    EXPECT_EQ(board.hash(), end);

    Board other = bare_board(config_of(3, Blocks{20}));
    ASSERT_TRUE(other.adopt(*golden));
    ASSERT_TRUE(stopped_by<stop::BudgetExhausted>(other.run(Parcels{3001})));
    ASSERT_TRUE(finished(other.run(kPlenty)));
    EXPECT_EQ(other.hash(), end);
}

TEST(Harts, ResetPutsAllOfThemAtTheEntry) {
    Board board = board_with(SCENARIO_COUNT_TOGETHER, config_of(2, Blocks{64}), 100, 2);
    ASSERT_TRUE(finished(board.run(kPlenty)));
    std::uint64_t const end = board.hash();
    std::array<std::uint64_t, 4> const zeros{};
    ASSERT_TRUE(board.write(kShared, std::as_bytes(std::span{zeros})));
    start(board, SCENARIO_COUNT_TOGETHER, 100, 2);
    board.park_hart(HartIndex{0}, false);
    ASSERT_TRUE(finished(board.run(kPlenty)));
    EXPECT_EQ(board.hash(), end);
}

}  // namespace
}  // namespace vmcheck::board::test
