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
struct Bench {
    explicit Bench(unsigned count) : board(test::bare_board(count)) {
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
    Bench bench(2);
    bench.stand(kHart1, kChild, kChildsTable);
    EXPECT_EQ(bench.harts.hart_of(kChild), kHart1);
    EXPECT_EQ(bench.harts.hart_of(kInit), std::nullopt);
}

TEST(Turns, OneThatIsAtWorkDoesNotStand) {
    Bench bench(2);
    bench.stand(kHart1, kChild, kChildsTable);
    bench.roster.begin_order(kChild);
    EXPECT_FALSE(bench.harts.stands_at_hypercall(kHart1));
}

TEST(Turns, NorDoesOneWhoseHartHasGoneOnToTheKernelOrToAnother) {
    Bench bench(2);
    bench.stand(kHart1, kChild, kChildsTable);
    bench.board.write(kHart1, Register::privilege, 1);
    EXPECT_FALSE(bench.harts.stands_at_hypercall(kHart1));
    bench.stand(kHart1, kChild, kInitsTable);
    EXPECT_FALSE(bench.harts.stands_at_hypercall(kHart1));
}

TEST(Turns, WithOneHartNobodyNeedsToBeLookedFor) {
    Bench bench(1);
    bench.stand(kHart0, kInit, kInitsTable);
    EXPECT_FALSE(bench.harts.several());
    EXPECT_EQ(bench.harts.hart_of(kInit), std::nullopt);
}

TEST(Turns, AHartThatStandsGivesWayToOneAtWorkEveryOtherTime) {
    Bench bench(2);
    bench.stand(kHart0, kInit, kInitsTable);
    ASSERT_TRUE(bench.harts.give_way());
    EXPECT_EQ(bench.board.current_hart(), kHart1);
    bench.harts.turn_to(kHart0);
    EXPECT_FALSE(bench.harts.give_way());
    EXPECT_EQ(bench.board.current_hart(), kHart0);
    EXPECT_TRUE(bench.harts.give_way());
}

TEST(Turns, NoHartGivesWayToOneThatStands) {
    Bench bench(2);
    bench.stand(kHart0, kInit, kInitsTable);
    bench.stand(kHart1, kChild, kChildsTable);
    EXPECT_FALSE(bench.harts.give_way());
    bench.harts.turn_to_next_that_stands();
    EXPECT_EQ(bench.board.current_hart(), kHart1);
}

TEST(Turns, AnOrderTakesItsProcessFromItsHart) {
    Bench bench(2);
    bench.stand(kHart0, kInit, kInitsTable);
    bench.harts.order_begins();
    EXPECT_FALSE(bench.harts.stands_at_hypercall(kHart0));
}

TEST(Turns, OnlyThoseThatStandAreParked) {
    Bench bench(3);
    bench.stand(kHart0, kInit, kInitsTable);
    bench.stand(kHart1, kChild, kChildsTable);
    bench.harts.park_all_that_stand_but(kHart1);
    EXPECT_TRUE(bench.board.is_parked(kHart0));
    EXPECT_FALSE(bench.board.is_parked(kHart1));
    EXPECT_FALSE(bench.board.is_parked(HartIndex{2}));
    bench.harts.release_all();
    EXPECT_FALSE(bench.board.is_parked(kHart0));
}

TEST(Turns, TheHartThatIsLeftStaysAndTheNextGoesOn) {
    Bench bench(2);
    EXPECT_EQ(bench.harts.park_current(), kHart0);
    EXPECT_TRUE(bench.board.is_parked(kHart0));
    EXPECT_EQ(bench.board.current_hart(), kHart1);
}

}  // namespace
}  // namespace vmcheck
