#include "impl/image/disk_image.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <gmock/gmock.h>

#include <cstring>
#include <map>
#include <string>

namespace vmcheck::image {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kOneBlock = kBlockBytes;

std::vector<std::byte> pattern(std::size_t size, unsigned seed = 1) {
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 256 + seed);
    return bytes;
}

std::string error_of(Contents const& contents, Geometry const& geometry = {}) {
    auto const made = make_image(contents, geometry);
    EXPECT_FALSE(made);
    return made ? std::string() : made.error().message;
}

std::uint32_t word_at(Image const& image, std::size_t offset) {
    std::uint32_t word = 0;
    std::memcpy(&word, image.bytes.data() + offset, sizeof word);
    return word;
}

TEST(DiskImage, HasTheSuperblockOfXv6) {
    auto const image = make_image({}, Geometry{}).value();
    EXPECT_EQ(image.bytes.size(), 2000 * kOneBlock);
    // magic, size, nblocks, ninodes, nlog, logstart, inodestart, bmapstart (kernel/fs.h): the figures of upstream's
    // mkfs for 31 log blocks: boot, super, 31 log, 13 inode and 1 bitmap block.
    std::uint32_t const expected[] = {0x10203040, 2000, 1953, 200, 31, 2, 33, 46};
    for (std::size_t i = 0; i < std::size(expected); ++i) EXPECT_EQ(word_at(image, 1024 + 4 * i), expected[i]) << i;
}

TEST(DiskImage, LaysOutInodesAndDirectoryAsXv6Does) {
    auto const image = make_image({.files = {{"init", pattern(100)}}, .devices = {{"console", 1, 5}}}, {}).value();
    EXPECT_EQ(image.inodes.at("init"), 2U);
    EXPECT_EQ(image.inodes.at("console"), 3U);
    std::size_t const inodes = 33 * kOneBlock, second = inodes + 128, third = second + 64;
    EXPECT_EQ(word_at(image, inodes + 64), 1U);            // inode 1: directory
    EXPECT_EQ(word_at(image, inodes + 64 + 4), 0x10000U);  // one link
    EXPECT_EQ(word_at(image, inodes + 64 + 8), 1024U);     // whole blocks
    EXPECT_EQ(word_at(image, second), 2U);                 // inode 2: file
    EXPECT_EQ(word_at(image, second + 8), 100U);
    EXPECT_EQ(word_at(image, second + 12), 47U);     // the first data block
    EXPECT_EQ(word_at(image, third), 0x10003U);      // inode 3: device, major 1
    EXPECT_EQ(word_at(image, third + 4), 0x10005U);  // minor 5, one link
    std::string directory(64, '\0');
    std::memcpy(directory.data(), image.bytes.data() + 48 * kOneBlock, 64);
    EXPECT_EQ(directory, std::string("\1\0.\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                     "\1\0..\0\0\0\0\0\0\0\0\0\0\0\0"
                                     "\2\0init\0\0\0\0\0\0\0\0\0\0"
                                     "\3\0console\0\0\0\0\0\0\0",
                                     64));
    EXPECT_EQ(image.bytes[46 * kOneBlock], std::byte{0xff});  // blocks 0 to 48 are in use
    EXPECT_EQ(image.bytes[46 * kOneBlock + 6], std::byte{0x01});
    EXPECT_EQ(image.bytes[46 * kOneBlock + 7], std::byte{0x00});
}

TEST(DiskImage, ALeanRootHasItsDotsLastAndNoUnusedEntries) {
    Contents contents{.files = {{"data", pattern(100)}}, .devices = {}, .lean_root = true};
    auto const image = make_image(contents, {}).value();
    EXPECT_EQ(word_at(image, 33 * kOneBlock + 64 + 8), 3U * 16);
    std::string directory(48, '\0');
    std::memcpy(directory.data(), image.bytes.data() + 48 * kOneBlock, 48);
    EXPECT_EQ(directory.substr(2, 4), "data");
    EXPECT_EQ(directory.substr(16, 4), std::string("\1\0.\0", 4));
    EXPECT_EQ(directory.substr(32, 5), std::string("\1\0..\0", 5));
    EXPECT_EQ(read_file(image.bytes, "/data").value(), pattern(100));
}

TEST(DiskImage, HoldsFilesOfEverySizeThatIsAllowed) {
    for (std::size_t const size : std::initializer_list<std::size_t>{
             0, 1, kOneBlock - 1, kOneBlock, kOneBlock + 1, 12 * kOneBlock, 12 * kOneBlock + 1, kFileBytesMax}) {
        auto const image = make_image({.files = {{"file", pattern(size)}}}, {}).value();
        EXPECT_EQ(read_file(image.bytes, "/file").value(), pattern(size)) << size;
    }
    EXPECT_THAT(error_of({.files = {{"file", pattern(kFileBytesMax + 1)}}}), HasSubstr("274433 bytes"));
}

TEST(DiskImage, AllowsNamesOfFullLength) {
    auto const image =
        make_image({.files = {{"fourteen_bytes", pattern(3)}, {"fourteen_byte", pattern(4)}}}, {}).value();
    EXPECT_EQ(read_file(image.bytes, "fourteen_bytes").value().size(), 3U);
    EXPECT_EQ(read_file(image.bytes, "fourteen_byte").value().size(), 4U);
}

TEST(DiskImage, RefusesNamesThatXv6CannotHold) {
    EXPECT_THAT(error_of({.files = {{"fifteen_bytes_x", {}}}}), HasSubstr("longer than the 14 bytes"));
    EXPECT_THAT(error_of({.files = {{"", {}}}}), HasSubstr("needs a name"));
    for (std::string const& name : {std::string("a/b"), std::string("."), std::string(".."), std::string("a\0b", 3)})
        EXPECT_THAT(error_of({.files = {{name, {}}}}), HasSubstr("cannot be used"));
    EXPECT_THAT(error_of({.files = {{"a", {}}}, .devices = {{"a", 1, 0}}}), HasSubstr("given twice"));
}

TEST(DiskImage, RefusesWhatDoesNotFit) {
    EXPECT_THAT(error_of({.files = {{"file", pattern(200 * kOneBlock)}}}, {.blocks = 200}),
                HasSubstr("too small for its files"));
    EXPECT_THAT(error_of({.files = {{"a", {}}, {"b", {}}, {"c", {}}}}, {.inodes = 4}), HasSubstr("no room for c"));
    EXPECT_THAT(error_of({}, {.blocks = 47}), HasSubstr("too small: log, inodes and bitmap take 47"));
    EXPECT_THAT(error_of({}, {.blocks = kBlocksMax + 1}), HasSubstr("too large"));
    EXPECT_THAT(error_of({}, {.inodes = 1}), HasSubstr("inodes"));
    EXPECT_THAT(error_of({}, {.inodes = 65536}), HasSubstr("inodes"));
    EXPECT_THAT(error_of({}, {.log_blocks = 0}), HasSubstr("log"));
    EXPECT_TRUE(make_image({}, {.blocks = 48}));
}

TEST(DiskImage, ReadingSaysWhatIsWrong) {
    auto image = make_image({.files = {{"init", pattern(10)}}, .devices = {{"console", 1, 0}}}, {.blocks = 60}).value();
    EXPECT_THAT(read_file(image.bytes, "none").error().message, HasSubstr("no file none"));
    EXPECT_THAT(read_file(image.bytes, "console").error().message, HasSubstr("not a file"));
    EXPECT_THAT(read_file(image.bytes, "..").error().message, HasSubstr("not a file"));
    EXPECT_THAT(read_file(std::span(image.bytes).first(50 * kOneBlock), "init").error().message,
                HasSubstr("cut short"));
    EXPECT_THAT(read_file({}, "init").error().message, HasSubstr("too small"));
    image.bytes[1024] = std::byte{0};
    EXPECT_THAT(read_file(image.bytes, "init").error().message, HasSubstr("magic"));
}

// Any files that fit: names of 1 to 14 letters, sizes around the borders of direct and indirect blocks.
std::map<std::string, std::vector<std::byte>> any_files() {
    auto const letter = rc::gen::elementOf(std::string("abcXYZ019_-"));
    auto const name = rc::gen::suchThat(rc::gen::container<std::string>(letter),
                                        [](std::string const& n) { return !n.empty() && n.size() <= kNameBytesMax; });
    auto const size = rc::gen::oneOf(rc::gen::inRange<std::size_t>(0, 3000),
                                     rc::gen::inRange<std::size_t>(12 * kOneBlock - 2, 14 * kOneBlock));
    std::map<std::string, std::vector<std::byte>> files;
    for (std::string const& n :
         *rc::gen::container<std::vector<std::string>>(*rc::gen::inRange<std::size_t>(0, 12), name))
        files[n] = pattern(*size, *rc::gen::arbitrary<unsigned char>());
    return files;
}

RC_GTEST_PROP(DiskImage, GivesBackEveryFile, ()) {
    auto const files = any_files();
    Contents contents;
    for (auto const& [name, bytes] : files) contents.files.push_back({name, bytes});
    auto const image = make_image(contents, {.blocks = 400});
    RC_ASSERT(image);
    RC_ASSERT(make_image(contents, {.blocks = 400})->bytes == image->bytes);
    RC_ASSERT(image->inodes.size() == files.size());
    for (auto const& [name, bytes] : files) RC_ASSERT(read_file(image->bytes, name).value() == bytes);
}

RC_GTEST_PROP(DiskImage, ReadingSurvivesDamage, ()) {
    static auto const whole = make_image({.files = {{"init", pattern(20000)}}}, {.blocks = 80}).value();
    auto bytes = whole.bytes;
    auto const anywhere = rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::size_t>(1024, 36 * kOneBlock));
    for (std::size_t const at : *rc::gen::container<std::vector<std::size_t>>(20, anywhere))
        bytes[at] = static_cast<std::byte>(*rc::gen::arbitrary<unsigned char>());
    auto const file = read_file(bytes, "init");
    RC_ASSERT(file || !file.error().message.empty());
}

}  // namespace
}  // namespace vmcheck::image
