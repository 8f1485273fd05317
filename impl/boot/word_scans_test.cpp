#include "impl/boot/word_scans.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

#include <filesystem>
#include <string>
#include <vector>

namespace vmcheck {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;

// The functions of which a loop was recognised.
std::vector<std::string> with_word_scans(std::string const& name) {
    auto const path = std::filesystem::path(VMCHECK_MAP_FIXTURES) / (name + ".elf");
    auto const image = elf::KernelImage::load(path, elf::kDefaultRam).value();
    std::vector<std::string> functions;
    for (board::WordScan const& scan : find_word_scans(image)) {
        functions.push_back(image.function_at(scan.at)->name);
        EXPECT_NE(scan.element, scan.end);
    }
    return functions;
}

TEST(WordScans, AreThoseThatDoNothingAboutZero) {
    EXPECT_THAT(with_word_scans("word_scans"), UnorderedElementsAre("frees", "frees_half"));
}

TEST(WordScans, NeedNoDebugInformation) {
    EXPECT_THAT(with_word_scans("word_scans_no_debug"), UnorderedElementsAre("frees", "frees_half"));
}

TEST(WordScans, AreLeftToTheGuestWhereTheElementIsInNoRegister) {
    EXPECT_THAT(with_word_scans("word_scans_unoptimised"), IsEmpty());
}

}  // namespace
}  // namespace vmcheck
