#include "impl/board/clint.h"

#include <gtest/gtest.h>

namespace vmcheck::board {
namespace {

struct ClintTest : testing::Test {
    Clock clock;
    int changes = 0;
    Clint clint{clock, [this] { ++changes; }};
};

TEST_F(ClintTest, TimeFollowsExecutedCode) {
    EXPECT_EQ(clint.read(0xbff8, 8), 0u);
    clock.parcels = 10 * clock.parcels_per_unit + 1;
    EXPECT_EQ(clint.read(0xbff8, 8), 10u);
    EXPECT_EQ(clint.read(0xbff8, 4), 10u);
    EXPECT_EQ(clint.read(0xbffc, 4), 0u);
}

TEST_F(ClintTest, TimeCanBeSet) {
    clint.write(0xbff8, 8, 1000);
    clock.parcels += clock.parcels_per_unit;
    EXPECT_EQ(clint.read(0xbff8, 8), 1001u);
    clint.write(0xbffc, 4, 1);
    EXPECT_EQ(clint.read(0xbff8, 8), (std::uint64_t{1} << 32) + 1001);
}

TEST_F(ClintTest, CompareRegistersTakeHalvesAsWellAsWholes) {
    clint.write(0x4008, 8, 0x1122334455667788);
    EXPECT_EQ(clint.state.timer_compare[1], 0x1122334455667788u);
    clint.write(0x4008, 4, 0xaaaaaaaa);
    clint.write(0x400c, 4, 0xbbbbbbbb);
    EXPECT_EQ(clint.state.timer_compare[1], 0xbbbbbbbbaaaaaaaau);
    EXPECT_EQ(clint.read(0x400c, 4), 0xbbbbbbbbu);
    EXPECT_EQ(clint.state.timer_compare[0], kNever) << "no timer is set at reset";
    EXPECT_EQ(changes, 3);
}

TEST_F(ClintTest, SoftwareInterruptsAreOneBitAHart) {
    clint.write(4, 4, 0xffffffff);
    EXPECT_TRUE(clint.state.software_interrupt[1]);
    EXPECT_EQ(clint.read(4, 4), 1u);
    clint.write(4, 4, 0xfffffffe);
    EXPECT_FALSE(clint.state.software_interrupt[1]);
}

TEST_F(ClintTest, WhatIsNotThereReadsAsZero) {
    for (std::uint64_t const offset : {0x0cu, 0x1000u, 0x3fffu, 0x4018u, 0x8000u, 0xbff0u, 0xc000u, 0xfff8u}) {
        clint.write(offset, 8, ~std::uint64_t{0});
        if (offset < 0xbff8) {
            EXPECT_EQ(clint.read(offset, 8), 0u) << offset;
        }
    }
}

TEST(Clock, SaysWhenATimeWillCome) {
    Clock clock;
    clock.parcels = 100;
    clock.jump_to(50);
    EXPECT_EQ(clock.time(), 50u);
    EXPECT_EQ(clock.parcels_when(60), 100 + 10 * clock.parcels_per_unit);
    clock.parcels = clock.parcels_when(60);
    EXPECT_EQ(clock.time(), 60u);
    clock.parcels -= 1;
    EXPECT_EQ(clock.time(), 59u);
    EXPECT_LE(clock.parcels_when(10), clock.parcels);
    EXPECT_EQ(clock.parcels_when(kNever), kNever);
    EXPECT_EQ(clock.parcels_when(kNever - 1), kNever) << "beyond the count of parcels";
}

}  // namespace
}  // namespace vmcheck::board
