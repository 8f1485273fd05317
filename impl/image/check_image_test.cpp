#include "impl/image/check_image.h"

#include "impl/image/format.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <gmock/gmock.h>

#include <cstring>
#include <functional>

namespace vmcheck::image {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::size_t kBlock = kBlockBytes;
constexpr std::size_t kInodesAt = 33 * kBlock;
constexpr std::size_t kBitsAt = 46 * kBlock;
constexpr std::size_t kDataAt = 47 * kBlock;
constexpr std::uint32_t kBlocks = 400;

// The root and inode 2 ("small") with a block each, inode 3 ("large") with an indirect block, inode 4 ("console").
std::vector<std::byte> good_image() {
    return make_image({.files = {{"small", std::vector<std::byte>(100)}, {"large", std::vector<std::byte>(20000)}},
                       .devices = {{"console", 1, 0}}},
                      {.blocks = kBlocks})
        .value()
        .bytes;
}

template <class T>
void put(std::vector<std::byte>& image, std::size_t at, T value) {
    std::memcpy(image.data() + at, &value, sizeof value);
}

std::size_t inode_at(std::size_t number) {
    return kInodesAt + number * sizeof(format::DiskInode);
}

TEST(CheckImage, FindsNothingInWhatWeMake) {
    Check const check = check_image(good_image()).value();
    EXPECT_THAT(check.faults, IsEmpty());
    EXPECT_EQ(check.orphans, 0U);
    EXPECT_EQ(check.logged_blocks, 0U);
    // The small file's block, 20 and a block of numbers of the large one, and the root's.
    EXPECT_EQ(check.free_blocks, kBlocks - 47 - 1 - 21 - 1);
    EXPECT_EQ(check.free_inodes, 199U - 4);
    EXPECT_THAT(check_image(make_image({.lean_root = true}, {.blocks = kBlocks}).value().bytes)->faults, IsEmpty());
}

struct Damage {
    char const* name;
    std::function<void(std::vector<std::byte>&)> apply;
    char const* fault;
};

void PrintTo(Damage const& damage, std::ostream* out) {
    *out << damage.name;
}

class DamagedImage : public testing::TestWithParam<Damage> {};

TEST_P(DamagedImage, IsFoundOut) {
    auto image = good_image();
    GetParam().apply(image);
    EXPECT_THAT(check_image(image)->faults, Contains(HasSubstr(GetParam().fault)));
}

using Bytes = std::vector<std::byte>;

INSTANTIATE_TEST_SUITE_P(
    Each, DamagedImage,
    testing::Values(
        Damage{"UsedBlockIsFree", [](Bytes& i) { i[kBitsAt + 6] = std::byte{0}; }, "Block 48 is marked as free"},
        Damage{"FreeBlockIsUsed", [](Bytes& i) { i[kBitsAt + 20] = std::byte{2}; }, "Block 161 is marked as used"},
        Damage{"BlockWithTwoOwners", [](Bytes& i) { put<std::uint32_t>(i, inode_at(3) + 12, 47); },
               "Block 47 belongs to inodes 2 and 3"},
        Damage{"BlockOfTheLog", [](Bytes& i) { put<std::uint32_t>(i, inode_at(2) + 12, 3); }, "Inode 2 has block 3"},
        Damage{"BlockOutside", [](Bytes& i) { put<std::uint32_t>(i, inode_at(2) + 12, 400); }, "Inode 2 has block 400"},
        Damage{"Hole", [](Bytes& i) { put<std::uint32_t>(i, inode_at(3) + 16, 0); }, "Inode 3 has no block for byte"},
        Damage{"TooLong", [](Bytes& i) { put<std::uint32_t>(i, inode_at(3) + 8, 1U << 20); }, "more than a file can"},
        Damage{"WrongType", [](Bytes& i) { put<std::int16_t>(i, inode_at(2), 7); }, "Inode 2 has type 7"},
        Damage{"LinkTooMany", [](Bytes& i) { put<std::int16_t>(i, inode_at(2) + 6, 2); }, "says that it has 2 links"},
        Damage{"LinkOfTheRoot", [](Bytes& i) { put<std::int16_t>(i, inode_at(1) + 6, 2); }, "Inode 1 says"},
        Damage{"NameOfNothing", [](Bytes& i) { put<std::int16_t>(i, inode_at(2), 0); }, "'small' in directory 1"},
        Damage{"UnreachedInode", [](Bytes& i) { std::memset(&i[kDataAt + 22 * kBlock + 32], 0, 16); }, "Inode 2 says"},
        Damage{"WrongDot", [](Bytes& i) { put<std::uint16_t>(i, kDataAt + 22 * kBlock, 2); }, "'.' of directory 1"},
        Damage{"NoRoot", [](Bytes& i) { put<std::int16_t>(i, inode_at(1), 2); }, "should be the root"},
        Damage{"LogTooLong", [](Bytes& i) { put<std::uint32_t>(i, 2 * kBlock, 31); }, "says that it holds 31"},
        Damage{"LogOutside",
               [](Bytes& i) {
                   put<std::uint32_t>(i, 2 * kBlock, 1);
                   put<std::uint32_t>(i, 2 * kBlock + 4, kBlocks);
               },
               "a block for block 400"}),
    [](auto const& parameter) { return std::string(parameter.param.name); });

TEST(CheckImage, CountsOrphansAndDoesNotMindThem) {
    auto image = good_image();
    put<std::int16_t>(image, inode_at(2) + 6, 0);
    std::memset(&image[kDataAt + 22 * kBlock + 32], 0, 16);
    Check const check = check_image(image).value();
    EXPECT_THAT(check.faults, IsEmpty());
    EXPECT_EQ(check.orphans, 1U);
}

TEST(CheckImage, JudgesWhatTheLogHoldsAsIfItWereInPlace) {
    auto image = good_image();
    auto const bits = image;
    put<std::uint8_t>(image, kBitsAt + 6, 0);
    ASSERT_THAT(check_image(image)->faults, testing::Not(IsEmpty()));
    put<std::uint32_t>(image, 2 * kBlock, 1);
    put<std::uint32_t>(image, 2 * kBlock + 4, 46);
    std::memcpy(&image[3 * kBlock], &bits[kBitsAt], kBlock);
    Check const check = check_image(image).value();
    EXPECT_THAT(check.faults, IsEmpty());
    EXPECT_EQ(check.logged_blocks, 1U);
}

TEST(CheckImage, RefusesWhatHoldsNoFileSystem) {
    EXPECT_THAT(check_image({}).error().message, HasSubstr("too small"));
    EXPECT_THAT(check_image(Bytes(10 * kBlock)).error().message, HasSubstr("magic"));
    auto image = good_image();
    EXPECT_THAT(check_image(std::span(image).first(50 * kBlock)).error().message, HasSubstr("cut short"));
    put<std::uint32_t>(image, kBlock + 24, kBlocks);
    EXPECT_THAT(check_image(image).error().message, HasSubstr("outside of their place"));
}

RC_GTEST_PROP(CheckImage, SurvivesAnyDamage, ()) {
    static auto const whole = good_image();
    auto bytes = whole;
    auto const anywhere = rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::size_t>(kBlock, 72 * kBlock));
    for (std::size_t const at : *rc::gen::container<std::vector<std::size_t>>(20, anywhere))
        bytes[at] = static_cast<std::byte>(*rc::gen::arbitrary<unsigned char>());
    auto const check = check_image(bytes);
    RC_ASSERT((check ? check->faults.size() <= kFaultsMax : !check.error().message.empty()));
}

}  // namespace
}  // namespace vmcheck::image
