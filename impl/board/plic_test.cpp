#include "impl/board/plic.h"

#include <gtest/gtest.h>

namespace vmcheck::board {
namespace {

struct PlicTest : testing::Test {
    static constexpr std::uint64_t kEnable = 0x2080;       // S-mode of hart 0
    static constexpr std::uint64_t kThreshold = 0x201000;  // the same
    static constexpr std::uint64_t kClaim = 0x201004;

    void enable(unsigned source, std::uint32_t priority = 1) {
        plic.write(std::uint64_t{4} * source, 4, priority);
        plic.write(kEnable, 4, plic.read(kEnable, 4) | (1u << source));
    }
    int changes = 0;
    Plic plic{[this] { ++changes; }};
};

TEST_F(PlicTest, AnEnabledSourceReachesItsContextOnly) {
    enable(10);
    plic.set_line(10, true);
    EXPECT_TRUE(plic.supervisor_external(0));
    EXPECT_FALSE(plic.supervisor_external(1));
    EXPECT_EQ(plic.read(0x1000, 4), 1u << 10);
}

TEST_F(PlicTest, ADisabledOrZeroPrioritySourceDoesNot) {
    plic.set_line(10, true);
    EXPECT_FALSE(plic.supervisor_external(0));
    enable(10, 0);
    EXPECT_FALSE(plic.supervisor_external(0));
}

TEST_F(PlicTest, TheThresholdMustBeExceeded) {
    enable(1, 3);
    plic.set_line(1, true);
    plic.write(kThreshold, 4, 3);
    EXPECT_FALSE(plic.supervisor_external(0));
    plic.write(kThreshold, 4, 2);
    EXPECT_TRUE(plic.supervisor_external(0));
}

TEST_F(PlicTest, ClaimsTheHighestPriorityThenTheLowestNumber) {
    enable(1, 1);
    enable(5, 2);
    enable(10, 2);
    for (unsigned const source : {1u, 5u, 10u}) plic.set_line(source, true);
    EXPECT_EQ(plic.read(kClaim, 4), 5u);
    EXPECT_EQ(plic.read(kClaim, 4), 10u);
    EXPECT_EQ(plic.read(kClaim, 4), 1u);
    EXPECT_EQ(plic.read(kClaim, 4), 0u);
    EXPECT_FALSE(plic.supervisor_external(0));
}

TEST_F(PlicTest, AClaimedSourceWaitsForItsCompletion) {
    enable(10);
    plic.set_line(10, true);
    EXPECT_EQ(plic.read(kClaim, 4), 10u);
    plic.set_line(10, true);
    EXPECT_FALSE(plic.supervisor_external(0));
    plic.write(kClaim, 4, 10);
    EXPECT_TRUE(plic.supervisor_external(0));
}

TEST_F(PlicTest, AHighLineDoesNotPendAgainByItselfOnCompletion) {
    enable(10);
    plic.set_line(10, true);
    plic.read(kClaim, 4);
    plic.write(kClaim, 4, 10);
    EXPECT_FALSE(plic.supervisor_external(0));
}

TEST_F(PlicTest, WithdrawnBeforeItsClaimIsGone) {
    enable(10);
    plic.set_line(10, true);
    plic.set_line(10, false);
    EXPECT_EQ(plic.read(kClaim, 4), 0u);
}

TEST_F(PlicTest, SurvivesAccessesAnywhere) {
    for (std::uint64_t offset = 0; offset < 0x600000; offset += 1020) {
        plic.write(offset, 4, 0xffffffff);
        plic.read(offset, 4);
    }
    plic.write(kClaim, 4, 1000);
}

}  // namespace
}  // namespace vmcheck::board
