#include "impl/control/step_time.h"

#include "impl/control/bare_board_testing.h"

#include <gtest/gtest.h>

namespace vmcheck {
namespace {

using board::Blocks;
using board::Parcels;

struct LoopingBoard {
    explicit LoopingBoard(unsigned harts = 1) : board(test::bare_board(harts)) {
        test::put(board, test::kCode, test::kLoopForEver);
        time.begin(Parcels{1000}, Parcels{1000});
    }

    board::Board board;
    StepTime time{board};
};

TEST(StepTime, IsSpentByWhatTheBoardExecutes) {
    LoopingBoard on;
    EXPECT_EQ(on.time.left(), Parcels{1000});
    on.time.run(Parcels{400});
    EXPECT_EQ(on.time.left(), Parcels{600});
    EXPECT_FALSE(on.time.half_is_spent());
    on.time.run(Parcels{200});
    EXPECT_TRUE(on.time.half_is_spent());
    on.time.run(Parcels{700});
    EXPECT_EQ(on.time.left(), Parcels{0});
}

TEST(StepTime, OfSeveralOrdersItKnowsTheStartOfTheFirstAndTheEndOfTheLast) {
    LoopingBoard on;
    on.time.run(Parcels{100});
    Parcels const start = on.board.elapsed();
    for (int i = 0; i < 2; ++i) {
        on.time.order_begins();
        on.time.run(Parcels{100});
        on.time.order_ended();
        on.time.run(Parcels{50});
    }
    StepTime::Work const work = on.time.work();
    EXPECT_EQ(work.start, start);
    EXPECT_EQ(work.end, start + Parcels{250});
    // Two parcels are one jump, which is a block.
    EXPECT_EQ(work.blocks, 125U);
}

TEST(StepTime, IsLongOnceItHasRunForLongWithHardlyAnyMemoryWrittenAnew) {
    constexpr Parcels kLong{1 << 19};
    LoopingBoard on;
    on.time.begin(Parcels{1} + kLong + kLong, Parcels{1} + kLong + kLong);
    on.time.run(kLong - Parcels{10});
    EXPECT_FALSE(on.time.becomes_long());
    EXPECT_EQ(on.time.until_long(), Parcels{10});
    for (std::uint64_t frame = 0; frame < 64; ++frame)
        test::put(on.board, test::kCode + (1 + frame) * kPageBytes, test::kLoopForEver);
    on.time.run(Parcels{10});
    EXPECT_FALSE(on.time.becomes_long());
    EXPECT_EQ(on.time.until_long(), kLong);
    on.time.run(kLong);
    EXPECT_TRUE(on.time.becomes_long());
    EXPECT_FALSE(on.time.becomes_long());
    EXPECT_EQ(on.time.until_long(), Parcels{0});
}

TEST(StepTime, AStepWithoutAnOrderTakesNone) {
    LoopingBoard on;
    on.time.run(Parcels{100});
    EXPECT_EQ(on.time.work().start, on.time.work().end);
    EXPECT_EQ(on.time.work().blocks, 0U);
}

TEST(StepTime, AnotherHartGoesOnAfterSoManyBlocksOfTheOrder) {
    LoopingBoard on(2);
    on.time.switch_hart_after(Blocks{20});
    on.time.run(Parcels{100});
    EXPECT_EQ(on.board.current_hart(), board::HartIndex{0}) << "no order has begun yet";
    on.time.order_begins();
    on.time.run(Parcels{30});
    EXPECT_EQ(on.board.current_hart(), board::HartIndex{0});
    on.time.run(Parcels{60});
    EXPECT_EQ(on.board.current_hart(), board::HartIndex{1});
}

TEST(StepTime, AnInterruptionThatWasCalledOffDoesNotCome) {
    LoopingBoard on(2);
    on.time.switch_hart_after(Blocks{20});
    on.time.order_begins();
    on.time.end_interruption();
    on.time.run(Parcels{100});
    EXPECT_EQ(on.board.current_hart(), board::HartIndex{0});
}

}  // namespace
}  // namespace vmcheck
