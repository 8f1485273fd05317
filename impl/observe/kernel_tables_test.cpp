#include "impl/observe/kernel_tables.h"

#include "impl/observe/fake_ram_testing.h"

#include <gtest/gtest.h>

namespace vmcheck::observe {
namespace {

// Elements of {count, key} in frame 1, at places that say nothing.
class KeyedCounts : public testing::Test {
  protected:
    static ReferenceCounts counts(bool by_number, std::optional<std::int64_t> when_absent = {}) {
        return {{.name = "shared",
                 .base = FakeRam::address(1),
                 .element_bytes = 4,
                 .stride = 4,
                 .count = kPageBytes / sizeof(std::uint64_t),
                 .is_signed = true,
                 .key = map::ReferenceCounts::Key{.to_count = -8, .is_number = by_number},
                 .when_absent = when_absent},
                FakeRam::frame(0)};
    }
    void put(std::uint64_t place, std::uint64_t count, std::uint64_t key) {
        ram.write(FakeRam::address(1, place * 16), count);
        ram.write(FakeRam::address(1, place * 16 + 8), key);
    }

    FakeRam ram{16};
};

TEST_F(KeyedCounts, AreThoseBesideTheFramesAddress) {
    put(7, 2, FakeRam::address(5).value);
    put(3, 4, FakeRam::address(6).value);
    ReferenceCounts const by_address = counts(false);
    EXPECT_EQ(by_address.raw(ram.view(), FakeRam::frame(5)), 2);
    EXPECT_EQ(by_address.normalised(ram.view(), FakeRam::frame(6), 1), 4);
    EXPECT_EQ(by_address.places(ram.view(), FakeRam::frame(6)), std::vector{FakeRam::address(1, 3 * 16)});
    EXPECT_EQ(by_address.raw(ram.view(), FakeRam::frame(8)), std::nullopt);
    EXPECT_EQ(by_address.elements(ram.view()).size(), 2U);
}

TEST_F(KeyedCounts, AreThoseBesideTheFramesNumber) {
    put(7, 2, FakeRam::frame(5).value);
    EXPECT_EQ(counts(true).raw(ram.view(), FakeRam::frame(5)), 2);
    EXPECT_EQ(counts(false).raw(ram.view(), FakeRam::frame(5)), std::nullopt);
}

TEST_F(KeyedCounts, OneThatWasLetGoIsAbsentThoughItsKeyStands) {
    put(1, 0, FakeRam::address(5).value);
    EXPECT_EQ(counts(false, 1).normalised(ram.view(), FakeRam::frame(5), 1), 1);
    put(2, 3, FakeRam::address(5).value);
    EXPECT_EQ(counts(false, 1).normalised(ram.view(), FakeRam::frame(5), 1), 3);
}

// As in a list whose last element takes the place of one that goes.
TEST_F(KeyedCounts, AreNotKnownWhereSeveralContradictEachOther) {
    put(1, 2, FakeRam::address(5).value);
    put(4, 2, FakeRam::address(5).value);
    EXPECT_EQ(counts(false, 1).normalised(ram.view(), FakeRam::frame(5), 1), 2);
    put(6, 1, FakeRam::address(5).value);
    EXPECT_EQ(counts(false, 1).normalised(ram.view(), FakeRam::frame(5), 1), std::nullopt);
    EXPECT_TRUE(counts(false, 1).places(ram.view(), FakeRam::frame(5)).empty());
}

}  // namespace
}  // namespace vmcheck::observe
