#include "spec/testing/judging.h"

#include <gtest/gtest.h>

namespace vmcheck::spec {
namespace {

using namespace testing;

using PipeContents = std::vector<std::byte>;
using Pipes = std::vector<PipeContents>;

PipeContents bytes(std::initializer_list<int> values) {
    PipeContents result;
    for (int value : values) result.push_back(static_cast<std::byte>(value));
    return result;
}

// One page of heap, and 1, 2, 3, 4 in the pipe.
Story with_pipe() {
    Story story{kCowLazy};
    story.then(by(0, Sbrk{kPage}), returned(kHeap)).then(by(0, Store{heap(), 4, 0x04030201}), returned(0));
    story.then(by(0, PipeWrite{heap(), 4}), returned(4));
    return story;
}

TEST(PipeWrite, TakesTheBytes) {
    Story const story = with_pipe();
    EXPECT_EQ(story.world().pipe(), Pipes{bytes({1, 2, 3, 4})});
}

TEST(PipeWrite, OfGoodBytesTakesThemAll) {
    Story const story = with_pipe();
    EXPECT_EQ(story.verdict(by(0, PipeWrite{heap(), 4}), returned(3)), "I7");
    EXPECT_EQ(story.verdict(by(0, PipeWrite{heap(), 4}), returned(kMinus1)), "I7");
    EXPECT_EQ(story.verdict(by(0, PipeWrite{heap(), 0}), returned(0)), "allowed");
    EXPECT_EQ(story.verdict(by(0, PipeWrite{at(Anchor::guard), 0}), returned(0)), "allowed");
    EXPECT_EQ(story.verdict(by(0, PipeWrite{heap(), 4}), returned(kMinus1), kNothingFree), "I7")
        << "the page is there: no memory is wanted";
}

TEST(PipeWrite, FromAReservedPageReadsZerosAndMayOrMayNotMapIt) {
    Story story{kCowLazy};
    story.then(by(0, Sbrk{kPage}), returned(kHeap)).then(by(0, PipeWrite{heap(), 2}), returned(2));
    EXPECT_EQ(story.world().pipe(), Pipes{bytes({0, 0})});
    EXPECT_EQ(story.world().page_at(kInit, Vpn{7})->presence, Presence::either);
    EXPECT_EQ(story.verdict(by(0, PipeWrite{heap(), 2}), returned(kMinus1), kNothingFree), "allowed");
}

TEST(PipeWrite, AcrossABadPageTakesAnyPrefixOrFails) {
    Story const story = with_pipe();
    Step const write = by(0, PipeWrite{heap(kPage - 2), 4});
    EXPECT_EQ(story.verdict(write, returned(4)), "I7");
    EXPECT_EQ(story.verdict(write, returned(3)), "I7");
    for (std::uint64_t value : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}, kMinus1})
        EXPECT_EQ(story.verdict(write, returned(value)), "allowed") << value;
    Story counted = story;
    counted.then(write, returned(2));
    EXPECT_EQ(counted.world().pipe(), Pipes{bytes({1, 2, 3, 4, 0, 0})});
    Story failed = story;
    failed.then(write, returned(kMinus1));
    EXPECT_EQ(failed.world().pipe().size(), 3u) << "none, one or two bytes may have gone through";
}

TEST(PipeWrite, IsNotAskedWhereItWouldBlock) {
    Story const story = with_pipe();
    EXPECT_FALSE(why_not(story.world(), by(0, PipeWrite{heap(), 60})));
    EXPECT_TRUE(why_not(story.world(), by(0, PipeWrite{heap(), 61})));
    EXPECT_TRUE(why_not(story.world(), by(0, PipeWrite{heap(), 0x80000000})));
}

TEST(PipeRead, GivesWhatThereIs) {
    Story story = with_pipe();
    Step const read = by(0, PipeRead{at(Anchor::bss), 10});
    EXPECT_EQ(story.verdict(read, returned(10)), "I7");
    EXPECT_EQ(story.verdict(read, returned(3)), "I7");
    story.then(by(0, PipeRead{at(Anchor::bss), 3}), returned(3));
    EXPECT_TRUE(story.allows(by(0, Load{at(Anchor::bss), 4}), returned(0x030201)));
    EXPECT_EQ(story.world().pipe(), Pipes{bytes({4})});
    EXPECT_TRUE(story.world().open_copies().empty());
}

TEST(PipeRead, OfAnEmptyPipeIsNotAsked) {
    Story const story{kCowLazy};
    EXPECT_TRUE(why_not(story.world(), by(0, PipeRead{at(Anchor::bss), 1})));
    EXPECT_TRUE(why_not(story.world(), by(0, PipeRead{at(Anchor::bss), 0})))
        << "xv6 sleeps before it looks at the count";
}

TEST(PipeRead, IntoReadOnlyPagesMustFail) {
    Story const story = with_pipe();
    for (Address bad : {at(Anchor::text), at(Anchor::rodata), at(Anchor::guard), at(Anchor::maxva), heap(kPage)}) {
        EXPECT_EQ(story.verdict(by(0, PipeRead{bad, 2}), returned(2)), "I7");
        EXPECT_EQ(story.verdict(by(0, PipeRead{bad, 2}), returned(kMinus1)), "allowed");
        EXPECT_EQ(story.verdict(by(0, PipeRead{bad, 2}), returned(0)), "allowed");
    }
}

TEST(PipeRead, ThatFailsMayHaveLostOneByteMore) {
    Story story = with_pipe();
    story.then(by(0, PipeRead{at(Anchor::guard), 2}), returned(0));
    EXPECT_EQ(story.world().pipe(), (Pipes{bytes({1, 2, 3, 4}), bytes({2, 3, 4})}));
    // Both contents give a full answer, and memory tells which it was.
    story.then(by(0, PipeRead{at(Anchor::bss), 2}), returned(2));
    ASSERT_EQ(story.world().open_copies().size(), 2u);
    EXPECT_EQ(story.world().pipe(), (Pipes{bytes({3, 4}), bytes({4})}));
}

TEST(PipeRead, UnsharesAndMapsWhatItWritesTo) {
    Story story = with_pipe();
    story.then(by(0, Sbrk{kPage}), returned(kHeap + kPage)).then(by(0, Fork{ProcId{1}}), forked(2));
    story.then(by(1, PipeRead{heap(kPage - 2), 4}), returned(4));
    EXPECT_NE(story.world().page_at(ProcId{1}, Vpn{7})->frame, story.world().page_at(kInit, Vpn{7})->frame);
    EXPECT_EQ(story.world().page_at(ProcId{1}, Vpn{8})->presence, Presence::present);
    EXPECT_EQ(story.world().page_at(kInit, Vpn{8})->presence, Presence::reserved);
}

TEST(PipeRead, ForWantOfMemoryMayFailOrKill) {
    Story story = with_pipe();
    story.then(by(0, Fork{ProcId{1}}), forked(2));
    Step const read = by(1, PipeRead{heap(), 4});
    EXPECT_EQ(story.verdict(read, ended()), "I7");
    EXPECT_EQ(story.verdict(read, ended(), kNothingFree), "allowed");
    EXPECT_EQ(story.verdict(read, returned(kMinus1), kNothingFree), "allowed");
    EXPECT_EQ(story.verdict(read, after_failed_allocation(returned(0))), "allowed");
    story.then(read, ended(), kNothingFree);
    EXPECT_EQ(story.world().pipe().size(), 5u) << "none to all of the bytes may be gone";
}

TEST(FileRead, CopiesFromTheStartOfTheFile) {
    Story story{kCowLazy};
    EXPECT_EQ(story.verdict(by(0, FileRead{at(Anchor::bss), 8}), returned(7)), "I7");
    EXPECT_EQ(story.verdict(by(0, FileRead{at(Anchor::bss), 4000}), returned(3000)), "allowed");
    EXPECT_EQ(story.verdict(by(0, FileRead{at(Anchor::guard), 0}), returned(0)), "allowed");
    story.then(by(0, FileRead{at(Anchor::bss), 3}), returned(3));
    EXPECT_TRUE(story.allows(by(0, Load{at(Anchor::bss), 4}), returned(0x0e0700)));
}

TEST(FileRead, AcrossABadPageLeavesOpenWhatWasWritten) {
    Story story{kCowLazy};
    Step const read = by(0, FileRead{at(Anchor::bss, kPage - 4), 8});
    EXPECT_EQ(story.verdict(read, returned(8)), "I7");
    EXPECT_EQ(story.verdict(read, returned(5)), "I7");
    story.then(read, returned(2));
    ASSERT_EQ(story.world().open_copies().size(), 1u);
    OpenCopy const& copy = story.world().open_copies().front();
    EXPECT_TRUE(copy.any_prefix);
    EXPECT_EQ(copy.prefix_min, 2u);
    EXPECT_EQ(copy.bytes.size(), 4u);
}

TEST(Fstat, FillsAStatWithPaddingThatIsNobodys) {
    Story story{kCowLazy};
    EXPECT_EQ(story.verdict(by(0, Fstat{at(Anchor::bss)}), returned(kMinus1)), "I7");
    EXPECT_EQ(story.verdict(by(0, Fstat{at(Anchor::rodata)}), returned(0)), "I7");
    EXPECT_EQ(story.verdict(by(0, Fstat{at(Anchor::rodata)}), returned(kMinus1)), "allowed");
    story.then(by(0, Fstat{at(Anchor::bss)}), returned(0));
    EXPECT_EQ(story.world().open_copies().front().anything.size(), 24u);
    EXPECT_TRUE(story.allows(by(0, Load{at(Anchor::bss, 16), 8}), returned(3000)));
    EXPECT_TRUE(story.allows(by(0, Load{at(Anchor::bss, 4), 4}), returned(7)));
}

TEST(Pipe, StoresTheTwoLowestFreeDescriptors) {
    Story story{kCowLazy};
    EXPECT_EQ(story.verdict(by(0, Pipe{at(Anchor::bss)}), returned(kMinus1)), "I7");
    EXPECT_EQ(story.verdict(by(0, Pipe{at(Anchor::bss)}), returned(kMinus1), kNothingFree), "allowed");
    EXPECT_EQ(story.verdict(by(0, Pipe{at(Anchor::guard, -4)}), returned(0)), "I7") << "the second one does not fit";
    story.then(by(0, Pipe{at(Anchor::bss)}), returned(0));
    EXPECT_TRUE(story.allows(by(0, Load{at(Anchor::bss), 8}), returned(0x0000000400000003)));
}

TEST(Open, FindsWhatIsThereAndNothingElse) {
    Story const story{kCowLazy};
    EXPECT_EQ(story.verdict(by(0, Open{at(Anchor::rodata)}), returned(3)), "allowed");
    EXPECT_EQ(story.verdict(by(0, Open{at(Anchor::rodata)}), returned(kMinus1)), "I7");
    EXPECT_EQ(story.verdict(by(0, Open{at(Anchor::rodata, 1)}), returned(3)), "allowed") << "\"data\"";
    EXPECT_EQ(story.verdict(by(0, Open{at(Anchor::rodata, 2)}), returned(3)), "I7") << "\"ata\"";
    EXPECT_EQ(story.verdict(by(0, Open{at(Anchor::rodata, 16)}), returned(kMinus1)), "allowed") << "\"none\"";
    EXPECT_EQ(story.verdict(by(0, Open{at(Anchor::bss)}), returned(3)), "allowed") << "the empty path is free";
    EXPECT_EQ(story.verdict(by(0, Open{at(Anchor::bss)}), returned(kMinus1)), "allowed");
}

TEST(Open, RefusesPathsThatDoNotEnd) {
    Story const story{kCowLazy};
    EXPECT_EQ(story.verdict(by(0, Open{at(Anchor::data)}), returned(kMinus1)), "allowed");
    EXPECT_EQ(story.verdict(by(0, Open{at(Anchor::data)}), returned(3)), "I7");
    EXPECT_EQ(story.verdict(by(0, Open{at(Anchor::guard)}), returned(3)), "I7");
    EXPECT_EQ(story.verdict(by(0, Open{at(Anchor::absolute, -1)}), returned(3)), "I7");
}

TEST(Open, OfAPathThatEndsWithTheMemoryIsFine) {
    Story story{kCowLazy};
    story.then(by(0, Sbrk{kPage}), returned(kHeap)).then(by(0, Store{heap(kPage - 5), 4, 0x61746164}), returned(0));
    EXPECT_EQ(story.verdict(by(0, Open{heap(kPage - 5)}), returned(3)), "allowed");
    EXPECT_EQ(story.verdict(by(0, Open{heap(kPage - 5)}), returned(kMinus1)), "I7");
}

}  // namespace
}  // namespace vmcheck::spec
