#include "impl/control/harts.h"

#include "impl/control/bare_board_testing.h"

#include <gtest/gtest.h>

namespace vmcheck {
namespace {

using board::HartIndex;
using board::Register;
using spec::kInit;

constexpr spec::ProcId kChild{1};
constexpr FrameNo kInitsTable{0x80010}, kChildsTable{0x80020};
constexpr HartIndex kHart0{0}, kHart1{1};

// p0 and p1, on a board whose harts are in the kernel.
struct TwoProcesses {
    explicit TwoProcesses(unsigned count) : board(test::bare_board(count)) {
        EXPECT_TRUE(roster.recognise({kInitsTable, 0, VMCHECK_AGENT_FRESH}));
        roster.expect_child(kInit, kChild);
        EXPECT_TRUE(roster.recognise({kChildsTable, tag_of(kInit), 0}));
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
    on.stand(kHart1, kChild, kChildsTable);
    EXPECT_EQ(on.harts.hart_of(kChild), kHart1);
    EXPECT_EQ(on.harts.hart_of(kInit), std::nullopt);
}

TEST(Turns, OneThatIsAtWorkDoesNotStand) {
    TwoProcesses on(2);
    on.stand(kHart1, kChild, kChildsTable);
    on.roster.begin_order(kChild);
    EXPECT_FALSE(on.harts.stands_at_hypercall(kHart1));
}

TEST(Turns, NorDoesOneWhoseHartHasGoneOnToTheKernelOrToAnother) {
    TwoProcesses on(2);
    on.stand(kHart1, kChild, kChildsTable);
    on.board.write(kHart1, Register::privilege, 1);
    EXPECT_FALSE(on.harts.stands_at_hypercall(kHart1));
    on.stand(kHart1, kChild, kInitsTable);
    EXPECT_FALSE(on.harts.stands_at_hypercall(kHart1));
}

TEST(Turns, WithOneHartNobodyNeedsToBeLookedFor) {
    TwoProcesses on(1);
    on.stand(kHart0, kInit, kInitsTable);
    EXPECT_FALSE(on.harts.several());
    EXPECT_EQ(on.harts.hart_of(kInit), std::nullopt);
}

TEST(Turns, AHartThatStandsGivesWayToOneAtWorkEveryOtherTime) {
    TwoProcesses on(2);
    on.stand(kHart0, kInit, kInitsTable);
    ASSERT_TRUE(on.harts.give_way());
    EXPECT_EQ(on.board.current_hart(), kHart1);
    on.harts.turn_to(kHart0);
    EXPECT_FALSE(on.harts.give_way());
    EXPECT_EQ(on.board.current_hart(), kHart0);
    EXPECT_TRUE(on.harts.give_way());
}

TEST(Turns, NoHartGivesWayToOneThatStands) {
    TwoProcesses on(2);
    on.stand(kHart0, kInit, kInitsTable);
    on.stand(kHart1, kChild, kChildsTable);
    EXPECT_FALSE(on.harts.give_way());
    on.harts.turn_to_next_that_stands();
    EXPECT_EQ(on.board.current_hart(), kHart1);
}

TEST(Turns, AnOrderTakesItsProcessFromItsHart) {
    TwoProcesses on(2);
    on.stand(kHart0, kInit, kInitsTable);
    on.harts.order_begins();
    EXPECT_FALSE(on.harts.stands_at_hypercall(kHart0));
}

TEST(Turns, OnlyThoseThatStandAreParked) {
    TwoProcesses on(3);
    on.stand(kHart0, kInit, kInitsTable);
    on.stand(kHart1, kChild, kChildsTable);
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
