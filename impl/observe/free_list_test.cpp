#include "impl/observe/free_list.h"

#include "impl/observe/fake_ram_testing.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

namespace vmcheck::observe {
namespace {

// The head lives at the start of frame 0; the list is whatever the test links.
class FreeListTest : public testing::Test {
  protected:
    void link(std::vector<std::uint64_t> const& frames) {
        PhysAddr at = kHead;
        for (std::uint64_t frame : frames) {
            ram.write(at, FakeRam::address(frame).value);
            at = FakeRam::address(frame);
        }
        ram.write(at, 0);
    }
    FreeList list_from_golden() {
        auto golden = GoldenFreeList::take(ram.view(), {kHead});
        EXPECT_TRUE(golden.has_value());
        return FreeList(std::make_shared<GoldenFreeList const>(*golden));
    }

    static inline PhysAddr const kHead = FakeRam::address(0);
    FakeRam ram{16};
};

TEST_F(FreeListTest, AnUntouchedListIsTheGoldenOne) {
    link({3, 4, 5, 6});
    FreeList list = list_from_golden();
    list.refresh(ram.view(), {});
    EXPECT_EQ(list.length(), 4U);
    EXPECT_TRUE(list.contains(FakeRam::frame(6)));
    EXPECT_FALSE(list.contains(FakeRam::frame(7)));
    EXPECT_EQ(list.broken(), "");
}

TEST_F(FreeListTest, FramesTakenFromTheFrontAreNotOnIt) {
    link({3, 4, 5, 6});
    FreeList list = list_from_golden();
    ram.write(kHead, FakeRam::address(5).value);
    std::vector<FrameNo> const dirty{FakeRam::frame(0), FakeRam::frame(3), FakeRam::frame(4)};
    list.refresh(ram.view(), dirty);
    EXPECT_EQ(list.length(), 2U);
    EXPECT_FALSE(list.contains(FakeRam::frame(3)));
    EXPECT_TRUE(list.contains(FakeRam::frame(5)));
}

TEST_F(FreeListTest, FramesGivenBackInAnotherOrderAreOnIt) {
    link({3, 4, 5, 6});
    FreeList list = list_from_golden();
    link({4, 9, 3, 5, 6});
    std::vector<FrameNo> const dirty{FakeRam::frame(0), FakeRam::frame(3), FakeRam::frame(4), FakeRam::frame(9)};
    list.refresh(ram.view(), dirty);
    EXPECT_EQ(list.length(), 5U);
    EXPECT_TRUE(list.contains(FakeRam::frame(9)));
    EXPECT_TRUE(list.contains(FakeRam::frame(3)));
}

TEST_F(FreeListTest, ADoubleFreeIsSeen) {
    link({3, 4, 5, 6});
    FreeList list = list_from_golden();
    // 4 is freed while it is on the list: 4 -> 3 -> 4 -> ...
    ram.write(kHead, FakeRam::address(4).value);
    ram.write(FakeRam::address(4), FakeRam::address(3).value);
    std::vector<FrameNo> const dirty{FakeRam::frame(0), FakeRam::frame(4)};
    list.refresh(ram.view(), dirty);
    EXPECT_NE(list.broken().find("twice"), std::string::npos);
}

TEST_F(FreeListTest, AFrameOnTheListsOfTwoHartsIsSeen) {
    link({3, 4, 5});
    auto golden = GoldenFreeList::take(ram.view(), {kHead, kHead + 8});
    ASSERT_TRUE(golden.has_value());
    FreeList list(std::make_shared<GoldenFreeList const>(*golden));
    ram.write(kHead, FakeRam::address(4).value);
    ram.write(kHead + 8, FakeRam::address(3).value);
    std::vector<FrameNo> const dirty{FakeRam::frame(0)};
    list.refresh(ram.view(), dirty);
    EXPECT_EQ(list.broken(), "frame 0x80004 is on the free list twice");
}

TEST_F(FreeListTest, AnEntryThatIsNoFrameIsSeen) {
    link({3, 4, 5, 6});
    FreeList list = list_from_golden();
    ram.write(FakeRam::address(3), 0x0505050505050505);
    std::vector<FrameNo> const dirty{FakeRam::frame(3)};
    list.refresh(ram.view(), dirty);
    EXPECT_NE(list.broken().find("no frame"), std::string::npos);
}

TEST_F(FreeListTest, AListThatIsBrokenAtTheStartIsRefused) {
    link({3, 4, 5});
    ram.write(FakeRam::address(5), FakeRam::address(3).value);
    auto const list = GoldenFreeList::take(ram.view(), {kHead});
    ASSERT_FALSE(list.has_value());
    EXPECT_NE(list.error().why, "");
}

// The shortcut through the golden tail must never change an answer.
RC_GTEST_PROP(FreeListProperty, AgreesWithWalkingTheWholeList, ()) {
    constexpr std::uint64_t kFrames = 24;
    auto const draw_list = [&] {
        std::vector<std::uint64_t> frames;
        for (std::uint64_t i = 1; i < kFrames; ++i) frames.push_back(i);
        for (std::size_t i = frames.size(); i > 1; --i)
            std::swap(frames[i - 1], frames[*rc::gen::inRange<std::size_t>(0, i)]);
        frames.resize(*rc::gen::inRange<std::size_t>(0, frames.size() + 1));
        return frames;
    };
    FakeRam ram{kFrames};
    auto const link = [&](std::vector<std::uint64_t> const& frames) {
        PhysAddr at = FakeRam::address(0);
        for (std::uint64_t frame : frames) {
            ram.write(at, FakeRam::address(frame).value);
            at = FakeRam::address(frame);
        }
        ram.write(at, 0);
    };
    auto const before = draw_list();
    link(before);
    auto golden = GoldenFreeList::take(ram.view(), {FakeRam::address(0)});
    RC_ASSERT(golden.has_value());
    FreeList list(std::make_shared<GoldenFreeList const>(*golden));
    std::vector<std::byte> const old(ram.view().bytes.begin(), ram.view().bytes.end());
    // Keep a tail of the old list often, since that is what the shortcut is about.
    std::vector<std::uint64_t> after = draw_list();
    std::size_t const tail = *rc::gen::inRange<std::size_t>(0, before.size() + 1);
    std::erase_if(after, [&](std::uint64_t frame) {
        return std::find(before.end() - static_cast<std::ptrdiff_t>(tail), before.end(), frame) != before.end();
    });
    after.insert(after.end(), before.end() - static_cast<std::ptrdiff_t>(tail), before.end());
    link(after);
    std::vector<FrameNo> dirty;
    for (std::uint64_t i = 0; i < kFrames; ++i)
        if (std::memcmp(old.data() + i * kPageBytes, ram.view().bytes.data() + i * kPageBytes, kPageBytes) != 0)
            dirty.push_back(FakeRam::frame(i));
    list.refresh(ram.view(), dirty);
    RC_ASSERT(list.broken().empty());
    RC_ASSERT(list.length() == after.size());
    for (std::uint64_t i = 0; i < kFrames; ++i)
        RC_ASSERT(list.contains(FakeRam::frame(i)) == (std::find(after.begin(), after.end(), i) != after.end()));
}

}  // namespace
}  // namespace vmcheck::observe
