#include "impl/map/source_lines.h"

#include "impl/map/fixtures_testing.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

#include <filesystem>

namespace vmcheck::map {
namespace {

using testing::fixture;
using ::testing::SizeIs;

SourceLines::Data two_sequences() {
    using Row = SourceLines::Row;
    return {
        .files = {"vm.c", "riscv.h"},
        .rows = {Row{VirtAddr{0x20}, 0, 50, false}, Row{VirtAddr{0x30}, 0, 51, true}, Row{VirtAddr{0x10}, 0, 10, false},
                 Row{VirtAddr{0x14}, 1, 7, false}, Row{VirtAddr{0x18}, 0, 0, false}, Row{VirtAddr{0x1c}, 0, 12, false},
                 Row{VirtAddr{0x1c}, 0, 13, false}, Row{VirtAddr{0x20}, 0, 14, true}},
        .ranges = {{VirtAddr{0x10}, VirtAddr{0x20}, "walk", 0, 0, 0},
                   {VirtAddr{0x14}, VirtAddr{0x18}, "r_satp", 1, 0, 11},
                   {VirtAddr{0x20}, VirtAddr{0x30}, "mappages", 0, 0, 0}}};
}

std::string at(SourceLines const& lines, std::uint64_t pc) {
    auto const place = lines.source_line(VirtAddr{pc});
    return place ? to_string(*place) : "nothing";
}

TEST(SourceLines, KnowNothingWhenEmpty) {
    EXPECT_TRUE(SourceLines().empty());
    EXPECT_EQ(at(SourceLines(), 0), "nothing");
    EXPECT_EQ(at(SourceLines(), ~0ULL), "nothing");
}

TEST(SourceLines, FindTheRowThatHoldsAPc) {
    SourceLines const lines(two_sequences());
    EXPECT_EQ(at(lines, 0x0f), "nothing");
    EXPECT_EQ(at(lines, 0x10), "vm.c:10 (walk)");
    EXPECT_EQ(at(lines, 0x13), "vm.c:10 (walk)");
    EXPECT_EQ(at(lines, 0x16), "riscv.h:7 (r_satp)");
    EXPECT_EQ(at(lines, 0x1a), "riscv.h:7 (walk)");    // line 0: the line before
    EXPECT_EQ(at(lines, 0x1c), "vm.c:13 (walk)");      // the last row of an address holds
    EXPECT_EQ(at(lines, 0x20), "vm.c:50 (mappages)");  // where one sequence ends and another begins
    EXPECT_EQ(at(lines, 0x30), "nothing");
}

TEST(SourceLines, TellWhereCodeWasInlinedTo) {
    SourceLines const lines(two_sequences());
    auto const frames = lines.inlined_frames(VirtAddr{0x14});
    ASSERT_THAT(frames, SizeIs(2));
    EXPECT_EQ(to_string(frames[0]), "riscv.h:7 (r_satp)");
    EXPECT_EQ(to_string(frames[1]), "vm.c:11 (walk)");
}

TEST(SourceLines, AreReadFromDwarf) {
    auto const image = fixture("xv6");
    auto const lines = read_debug_info(image).lines;
    auto const entry = lines.source_line(VirtAddr{testing::address_of(image, "kalloc")});
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->function, "kalloc");
    EXPECT_EQ(std::filesystem::path(entry->file).filename(), "xv6_like.c");
    EXPECT_GT(entry->line, 90U);
    EXPECT_EQ(lines.source_line(VirtAddr{testing::address_of(image, "proc")}), std::nullopt);
}

TEST(SourceLines, AreReadFromDwarfWithWhatWasInlined) {
    auto const image = fixture("xv6");
    auto const lines = read_debug_info(image).lines;
    std::uint64_t const start = testing::address_of(image, "start_process");
    bool seen = false;
    for (std::uint64_t pc = start; pc < start + image.find_symbol("start_process")->bytes; pc += 2) {
        auto const frames = lines.inlined_frames(VirtAddr{pc});
        ASSERT_FALSE(frames.empty());
        EXPECT_EQ(frames.back().function, "start_process");
        if (frames.size() < 2) continue;
        seen = true;
        EXPECT_EQ(frames[0].function, "next_pid");
        EXPECT_GT(frames[1].line, frames[0].line);
    }
    EXPECT_TRUE(seen);
}

TEST(SourceLines, QualifyFunctionsOfCpp) {
    auto const image = fixture("namespaced");
    auto const lines = read_debug_info(image).lines;
    auto const place = lines.source_line(VirtAddr{testing::address_of(image, "_ZN6kernel14frame_allocateEv")});
    ASSERT_TRUE(place);
    EXPECT_EQ(place->function, "kernel::frame_allocate");
}

}  // namespace
}  // namespace vmcheck::map
