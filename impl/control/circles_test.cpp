#include "impl/control/circles.h"

#include "impl/control/bare_board_testing.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace vmcheck {
namespace {

using board::Register;
using Why = spec::Stuck::Why;

constexpr std::uint32_t kCount = 0x00150513;           // addi a0, a0, 1
constexpr std::uint32_t kStoreCount = 0x00a63023;      // sd a0, 0(a2)
constexpr std::uint32_t kReserve = 0x100626af;         // lr.w a3, (a2)
constexpr std::uint32_t kKeep = 0x18a626af;            // sc.w a3, a0, (a2)
constexpr std::uint32_t kAgainIfLost = 0xfe069ce3;     // bnez a3, .-8
constexpr std::uint32_t kReturnFromTrap = 0x10200073;  // sret
constexpr PhysAddr kData = test::kCode + 0x1000, kHandler = test::kCode + 0x100, kUser = test::kCode + 0x200;

// A board that stands in S-mode before these instructions.
board::Board board_with(std::initializer_list<std::uint32_t> code) {
    board::Board board = test::bare_board();
    PhysAddr at = test::kCode;
    for (std::uint32_t const instruction : code) {
        test::put(board, at, instruction);
        at = at + 4;
    }
    board.write(Register::pc, test::kCode.value);
    board.write(Register::privilege, static_cast<std::uint64_t>(board::Privilege::supervisor));
    board.write(static_cast<Register>(12), kData.value);
    EXPECT_TRUE(board.take_golden());
    return board;
}

TEST(Circles, TheSamePlaceWithTheSameRegistersAndMemory) {
    board::Board board = board_with({test::kLoopForEver});
    auto const circle = find_circle(board);
    ASSERT_TRUE(circle);
    EXPECT_EQ(circle->why, Why::circles);
    EXPECT_FALSE(circle->others_run);
    EXPECT_EQ(board.elapsed(), board::Parcels{0}) << "the board is as it was";
}

TEST(Circles, ALoopThatCountsIsNone) {
    board::Board board = board_with({kCount, test::kBackByOne});
    EXPECT_FALSE(find_circle(board));
}

TEST(Circles, ALoopThatCountsInMemoryIsNone) {
    constexpr std::uint32_t kLoad = 0x00063503, kForget = 0x00000513, kBackByFour = 0xff1ff06f;
    board::Board board = board_with({kLoad, kCount, kStoreCount, kForget, kBackByFour});  // ld a0; li a0, 0
    EXPECT_FALSE(find_circle(board));
}

// To stop after each block costs the reservation: the loop would look endless.
TEST(Circles, AStoreConditionalThatSucceedsIsNone) {
    constexpr std::uint32_t kBackByFour = 0xff1ff06f;
    board::Board board = board_with({kReserve, kKeep, kAgainIfLost, kCount, kBackByFour});
    EXPECT_FALSE(find_circle(board));
}

// A board about to run a user instruction that is illegal there; the handler does this, and goes back to it.
board::Board board_that_traps(std::initializer_list<std::uint32_t> handler) {
    board::Board board = board_with({kReturnFromTrap});
    PhysAddr at = kHandler;
    for (std::uint32_t const instruction : handler) {
        test::put(board, at, instruction);
        at = at + 4;
    }
    test::put(board, at, kReturnFromTrap);
    test::put(board, kUser, test::kWaitForInterrupt);
    board.write(Register::stvec, kHandler.value);
    board.write(Register::medeleg, 0xffff);
    board.write(Register::sepc, kUser.value);
    return board;
}

TEST(Circles, TheSameTrapAgainAndAgainIsTold) {
    board::Board board = board_that_traps({});
    for (auto* const find : {&find_circle, &find_short_circle}) {
        auto const circle = find(board);
        ASSERT_TRUE(circle);
        EXPECT_EQ(circle->why, Why::same_trap);
        EXPECT_EQ(circle->at.value, kUser.value);
        EXPECT_EQ(circle->cause, 2U);
        EXPECT_TRUE(circle->others_run);
    }
}

TEST(Circles, ATrapThatIsCountedIsNoShortOne) {
    constexpr std::uint32_t kLoad = 0x00063583, kCountIt = 0x00158593, kStoreIt = 0x00b63023, kForget = 0x00000593;
    board::Board board = board_that_traps({kLoad, kCountIt, kStoreIt, kForget});  // a1
    EXPECT_FALSE(find_short_circle(board)) << "the kernel may give up";
}

TEST(Circles, EachOfThreeHartsIsLookedAt) {
    board::Board board = test::bare_board(3);
    test::put(board, test::kCode, kCount);
    test::put(board, test::kCode + 4, test::kBackByOne);
    test::put(board, kHandler, test::kLoopForEver);
    auto const puts = [&](std::uint64_t hart, PhysAddr at) {
        board.write(board::HartIndex{hart}, Register::pc, at.value);
    };
    puts(0, test::kCode);
    puts(1, kHandler);
    puts(2, kHandler);
    board.select_hart(board::HartIndex{1});
    EXPECT_TRUE(board.take_golden());
    EXPECT_FALSE(find_circle(board)) << "hart 0 counts";
    puts(0, kHandler);
    EXPECT_TRUE(find_circle(board));
}

TEST(Circles, ATrapOnOneOfTwoHartsIsSeenAtOnceUnlessSomebodyIsHeld) {
    board::Board board = test::bare_board(2);
    test::put(board, test::kCode, kReturnFromTrap);
    test::put(board, kHandler, kReturnFromTrap);
    test::put(board, kUser, test::kWaitForInterrupt);
    test::put(board, kData, test::kLoopForEver);
    board::HartIndex const traps{0}, idles{1};
    board.write(traps, Register::pc, test::kCode.value);
    board.write(traps, Register::privilege, static_cast<std::uint64_t>(board::Privilege::supervisor));
    board.write(traps, Register::stvec, kHandler.value);
    board.write(traps, Register::medeleg, 0xffff);
    board.write(traps, Register::sepc, kUser.value);
    board.write(idles, Register::pc, kData.value);
    EXPECT_TRUE(board.take_golden());
    for (auto const current : {traps, idles}) {
        board.select_hart(current);
        auto const circle = find_short_circle(board);
        ASSERT_TRUE(circle);
        EXPECT_EQ(circle->why, Why::same_trap);
        EXPECT_EQ(circle->at.value, kUser.value);
        EXPECT_EQ(board.current_hart(), current) << "the board is as it was";
    }
    board.park_hart(idles, true);
    EXPECT_FALSE(find_short_circle(board)) << "it may be what the trap waits for";
    board.park_hart(idles, false);
    board.write(traps, Register::pc, kData.value);
    EXPECT_TRUE(board.take_golden());
    EXPECT_FALSE(find_short_circle(board)) << "what one spins for, the other may do";
}

TEST(Circles, AHartThatAsksAtAHypercallIsNotInOne) {
    board::Board board = board_with({test::kEcall, test::kBackByOne});
    board.write(Register::privilege, static_cast<std::uint64_t>(board::Privilege::user));
    board.write(Register::a7, VMCHECK_HYPERCALL);
    EXPECT_FALSE(find_circle(board));
}

}  // namespace
}  // namespace vmcheck
