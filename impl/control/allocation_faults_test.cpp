#include "impl/control/allocation_faults.h"

#include <gtest/gtest.h>

namespace vmcheck {
namespace {

constexpr VirtAddr kFirst{0x1000}, kSecond{0x2000}, kThird{0x3000};

TEST(AllocationFaults, TheNthFailsAndNoOther) {
    AllocationFaults faults;
    faults.begin_step(2);
    EXPECT_FALSE(faults.fails(kFirst, false));
    EXPECT_TRUE(faults.fails(kSecond, false));
    EXPECT_FALSE(faults.fails(kThird, false));
    EXPECT_EQ(faults.failed(), 1U);
    EXPECT_EQ(faults.refused_at(), kSecond);
    EXPECT_FALSE(faults.dry());
}

TEST(AllocationFaults, WithoutAnyNoneFails) {
    AllocationFaults faults;
    faults.begin_step(std::nullopt);
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(faults.fails(kFirst, false));
    EXPECT_EQ(faults.failed(), 0U);
    EXPECT_EQ(faults.refused_at(), std::nullopt);
}

TEST(AllocationFaults, WhereNoFrameIsFreeTheKernelIsLeftToFindThat) {
    AllocationFaults faults;
    faults.begin_step(std::nullopt);
    EXPECT_FALSE(faults.fails(kFirst, false));
    EXPECT_FALSE(faults.fails(kSecond, true));
    EXPECT_TRUE(faults.dry());
    EXPECT_EQ(faults.failed(), 0U);
    EXPECT_EQ(faults.refused_at(), kSecond);
}

TEST(AllocationFaults, TheFirstThatGotNothingIsRemembered) {
    AllocationFaults faults;
    faults.begin_step(1);
    EXPECT_TRUE(faults.fails(kFirst, false));
    EXPECT_FALSE(faults.fails(kSecond, true));
    EXPECT_EQ(faults.refused_at(), kFirst);
}

TEST(AllocationFaults, AStepForgetsTheOneBefore) {
    AllocationFaults faults;
    faults.begin_step(1);
    EXPECT_TRUE(faults.fails(kFirst, true));
    faults.begin_step(std::nullopt);
    EXPECT_FALSE(faults.fails(kFirst, false));
    EXPECT_EQ(faults.failed(), 0U);
    EXPECT_FALSE(faults.dry());
    EXPECT_EQ(faults.refused_at(), std::nullopt);
}

}  // namespace
}  // namespace vmcheck
