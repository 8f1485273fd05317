#include "impl/boot/process_scans.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace vmcheck {
namespace {

// The functions of which a loop was recognised.
std::vector<std::string> with_process_scans(std::string const& name) {
    auto const path = std::filesystem::path(VMCHECK_MAP_FIXTURES) / (name + ".elf");
    auto const image = elf::KernelImage::load(path, elf::kDefaultRam).value();
    auto const map = map::make_kernel_map(image, {}, elf::kDefaultRam);
    std::vector<std::string> functions;
    for (board::TableScan const& scan : find_process_scans(image, map)) {
        functions.push_back(image.function_at(scan.at)->name);
        EXPECT_EQ(scan.first, map.processes->base);
        EXPECT_EQ(scan.count, 64u);
        EXPECT_EQ(scan.stride, map.processes->stride);
        EXPECT_GE(scan.element, 8u) << "kept over calls";
        EXPECT_GE(scan.end, 8u) << "the same";
        EXPECT_NE(scan.element, scan.end);
    }
    return functions;
}

using Names = std::vector<std::string>;

TEST(ProcessScans, AreThoseOfStockKernels) {
    EXPECT_EQ(with_process_scans("scans"), (Names{"wakeup", "scheduler"}));
    EXPECT_EQ(with_process_scans("scans_far"), (Names{"wakeup", "scheduler"}));
}

TEST(ProcessScans, AreLeftToTheGuestWhereSlotsAreMoreThanLookedAt) {
    EXPECT_EQ(with_process_scans("scans_AGES"), Names{"scheduler"});
    EXPECT_EQ(with_process_scans("scans_CALLS"), Names{"scheduler"});
    EXPECT_EQ(with_process_scans("scans_NO_LOCK"), Names{"scheduler"});
    EXPECT_EQ(with_process_scans("scans_SHARES"), Names{"wakeup"});
    EXPECT_EQ(with_process_scans("scans_TWICE"), Names{"wakeup"});
    EXPECT_EQ(with_process_scans("scans_COUNTS"), Names{"wakeup"});
    EXPECT_EQ(with_process_scans("scans_IDLES"), Names{"wakeup"});
    EXPECT_EQ(with_process_scans("scans_BACKWARDS"), Names{"wakeup"});
}

// The end is in a register, at which the board looks (Scan.IsLeftToALoopThatEndsBeforeTheTable).
TEST(ProcessScans, MayEndBeforeTheTable) {
    EXPECT_EQ(with_process_scans("scans_HALF"), (Names{"wakeup", "scheduler"}));
    EXPECT_EQ(with_process_scans("scans_MARK"), (Names{"wakeup", "scheduler"}));
}

TEST(ProcessScans, AreLeftToTheGuestWhereTheElementIsInNoRegister) {
    EXPECT_EQ(with_process_scans("scans_unoptimised"), Names{});
}

TEST(ProcessScans, NeedToKnowTheTable) {
    EXPECT_EQ(with_process_scans("scans_no_debug"), Names{});
}

}  // namespace
}  // namespace vmcheck
