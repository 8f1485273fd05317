#include "spec/testing/judging.h"
#include "spec/testing/side_by_side.h"

#include <gtest/gtest.h>

namespace vmcheck::spec {
namespace {

using namespace testing;

// What the machine shows of one page; nothing else is looked at.
class OnePage : public MachineMemory {
  public:
    OnePage(ProcId process, Vpn page) {
        bytes_.fill(std::byte{0});
        observation.processes.push_back(ObservedProcess{process, false, {}, {}, {}});
        observation.processes[0].pages.push_back(ObservedPage{page, FrameNo{1}, Rights{true, true, false, true}, true});
        observation.memory = this;
    }
    std::span<std::byte const, kPageBytes> bytes(FrameNo) const override { return bytes_; }
    std::optional<bool> on_free_list(FrameNo) const override { return std::nullopt; }
    std::optional<std::int64_t> reference_count(FrameNo) const override { return std::nullopt; }

    OnePage& with(std::size_t offset, std::initializer_list<int> values) {
        for (int value : values) bytes_[offset++] = static_cast<std::byte>(value);
        return *this;
    }

    Observation observation;

  private:
    PageBytes bytes_;
};

std::uint64_t word_at(World const& world, Address address) {
    auto const bytes = world.read(kInit, world.resolve(kInit, address), 4).value();
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
    return value;
}

// A file_read of 8 bytes to the last 4 bytes before the guard page, with this result.
World after_broken_read(std::uint64_t result) {
    Story story{kCowLazy};
    story.then(by(0, FileRead{at(Anchor::bss, kPage - 4), 8}), returned(result));
    return story.world();
}

TEST(Settle, FindsThePrefixThatWasWritten) {
    Vpn const bss{4};
    World const open = after_broken_read(kMinus1);
    OnePage nothing{kInit, bss};
    EXPECT_EQ(word_at(settle(open, nothing.observation), at(Anchor::bss, kPage - 4)), 0u);
    OnePage two{kInit, bss};
    two.with(4092, {0, 7});
    EXPECT_EQ(word_at(settle(open, two.observation), at(Anchor::bss, kPage - 4)), 0x0700u);
    OnePage all{kInit, bss};
    all.with(4092, {0, 7, 14, 21});
    EXPECT_EQ(word_at(settle(open, all.observation), at(Anchor::bss, kPage - 4)), 0x150e0700u);
    EXPECT_TRUE(settle(open, all.observation).open_copies().empty());
}

TEST(Settle, LeavesWhatFitsNothingAsTheWholeCopy) {
    Vpn const bss{4};
    OnePage gap{kInit, bss};
    gap.with(4092, {0, 0, 14, 21});
    EXPECT_EQ(word_at(settle(after_broken_read(kMinus1), gap.observation), at(Anchor::bss, kPage - 4)), 0x150e0700u);
    OnePage less_than_counted{kInit, bss};
    less_than_counted.with(4092, {0, 7});
    EXPECT_EQ(word_at(settle(after_broken_read(3), less_than_counted.observation), at(Anchor::bss, kPage - 4)),
              0x150e0700u);
}

TEST(Settle, TakesPaddingAsItIs) {
    Story story{kCowLazy};
    story.then(by(0, Fstat{at(Anchor::bss)}), returned(0));
    OnePage seen{kInit, Vpn{4}};
    seen.with(0, {1, 0, 0, 0, 7, 0, 0, 0, 2, 0, 1, 0, 0xef, 0xbe, 0xad, 0xde, 0xb8, 0x0b});
    World const settled = settle(story.world(), seen.observation);
    EXPECT_EQ(word_at(settled, at(Anchor::bss, 12)), 0xdeadbeefu);
    EXPECT_EQ(word_at(settled, at(Anchor::bss, 16)), 3000u);
}

TEST(Settle, TellsFromMemoryWhatThePipeHeld) {
    Story story{kCowLazy};
    story.then(by(0, Store{at(Anchor::data), 4, 0x04030201}), returned(0));
    story.then(by(0, PipeWrite{at(Anchor::data), 4}), returned(4));
    story.then(by(0, PipeRead{at(Anchor::guard), 2}), returned(0));
    story.then(by(0, PipeRead{at(Anchor::bss), 2}), returned(2));
    OnePage lost_one{kInit, Vpn{4}};
    lost_one.with(0, {2, 3});
    World const settled = settle(story.world(), lost_one.observation);
    EXPECT_EQ(settled.pipe(), (std::vector<std::vector<std::byte>>{{std::byte{4}}}));
    EXPECT_EQ(word_at(settled, at(Anchor::bss)), 0x0302u);
}

TEST(Settle, TakesAPageThatIsNotMappedForUnwritten) {
    Story story{kCowLazy};
    story.then(by(0, Sbrk{kPage}), returned(0x7000)).then(by(0, FileRead{heap(kPage - 4), 8}), returned(kMinus1));
    OnePage elsewhere{kInit, Vpn{4}};
    World const settled = settle(story.world(), elsewhere.observation);
    EXPECT_EQ(word_at(settled, heap(kPage - 4)), 0u);
    EXPECT_EQ(settled.page_at(kInit, Vpn{7})->presence, Presence::either);
}

TEST(Settle, KnowsThatWhatWasWrittenIsMapped) {
    Story story{kCowLazy};
    story.then(by(0, Sbrk{kPage}), returned(0x7000)).then(by(0, FileRead{heap(kPage - 2), 8}), returned(kMinus1));
    OnePage written{kInit, Vpn{7}};
    written.with(kPage - 2, {0, 7});
    EXPECT_EQ(settle(story.world(), written.observation).page_at(kInit, Vpn{7})->presence, Presence::present);
}

TEST(Settle, DoesNothingWhereNothingIsOpen) {
    World const world = Story{kCowLazy}.world();
    EXPECT_EQ(settle(world, Observation{}), world);
}

}  // namespace
}  // namespace vmcheck::spec
