#include "impl/program/disk.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

#include <algorithm>

namespace vmcheck::program {
namespace {

using testing::HasSubstr;

std::vector<std::byte> bytes_of(std::string_view text) {
    std::vector<std::byte> bytes(text.size());
    std::ranges::transform(text, bytes.begin(), [](char c) { return static_cast<std::byte>(c); });
    return bytes;
}

TEST(ProgramDisk, HasTheLauncherAsInitAndTheCommandBesideTheFiles) {
    image::Contents files;
    files.files.push_back({"init", bytes_of("what was there before")});
    files.files.push_back({"usertests", bytes_of("elf")});
    std::vector<std::string> const words{"usertests", "forkwait", ""};
    auto const disk = make_disk(files, {}, words);
    ASSERT_TRUE(disk.has_value()) << disk.error().message;
    auto const launcher = launcher_file();
    EXPECT_EQ(image::read_file(*disk, "init").value(), std::vector<std::byte>(launcher.begin(), launcher.end()));
    using namespace std::string_view_literals;
    EXPECT_EQ(image::read_file(*disk, "vmcheck.cmd").value(), bytes_of("usertests\0forkwait\0\0"sv));
    EXPECT_EQ(image::read_file(*disk, "usertests").value(), bytes_of("elf"));
}

TEST(ProgramDisk, TheLauncherSuitsKernelsOfTheLargeFilesLabToo) {
    EXPECT_LE(launcher_file().size(), image::kPortableFileBytesMax);
}

TEST(ProgramDisk, RefusesACommandThatTheLauncherCannotTake) {
    std::vector<std::string> const many(31, "x");
    EXPECT_THAT(make_disk({}, {}, many).error().message, HasSubstr("at most 30 words"));
    std::vector<std::string> const long_word{std::string(1024, 'x')};
    EXPECT_THAT(make_disk({}, {}, long_word).error().message, HasSubstr("1024 bytes"));
}

// What unpack() finds in an image is what it was made of, however often it is done.
TEST(ProgramDisk, OfAnUnpackedImageHasItsFilesDevicesAndSize) {
    image::Contents files;
    files.files.push_back({"README", bytes_of("text")});
    files.devices.push_back({"console", 1, 0});
    image::Geometry const geometry{.blocks = 300, .log_blocks = 11, .inodes = 40};
    auto const unpacked = image::unpack(image::make_image(files, geometry)->bytes);
    ASSERT_TRUE(unpacked.has_value()) << unpacked.error().message;
    EXPECT_EQ(unpacked->geometry.blocks, 300U);
    EXPECT_EQ(unpacked->geometry.log_blocks, 11U);
    EXPECT_EQ(unpacked->geometry.inodes, 40U);
    ASSERT_EQ(unpacked->contents.files.size(), 1U);
    EXPECT_EQ(unpacked->contents.files.front().bytes, bytes_of("text"));
    ASSERT_EQ(unpacked->contents.devices.size(), 1U);
    EXPECT_EQ(unpacked->contents.devices.front().name, "console");
    EXPECT_TRUE(unpacked->directories.empty());
}

TEST(ProgramDisk, OfAnImageThatIsNoneIsRefused) {
    EXPECT_THAT(image::unpack(bytes_of("no image")).error().message, HasSubstr("too small"));
    EXPECT_THAT(image::unpack(std::vector<std::byte>(4096)).error().message, HasSubstr("magic number"));
}

}  // namespace
}  // namespace vmcheck::program
