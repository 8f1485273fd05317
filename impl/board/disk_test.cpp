#include "impl/board/disk.h"

#include <gtest/gtest.h>

namespace vmcheck::board {
namespace {

Disk::Sector filled(int value) {
    Disk::Sector sector;
    sector.fill(static_cast<std::byte>(value));
    return sector;
}

TEST(Disk, IsPaddedToWholeSectors) {
    Disk const disk{std::vector<std::byte>(513, std::byte{7})};
    EXPECT_EQ(disk.sectors(), 2u);
    EXPECT_EQ(disk.read(1)[0], std::byte{7});
    EXPECT_EQ(disk.read(1)[1], std::byte{0});
    EXPECT_EQ(Disk{{}}.sectors(), 0u);
}

TEST(Disk, WritesAreSeenAndCanBeDiscarded) {
    Disk disk{std::vector<std::byte>(2048)};
    disk.write(2, filled(9));
    EXPECT_EQ(disk.read(2)[511], std::byte{9});
    EXPECT_EQ(disk.written().size(), 1u);
    EXPECT_EQ(disk.contents()[2 * kSectorBytes], std::byte{9});
    EXPECT_EQ(disk.contents()[2 * kSectorBytes - 1], std::byte{0});
    disk.discard_written();
    EXPECT_EQ(disk.read(2)[511], std::byte{0});
}

TEST(Disk, RebasingMakesWritesPermanent) {
    Disk disk{std::vector<std::byte>(2048)};
    disk.write(1, filled(3));
    Disk::Base const base = disk.rebase();
    disk.discard_written();
    EXPECT_EQ(disk.read(1)[0], std::byte{3});

    Disk other{std::vector<std::byte>(2048)};
    other.write(0, filled(4));
    other.set_base(base);
    EXPECT_EQ(other.read(0)[0], std::byte{0});
    EXPECT_EQ(other.read(1)[0], std::byte{3});
    other.write(1, filled(5));
    EXPECT_EQ(disk.read(1)[0], std::byte{3}) << "boards share the base, not what they write";
}

}  // namespace
}  // namespace vmcheck::board
