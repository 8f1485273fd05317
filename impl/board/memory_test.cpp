#include "impl/board/memory.h"

#include <gtest/gtest.h>

namespace vmcheck::board {
namespace {

constexpr std::uint64_t kSize = 16 * kPageBytes;

Memory small_memory() {
    return std::move(*Memory::create(kSize));
}

class Recorder final : public CodeFrameListener {
  public:
    void before_overwrite(FrameNo frame, std::span<std::byte const, kPageBytes> old_bytes) override {
        frames.push_back(frame);
        first_bytes.push_back(old_bytes[0]);
    }
    std::vector<FrameNo> frames;
    std::vector<std::byte> first_bytes;
};

TEST(Memory, ContainsExactlyItsRange) {
    Memory const memory = small_memory();
    EXPECT_TRUE(memory.contains(kRamStart, kSize));
    EXPECT_TRUE(memory.contains(memory.end(), 0));
    EXPECT_FALSE(memory.contains(kRamStart, kSize + 1));
    EXPECT_FALSE(memory.contains(kRamStart - 1, 1));
    EXPECT_FALSE(memory.contains(memory.end(), 1));
    EXPECT_FALSE(memory.contains(kRamStart + 8, ~std::uint64_t{0}));
    EXPECT_FALSE(memory.contains(PhysAddr{~std::uint64_t{0}}, 2));
    EXPECT_FALSE(memory.contains(FrameNo{0}));
    EXPECT_FALSE(memory.contains(memory.end().frame()));
}

TEST(Memory, LoadsAndStoresAcrossAFrameBoundaryAndRefusesBeyondTheEnd) {
    Memory memory = small_memory();
    PhysAddr const across = kRamStart + kPageBytes - 3;
    ASSERT_TRUE(memory.store<std::uint64_t>(across, 0x1122334455667788));
    EXPECT_EQ(memory.load<std::uint64_t>(across), 0x1122334455667788u);
    EXPECT_EQ(memory.load<std::uint8_t>(across), 0x88u);
    EXPECT_EQ(memory.load<std::uint64_t>(memory.end() - 7), std::nullopt);
    EXPECT_FALSE(memory.store<std::uint64_t>(memory.end() - 7, 1));
}

TEST(Memory, MarksEveryFrameThatAWriteTouchesOnce) {
    Memory memory = small_memory();
    EXPECT_TRUE(memory.dirty_frames().empty());
    ASSERT_TRUE(memory.open_for_write(kRamStart + kPageBytes - 1, kPageBytes + 2));
    ASSERT_TRUE(memory.open_for_write(kRamStart + kPageBytes, 1));
    std::vector<FrameNo> const expected{FrameNo{0x80000}, FrameNo{0x80001}, FrameNo{0x80002}};
    EXPECT_EQ((std::vector<FrameNo>{memory.dirty_frames().begin(), memory.dirty_frames().end()}), expected);
    EXPECT_TRUE(memory.is_dirty(FrameNo{0x80002}));
    EXPECT_FALSE(memory.is_dirty(FrameNo{0x80003}));
    memory.clear_dirty();
    EXPECT_FALSE(memory.is_dirty(FrameNo{0x80000}));
}

TEST(Memory, TellsOfEachWrittenFrameOnceAndOfThoseThatTheGuestMayStillStoreTo) {
    Memory memory = small_memory();
    FrameNo const first{0x80000}, second{0x80001};
    memory.store<std::uint8_t>(kRamStart, 1);
    memory.open_to_guest(second);
    EXPECT_EQ(memory.take_written(), (std::vector{first, second}));
    EXPECT_FALSE(memory.may_be_opened(first)) << "the next store has to be noticed";
    EXPECT_TRUE(memory.may_be_opened(second));
    EXPECT_EQ(memory.take_written(), std::vector{second}) << "nobody would see a store";
    memory.close_to_guest();
    EXPECT_EQ(memory.take_written(), std::vector{second}) << "it was open until now";
    EXPECT_TRUE(memory.take_written().empty());
    memory.open_dirty_to_guest();
    EXPECT_EQ(memory.take_written(), (std::vector{first, second}));
}

TEST(Memory, AFrameThatIsPutBackIsWritten) {
    Memory memory = small_memory();
    memory.replace_frame(kRamStart.frame(), std::array<std::byte, kPageBytes>{});
    EXPECT_EQ(memory.take_written(), std::vector{kRamStart.frame()});
    EXPECT_FALSE(memory.may_be_opened(kRamStart.frame())) << "it is not dirty";
}

TEST(Memory, HasHugePagesFromManyDirtyFramesOnUntilTheyAreGivenBack) {
    Memory memory = std::move(*Memory::create((Memory::kManyFrames + 1) * kPageBytes));
    for (std::size_t i = 0; i < Memory::kManyFrames - 1; ++i) memory.mark_dirty(FrameNo{kRamStart.frame().value + i});
    EXPECT_FALSE(memory.uses_huge_pages());
    memory.mark_dirty(FrameNo{kRamStart.frame().value + Memory::kManyFrames});
    EXPECT_TRUE(memory.uses_huge_pages());
    memory.drop_private([&](FrameNo frame) { return memory.frame(frame); });
    EXPECT_FALSE(memory.uses_huge_pages());
    EXPECT_TRUE(memory.dirty_frames().empty());
}

TEST(Memory, AnEmptyWriteTouchesNothing) {
    Memory memory = small_memory();
    ASSERT_TRUE(memory.open_for_write(kRamStart, 0));
    ASSERT_TRUE(memory.open_for_write(memory.end(), 0));
    EXPECT_TRUE(memory.dirty_frames().empty());
}

TEST(Memory, TellsListenersBeforeFramesWithCodeAreOverwritten) {
    Memory memory = small_memory();
    Recorder recorder;
    memory.add_listener(recorder);
    memory.store<std::uint8_t>(kRamStart, 7);
    EXPECT_TRUE(recorder.frames.empty());
    memory.mark_code(kRamStart.frame());
    memory.store<std::uint8_t>(kRamStart, 8);
    ASSERT_EQ(recorder.frames.size(), 1u);
    EXPECT_EQ(recorder.first_bytes[0], std::byte{7});
}

TEST(Memory, ReplacingAFrameByTheSameBytesTellsNobody) {
    Memory memory = small_memory();
    Recorder recorder;
    memory.add_listener(recorder);
    memory.mark_code(kRamStart.frame());
    std::array<std::byte, kPageBytes> bytes{};
    memory.replace_frame(kRamStart.frame(), bytes);
    EXPECT_TRUE(recorder.frames.empty());
    bytes[5] = std::byte{1};
    memory.replace_frame(kRamStart.frame(), bytes);
    EXPECT_EQ(recorder.frames.size(), 1u);
    EXPECT_EQ(memory.load<std::uint8_t>(kRamStart + 5), 1u);
    EXPECT_FALSE(memory.is_dirty(kRamStart.frame()));
}

}  // namespace
}  // namespace vmcheck::board
