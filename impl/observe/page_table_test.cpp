#include "impl/observe/page_table.h"

#include "impl/observe/fake_ram_testing.h"

#include <gtest/gtest.h>

namespace vmcheck::observe {
namespace {

constexpr std::uint64_t kV = 1, kR = 2, kW = 4, kX = 8, kU = 16, kA = 64, kD = 128;

class PageTableTest : public testing::Test {
  protected:
    // Frames 0, 1 and 2 are the three levels; root[0] -> 1, 1[0] -> 2.
    void SetUp() override {
        ram.map(0, 0, FakeRam::frame(1), kV);
        ram.map(1, 0, FakeRam::frame(2), kV);
    }
    TableContents read() const { return read_user_table(ram.view(), FakeRam::frame(0)); }

    FakeRam ram{8};
};

TEST_F(PageTableTest, LeavesAreListedInOrderWithTheirRightsAndWithoutAccessedAndDirty) {
    ram.map(2, 5, FakeRam::frame(4), kV | kR | kX | kU | kA);
    ram.map(2, 3, FakeRam::frame(3), kV | kR | kW | kU | kA | kD);
    TableContents const contents = read();
    ASSERT_EQ(contents.pages.size(), 2U);
    EXPECT_EQ(contents.pages[0].page, Vpn{3});
    EXPECT_EQ(contents.pages[0].frame, FakeRam::frame(3));
    EXPECT_EQ(contents.pages[0].rights, (spec::Rights{true, true, false, true}));
    EXPECT_EQ(contents.pages[1].page, Vpn{5});
    EXPECT_EQ(contents.pages[1].rights, (spec::Rights{true, false, true, true}));
    EXPECT_EQ(contents.tables, (std::vector{FakeRam::frame(0), FakeRam::frame(1), FakeRam::frame(2)}));
    EXPECT_TRUE(contents.broken.empty());
}

TEST_F(PageTableTest, InvalidEntriesMapNothing) {
    ram.map(2, 1, FakeRam::frame(3), kR | kW | kU);
    EXPECT_TRUE(read().pages.empty());
}

TEST_F(PageTableTest, AFrameOutsideRamIsListedAsSuch) {
    ram.map(2, 1, FrameNo{0x10000}, kV | kR | kU);
    TableContents const contents = read();
    ASSERT_EQ(contents.pages.size(), 1U);
    EXPECT_FALSE(contents.pages[0].in_ram);
}

TEST_F(PageTableTest, TheUpperHalfOfTheRootIsTheSignExtendedEndOfTheAddressSpace) {
    ram.map(0, 511, FakeRam::frame(5), kV);
    ram.map(5, 511, FakeRam::frame(6), kV);
    ram.map(6, 511, FakeRam::frame(7), kV | kR | kX);
    TableContents const contents = read();
    ASSERT_EQ(contents.pages.size(), 1U);
    EXPECT_EQ(start_of(contents.pages[0].page), VirtAddr{0xfffffffffffff000});
}

TEST_F(PageTableTest, AMegapageIsFiveHundredAndTwelvePages) {
    ram.map(1, 1, FrameNo{0x80200}, kV | kR | kU);
    TableContents const contents = read();
    ASSERT_EQ(contents.pages.size(), 512U);
    EXPECT_EQ(contents.pages[511].page, Vpn{1023});
    EXPECT_EQ(contents.pages[511].frame, FrameNo{0x803ff});
}

// 32 tables of megapages are eight million pages.
TEST_F(PageTableTest, MorePagesThanCouldMakeSenseEndTheWalkAndAreSaid) {
    constexpr std::uint64_t kTables = 32;
    FakeRam full{1 + kTables};
    for (std::uint64_t table = 0; table < kTables; ++table) {
        full.map(0, table, FakeRam::frame(1 + table), kV);
        for (std::uint64_t entry = 0; entry < 512; ++entry) full.map(1 + table, entry, FakeRam::frame(1), kV | kR | kU);
    }
    TableContents const contents = read_user_table(full.view(), FakeRam::frame(0));
    EXPECT_NE(contents.broken.find("maps more than"), std::string::npos);
    EXPECT_LE(contents.pages.size(), std::size_t{64} << 10);
}

TEST_F(PageTableTest, ALoopEndsTheWalkAndIsSaid) {
    ram.map(1, 7, FakeRam::frame(0), kV);
    EXPECT_NE(read().broken.find("twice"), std::string::npos);
}

TEST_F(PageTableTest, ATableOutsideRamEndsTheWalkAndIsSaid) {
    ram.map(1, 7, FrameNo{0x12345}, kV);
    EXPECT_NE(read().broken.find("outside RAM"), std::string::npos);
}

TEST_F(PageTableTest, ARootOutsideRamIsSaid) {
    EXPECT_NE(read_user_table(ram.view(), FrameNo{1}).broken.find("outside RAM"), std::string::npos);
}

}  // namespace
}  // namespace vmcheck::observe
