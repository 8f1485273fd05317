#include "impl/control/harts.h"

#include "impl/control/bare_board_testing.h"

#include <gtest/gtest.h>

namespace vmcheck {
namespace {

using board::HartIndex;
using board::Register;
using spec::kInit;

constexpr spec::ProcId kP1{1};
constexpr FrameNo kTable0{0x80010}, kTable1{0x80020};
constexpr HartIndex kHart0{0}, kHart1{1};

// p0 and p1, on a board whose harts are in the kernel.
struct TwoProcesses {
    explicit TwoProcesses(unsigned count) : board(test::bare_board(count)) {
        EXPECT_TRUE(roster.recognise({kTable0, 0, VMCHECK_AGENT_FRESH}));
        roster.expect_child(kInit, kP1);
        EXPECT_TRUE(roster.recognise({kTable1, tag_of(kInit), 0}));
    }

    // As a hart looks whose process has executed the hypercall.
    void stand(HartIndex hart, spec::ProcId who, FrameNo table) {
        constexpr std::uint64_t kSv39 = std::uint64_t{8} << 60;
        board.write(hart, Register::satp, kSv39 | table.value);
        board.write(hart, Register::privilege, 0);
        standing.at[hart.value] = who;
    }

    board::Board board;
    Roster roster;
    Standing standing;
    Harts harts{board, roster, standing};
};

TEST(Turns, AProcessStandsOnTheHartThatItAskedOn) {
    TwoProcesses on(2);
    on.stand(kHart1, kP1, kTable1);
    EXPECT_EQ(on.harts.hart_of(kP1), kHart1);
    EXPECT_EQ(on.harts.hart_of(kInit), std::nullopt);
}

TEST(Turns, OneThatIsAtWorkDoesNotStand) {
    TwoProcesses on(2);
    on.stand(kHart1, kP1, kTable1);
    on.roster.begin_order(kP1);
    EXPECT_FALSE(on.harts.stands_at_hypercall(kHart1));
}

TEST(Turns, NorDoesOneWhoseHartHasGoneOnToTheKernelOrToAnother) {
    TwoProcesses on(2);
    on.stand(kHart1, kP1, kTable1);
    on.board.write(kHart1, Register::privilege, 1);
    EXPECT_FALSE(on.harts.stands_at_hypercall(kHart1));
    on.stand(kHart1, kP1, kTable0);
    EXPECT_FALSE(on.harts.stands_at_hypercall(kHart1));
}

TEST(Turns, WithOneHartNobodyNeedsToBeLookedFor) {
    TwoProcesses on(1);
    on.stand(kHart0, kInit, kTable0);
    EXPECT_FALSE(on.harts.several());
    EXPECT_EQ(on.harts.hart_of(kInit), std::nullopt);
}

TEST(Turns, AHartThatStandsGivesWayToOneAtWorkEveryOtherTime) {
    TwoProcesses on(2);
    on.stand(kHart0, kInit, kTable0);
    ASSERT_TRUE(on.harts.give_way());
    EXPECT_EQ(on.board.current_hart(), kHart1);
    on.harts.turn_to(kHart0);
    EXPECT_FALSE(on.harts.give_way());
    EXPECT_EQ(on.board.current_hart(), kHart0);
    EXPECT_TRUE(on.harts.give_way());
}

TEST(Turns, NoHartGivesWayToOneThatStands) {
    TwoProcesses on(2);
    on.stand(kHart0, kInit, kTable0);
    on.stand(kHart1, kP1, kTable1);
    EXPECT_FALSE(on.harts.give_way());
    on.harts.turn_to_next_that_stands();
    EXPECT_EQ(on.board.current_hart(), kHart1);
}

TEST(Turns, AnOrderTakesItsProcessFromItsHart) {
    TwoProcesses on(2);
    on.stand(kHart0, kInit, kTable0);
    on.harts.order_begins();
    EXPECT_FALSE(on.harts.stands_at_hypercall(kHart0));
}

TEST(Turns, OnlyThoseThatStandAreParked) {
    TwoProcesses on(3);
    on.stand(kHart0, kInit, kTable0);
    on.stand(kHart1, kP1, kTable1);
    on.harts.park_all_that_stand_but(kHart1);
    EXPECT_TRUE(on.board.is_parked(kHart0));
    EXPECT_FALSE(on.board.is_parked(kHart1));
    EXPECT_FALSE(on.board.is_parked(HartIndex{2}));
    on.harts.release_all();
    EXPECT_FALSE(on.board.is_parked(kHart0));
}

TEST(Turns, TheHartThatIsLeftStaysAndTheNextGoesOn) {
    TwoProcesses on(2);
    EXPECT_EQ(on.harts.park_current(), kHart0);
    EXPECT_TRUE(on.board.is_parked(kHart0));
    EXPECT_EQ(on.board.current_hart(), kHart1);
}

}  // namespace
}  // namespace vmcheck
