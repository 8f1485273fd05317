// The smoke program, with no agent and no checker: what runs on QEMU runs on the board and says the same.

#include "checker/e2e/command.h"
#include "impl/board/board.h"
#include "impl/elf/kernel_image.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

#include <cstring>

namespace vmcheck::e2e {
namespace {

class SmokeOnBoard : public testing::TestWithParam<char const*> {};

TEST_P(SmokeOnBoard, PassesEveryCheck) {
    auto const image =
        elf::KernelImage::load(std::string(VMCHECK_KERNELS "/") + GetParam() + "/kernel", elf::kDefaultRam);
    ASSERT_TRUE(image.has_value()) << image.error().message;
    std::string const disk = read(VMCHECK_SMOKE_IMAGE);
    board::Config config;
    config.disk_image.resize(disk.size());
    std::memcpy(config.disk_image.data(), disk.data(), disk.size());
    auto board = board::Board::create(config);
    ASSERT_TRUE(board.has_value()) << board.error().text;
    for (elf::Segment const& segment : image->segments()) board->write(segment.physical, segment.bytes);
    board->reset(*image->to_physical(image->entry()));
    // Unaccelerated, and the smoke program sleeps at its end: a budget, looked into now and then.
    for (int slice = 0; slice < 200 && board->console().find("passed,") == std::string_view::npos; ++slice)
        board->run(board::Parcels{std::uint64_t{32} << 20});
    EXPECT_THAT(std::string(board->console()), testing::ContainsRegex("smoke: [1-9][0-9]* passed, 0 failed"));
}

INSTANTIATE_TEST_SUITE_P(Profiles, SmokeOnBoard, testing::Values("cow-lazy", "cow-eager", "eager-lazy", "eager-eager"),
                         [](auto const& parameter) {
                             std::string name = parameter.param;
                             name[name.find('-')] = '_';
                             return name;
                         });

}  // namespace
}  // namespace vmcheck::e2e
