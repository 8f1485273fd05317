// The smoke program, with no agent and no checker: what runs on QEMU runs on the board and says the same, on one hart
// and on several.

#include "checker/e2e/command.h"
#include "impl/board/board.h"
#include "impl/elf/kernel_image.h"

#include <gtest/gtest.h>

#include <fmt/core.h>
#include <gmock/gmock.h>

#include <cstring>

namespace vmcheck::e2e {
namespace {

struct Machine {
    char const* kernel = "";
    unsigned harts = 1;
    board::DiskInterface disk = board::DiskInterface::modern;
};

void PrintTo(Machine const& machine, std::ostream* out) {
    *out << machine.kernel << ", harts: " << machine.harts;
}

// Runs what is /init in `image` until it says how many of its checks have passed; what was printed.
std::string run(Machine const& machine, char const* image_file) {
    auto const kernel =
        elf::KernelImage::load(fmt::format("{}/{}/kernel", VMCHECK_KERNELS, machine.kernel), elf::kDefaultRam);
    if (!kernel) return kernel.error().sentence();
    std::string const disk = read(image_file);
    board::Config config;
    config.harts = machine.harts;
    config.disk_interface = machine.disk;
    config.disk_image.resize(disk.size());
    std::memcpy(config.disk_image.data(), disk.data(), disk.size());
    auto board = board::Board::create(config);
    if (!board) return board.error().message;
    for (elf::Segment const& segment : kernel->segments()) board->write(segment.physical, segment.bytes);
    board->reset(*kernel->to_physical(kernel->entry()));
    // The program sleeps at its end: a budget, looked into now and then.
    for (int slice = 0; slice < 200 && board->console().find("passed,") == std::string_view::npos; ++slice)
        board->run(board::Parcels{std::uint64_t{32} << 20});
    return std::string(board->console());
}

std::string name_of(testing::TestParamInfo<Machine> const& info) {
    std::string name = fmt::format("{}_{}", info.param.kernel, info.param.harts);
    std::ranges::replace(name, '-', '_');
    return name;
}

class SmokeOnBoard : public testing::TestWithParam<Machine> {};

TEST_P(SmokeOnBoard, PassesEveryCheck) {
    EXPECT_THAT(run(GetParam(), VMCHECK_SMOKE_IMAGE), testing::ContainsRegex("smoke: [1-9][0-9]* passed, 0 failed"));
}

INSTANTIATE_TEST_SUITE_P(Profiles, SmokeOnBoard,
                         testing::Values(Machine{"cow-lazy"}, Machine{"cow-eager"}, Machine{"eager-lazy"},
                                         Machine{"eager-eager"}),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Harts, SmokeOnBoard,
                         testing::Values(Machine{"cow-lazy", 2}, Machine{"cow-lazy", 3}, Machine{"eager-eager", 2},
                                         Machine{"vintage-2020", 2, board::DiskInterface::legacy},
                                         Machine{"vintage-2021", 3, board::DiskInterface::legacy},
                                         Machine{"vintage-2022", 2}, Machine{"vintage-2023", 3},
                                         Machine{"vintage-2024", 2}, Machine{"vintage-2025", 3}),
                         name_of);

}  // namespace
}  // namespace vmcheck::e2e
