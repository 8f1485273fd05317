#include "impl/control/step_time.h"

#include "impl/control/bare_board_testing.h"

#include <gtest/gtest.h>

namespace vmcheck {
namespace {

using board::Blocks;
using board::Parcels;

struct Bench {
    explicit Bench(unsigned harts = 1) : board(test::bare_board(harts)) {
        test::put(board, test::kCode, test::kLoopForEver);
        time.begin(Parcels{1000});
    }

    board::Board board;
    StepTime time{board};
};

TEST(StepTime, IsSpentByWhatTheBoardExecutes) {
    Bench bench;
    EXPECT_EQ(bench.time.left(), Parcels{1000});
    bench.time.run(Parcels{400});
    EXPECT_EQ(bench.time.left(), Parcels{600});
    EXPECT_FALSE(bench.time.half_is_spent());
    bench.time.run(Parcels{200});
    EXPECT_TRUE(bench.time.half_is_spent());
    bench.time.run(Parcels{700});
    EXPECT_EQ(bench.time.left(), Parcels{0});
}

TEST(StepTime, OfSeveralOrdersItKnowsTheStartOfTheFirstAndTheEndOfTheLast) {
    Bench bench;
    bench.time.run(Parcels{100});
    Parcels const start = bench.board.elapsed();
    for (int i = 0; i < 2; ++i) {
        bench.time.order_begins();
        bench.time.run(Parcels{100});
        bench.time.order_ended();
        bench.time.run(Parcels{50});
    }
    StepTime::Work const work = bench.time.work();
    EXPECT_EQ(work.start, start);
    EXPECT_EQ(work.end, start + Parcels{250});
    // Two parcels are one jump, which is a block.
    EXPECT_EQ(work.blocks, 125U);
}

TEST(StepTime, AStepWithoutAnOrderTakesNone) {
    Bench bench;
    bench.time.run(Parcels{100});
    EXPECT_EQ(bench.time.work().start, bench.time.work().end);
    EXPECT_EQ(bench.time.work().blocks, 0U);
}

TEST(StepTime, AnotherHartGoesOnAfterSoManyBlocksOfTheOrder) {
    Bench bench(2);
    bench.time.switch_hart_after(Blocks{20});
    bench.time.run(Parcels{100});
    EXPECT_EQ(bench.board.current_hart(), board::HartIndex{0}) << "no order has begun yet";
    bench.time.order_begins();
    bench.time.run(Parcels{30});
    EXPECT_EQ(bench.board.current_hart(), board::HartIndex{0});
    bench.time.run(Parcels{60});
    EXPECT_EQ(bench.board.current_hart(), board::HartIndex{1});
}

TEST(StepTime, AnInterruptionThatWasCalledOffDoesNotCome) {
    Bench bench(2);
    bench.time.switch_hart_after(Blocks{20});
    bench.time.order_begins();
    bench.time.end_interruption();
    bench.time.run(Parcels{100});
    EXPECT_EQ(bench.board.current_hart(), board::HartIndex{0});
}

}  // namespace
}  // namespace vmcheck
