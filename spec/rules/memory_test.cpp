#include "spec/testing/judging.h"

#include <gtest/gtest.h>

namespace vmcheck::spec {
namespace {

using namespace testing;

constexpr std::int64_t kGiB = std::int64_t{1} << 30;

TEST(Sbrk, ReturnsTheOldBreak) {
    Story story{kEager};
    EXPECT_EQ(story.verdict(by(0, Sbrk{kPage}), returned(kHeap + kPage)), "I7");
    story.then(by(0, Sbrk{kPage}), returned(kHeap));
    EXPECT_EQ(story.verdict(by(0, Sbrk{0}), returned(kHeap + kPage)), "allowed");
    EXPECT_EQ(story.verdict(by(0, Sbrk{0}), returned(kMinus1)), "I7");
}

TEST(Sbrk, GrowingEagerlyMapsZerosAndMayFailForMemory) {
    Story story{kEager};
    EXPECT_EQ(story.verdict(by(0, Sbrk{kPage}), returned(kMinus1)), "I7");
    EXPECT_EQ(story.verdict(by(0, Sbrk{kPage}), returned(kMinus1), kNothingFree), "allowed");
    story.then(by(0, Sbrk{kPage}), returned(kHeap));
    EXPECT_EQ(story.world().page_at(kInit, Vpn{7})->presence, Presence::present);
    EXPECT_TRUE(story.allows(by(0, Load{heap(), 8}), returned(0)));
}

TEST(Sbrk, GrowingEagerlyBeyondAllMemoryMustFail) {
    Story const story{kEager};
    EXPECT_EQ(story.verdict(by(0, Sbrk{kPage * 1000}), returned(kHeap)), "I7");
    EXPECT_EQ(story.verdict(by(0, Sbrk{kPage * 1000}), returned(kMinus1)), "allowed");
}

TEST(Sbrk, GrowingLazilyOnlyMovesTheBreak) {
    Story story{kCowLazy};
    EXPECT_EQ(story.verdict(by(0, Sbrk{kGiB}), returned(kMinus1), kNothingFree), "I7");
    story.then(by(0, Sbrk{kGiB}), returned(kHeap), kNothingFree);
    EXPECT_EQ(story.world().page_at(kInit, Vpn{7})->presence, Presence::reserved);
    EXPECT_EQ(story.world().find(kInit)->space->pages.size(), 7u);
}

TEST(Sbrk, GrowingLazilyFarBeyondWhatTheLabsReserveMayBeRefused) {
    Story const story{kCowLazy};
    EXPECT_EQ(story.verdict(by(0, Sbrk{2 * kGiB - 1}), returned(kHeap)), "allowed");
    EXPECT_EQ(story.verdict(by(0, Sbrk{2 * kGiB - 1}), returned(kMinus1)), "allowed");
}

TEST(Sbrk, BeyondTheTopIsNotAskedOfAKernelWhoseLazySbrkHasNoLimit) {
    Setting setting = small_setting(kCowLazy);
    setting.layout.top = setting.layout.trapframe = VirtAddr{0x10000};
    auto const may_ask = [&setting](std::int64_t bytes, SbrkMode mode = SbrkMode::by_profile) {
        Story const story{setting};
        return !why_not(story.world(), by(0, Sbrk{bytes, mode})).has_value();
    };
    EXPECT_TRUE(may_ask(0x9001));  // a kernel that has a limit is held to it
    setting.traits.lazy_sbrk_has_no_limit = true;
    EXPECT_TRUE(may_ask(0x9000));
    EXPECT_FALSE(may_ask(0x9001));
    EXPECT_FALSE(may_ask((std::int64_t{1} << 32) + 0x9001));  // as an int, the same
    EXPECT_TRUE(may_ask(-0x1000));
    setting.traits.sbrk_takes_mode = true;
    EXPECT_TRUE(may_ask(0x9001, SbrkMode::eager));
    EXPECT_FALSE(may_ask(0x9001, SbrkMode::lazy));
}

TEST(Sbrk, ThatReturnsAnIntIsPutUpWithWhereItIsInherited) {
    Setting setting = small_setting(kCowLazy);
    auto const after_growth = [&](std::uint64_t returns) {
        Story story{setting};
        story.then(by(0, Sbrk{2 * kGiB - 1}), returned(kHeap));
        return story.verdict(by(0, Sbrk{kPage}), returned(returns));
    };
    constexpr std::uint64_t kOld = kHeap + 2 * kGiB - 1, kAsInt = kOld | 0xffff'ffff'0000'0000;
    EXPECT_EQ(after_growth(kOld), "allowed");
    EXPECT_EQ(after_growth(kAsInt), "I7");
    setting.traits.sbrk_returns_int = true;
    EXPECT_EQ(after_growth(kAsInt), "allowed");
    EXPECT_EQ(after_growth(kOld), "I7") << "this kernel does not";
}

TEST(Sbrk, IntoTheStackIsAMatterOfTasteUnlessTheKernelIsKnownToRefuseIt) {
    Setting setting = small_setting(kCowLazy);
    EXPECT_EQ(Story{setting}.verdict(by(0, Sbrk{-kPage}), returned(kHeap)), "allowed");
    EXPECT_EQ(Story{setting}.verdict(by(0, Sbrk{-kPage}), returned(kMinus1)), "allowed");
    setting.traits.sbrk_keeps_to_the_heap = true;
    Story const strict{setting};
    EXPECT_EQ(strict.verdict(by(0, Sbrk{-kPage}), returned(kHeap)), "I7");
    EXPECT_EQ(strict.verdict(by(0, Sbrk{-kPage}), returned(kMinus1)), "allowed");
    Story grown{setting};
    grown.then(by(0, Sbrk{kPage}), returned(kHeap));
    EXPECT_EQ(grown.verdict(by(0, Sbrk{-kPage}), returned(kHeap + kPageBytes)), "allowed");
    EXPECT_EQ(grown.verdict(by(0, Sbrk{-kPage - 1}), returned(kHeap + kPageBytes)), "I7");
}

TEST(Sbrk, BeyondTheTopMustFail) {
    Setting setting = small_setting(kCowLazy);
    setting.layout.top = setting.layout.trapframe = VirtAddr{0x10000};
    Story const story{setting};
    EXPECT_EQ(story.verdict(by(0, Sbrk{0x9000}), returned(kHeap)), "allowed");
    EXPECT_EQ(story.verdict(by(0, Sbrk{0x9000}), returned(kMinus1)), "I7");
    EXPECT_EQ(story.verdict(by(0, Sbrk{0x9001}), returned(kHeap)), "I7");
    EXPECT_EQ(story.verdict(by(0, Sbrk{0x9001}), returned(kMinus1)), "allowed");
}

TEST(Sbrk, ShrinkingTakesWholePagesAboveTheNewBreak) {
    Story story{kEager};
    story.then(by(0, Sbrk{3 * kPage}), returned(kHeap)).then(by(0, Store{heap(kPage + 100), 1, 5}), returned(0));
    story.then(by(0, Sbrk{-2 * kPage + 50}), returned(kHeap + 3 * kPage));
    EXPECT_TRUE(story.world().page_at(kInit, Vpn{8})) << "the break lies on it";
    EXPECT_FALSE(story.world().page_at(kInit, Vpn{9}));
    story.then(by(0, Sbrk{kPage}), returned(kHeap + kPage + 50));
    EXPECT_TRUE(story.allows(by(0, Load{heap(kPage + 100), 1}), returned(5))) << "a page that stayed keeps its bytes";
}

TEST(Sbrk, ShrinkingAndGrowingAgainGivesZeros) {
    Story story{kCowLazy};
    story.then(by(0, Sbrk{kPage}), returned(kHeap)).then(by(0, Store{heap(), 8, 5}), returned(0));
    story.then(by(0, Sbrk{-kPage}), returned(kHeap + kPage)).then(by(0, Sbrk{kPage}), returned(kHeap));
    EXPECT_TRUE(story.allows(by(0, Load{heap(), 8}), returned(0)));
    EXPECT_FALSE(story.allows(by(0, Load{heap(), 8}), returned(5)));
}

TEST(Sbrk, ShrinkingIntoTheImageMayBeRefusedOrDone) {
    Story story{kEager};
    Step const shrink = by(0, Sbrk{-2 * kPage});
    EXPECT_EQ(story.verdict(shrink, returned(kMinus1)), "allowed");
    story.then(shrink, returned(kHeap));
    EXPECT_FALSE(story.world().page_at(kInit, Vpn{6})) << "the stack is gone";
    story.then(by(0, Sbrk{2 * kPage}), returned(kHeap - 2 * kPage));
    EXPECT_EQ(story.world().page_at(kInit, Vpn{5})->rights.user, true) << "no guard any more, but heap";
}

TEST(Sbrk, ShrinkingBelowZeroChangesNothing) {
    Story story{kEager};
    Step const shrink = by(0, Sbrk{-100 * kPage});
    EXPECT_EQ(story.verdict(shrink, returned(kMinus1)), "allowed");
    EXPECT_EQ(story.verdict(shrink, returned(0)), "I7");
    story.then(shrink, returned(kHeap));
    EXPECT_TRUE(story.allows(by(0, Sbrk{0}), returned(kHeap)));
}

TEST(Sbrk, MayNotTakeTheAgentsOwnCodeAway) {
    Story const story{kEager};
    EXPECT_TRUE(why_not(story.world(), by(0, Sbrk{-6 * kPage})));
    EXPECT_TRUE(why_not(story.world(), by(0, Sbrk{-7 * kPage})));
    EXPECT_FALSE(why_not(story.world(), by(0, Sbrk{-5 * kPage})));
}

TEST(Swapping, BeginsBeyondWhatProgramsAreAskedFor) {
    Setting setting = testing::small_setting(kEager);
    setting.traits.pages_in_memory = 3 * setting.layout.heap.page().value;
    auto const shared = std::make_shared<Setting const>(setting);
    World const alone = World::initial(shared);
    auto const pages = static_cast<std::int64_t>(2 * setting.layout.heap.page().value);
    EXPECT_FALSE(why_not(alone, by(0, Fork{ProcId{1}})));
    EXPECT_FALSE(why_not(alone, by(0, Sbrk{pages * kPage})));
    EXPECT_TRUE(why_not(alone, by(0, Sbrk{(pages + 1) * kPage})));
    EXPECT_FALSE(why_not(alone, by(0, Sbrk{-kPage})));
    setting.traits.pages_in_memory = 2 * setting.layout.heap.page().value - 1;
    World const less = World::initial(std::make_shared<Setting const>(setting));
    EXPECT_TRUE(why_not(less, by(0, Exec{}))) << "while it has both images";
}

TEST(Sbrk, OfMoreThan32BitsIsReadEitherWayWhereThatCanBeTold) {
    Story const eager{kEager};
    Step const beyond = by(0, Sbrk{4 * kGiB + kPage});
    EXPECT_EQ(eager.verdict(beyond, returned(kHeap)), "allowed") << "an int: one page";
    EXPECT_EQ(eager.verdict(beyond, returned(kMinus1)), "allowed") << "64 bits: too much";
    Story const lazy{kCowLazy};
    EXPECT_TRUE(why_not(lazy.world(), beyond)) << "both succeed, with different breaks";
    EXPECT_FALSE(why_not(lazy.world(), by(0, Sbrk{256 * kGiB + kPage}))) << "64 bits: beyond the top";
}

TEST(Sbrk, ObeysTheModeOnlyWhereTheKernelTakesOne) {
    Setting setting = small_setting(kCowEager);
    Story ignorant{setting};
    ignorant.then(by(0, Sbrk{kPage, SbrkMode::lazy}), returned(kHeap));
    EXPECT_EQ(ignorant.world().page_at(kInit, Vpn{7})->presence, Presence::present);
    setting.traits.sbrk_takes_mode = true;
    Story obedient{setting};
    obedient.then(by(0, Sbrk{kPage, SbrkMode::lazy}), returned(kHeap));
    EXPECT_EQ(obedient.world().page_at(kInit, Vpn{7})->presence, Presence::reserved);
}

TEST(Access, BelowTheBreakIsServedAndElsewhereFatal) {
    Story story{kCowLazy};
    story.then(by(0, Sbrk{kPage}), returned(kHeap)).then(by(0, Fork{ProcId{1}}), forked(2));
    EXPECT_EQ(story.verdict(by(1, Store{heap(), 8, 1}), returned(0)), "allowed");
    EXPECT_EQ(story.verdict(by(1, Store{heap(), 8, 1}), ended()), "I7");
    for (Address fatal : {heap(kPage), heap(kPage - 4), at(Anchor::guard), at(Anchor::text), at(Anchor::rodata),
                          at(Anchor::trapframe), at(Anchor::trampoline), at(Anchor::maxva), at(Anchor::maxva, -8),
                          at(Anchor::kernel), at(Anchor::absolute, -8), at(Anchor::absolute, std::int64_t{1} << 50)}) {
        EXPECT_EQ(story.verdict(by(1, Store{fatal, 8, 1}), ended()), "allowed");
        EXPECT_EQ(story.verdict(by(1, Store{fatal, 8, 1}), returned(0)), "I7");
        EXPECT_TRUE(why_not(story.world(), by(0, Store{fatal, 8, 1}))) << "it would kill p0";
    }
    EXPECT_EQ(story.verdict(by(1, Load{at(Anchor::rodata), 1}), returned('/')), "allowed");
    EXPECT_EQ(story.verdict(by(1, Load{at(Anchor::guard), 1}), returned(0)), "I7");
}

TEST(Access, AboveTheBreakOnItsPageMayBeFatalWhereTheKernelIsAsked) {
    Story story{kCowLazy};
    story.then(by(0, Sbrk{100}), returned(kHeap)).then(by(0, Fork{ProcId{1}}), forked(2));
    Step const store = by(1, Store{heap(200), 8, 1});
    EXPECT_EQ(story.verdict(store, ended()), "allowed");
    EXPECT_EQ(story.verdict(store, returned(0)), "allowed");
    story.then(by(1, Store{heap(), 8, 1}), returned(0));
    Step const load = by(1, Load{heap(200), 8});
    EXPECT_EQ(story.verdict(load, ended()), "I7") << "the page is mapped: the kernel is not asked";
    EXPECT_EQ(story.verdict(load, returned(0)), "allowed");
    EXPECT_EQ(story.verdict(store, ended()), "allowed") << "the page may have been shared, and W asked for";
    EXPECT_EQ(story.verdict(store, returned(0)), "allowed");
}

TEST(Access, OfThePageBelowTheTrapframeIsAskedOnlyWhereItMustBeRefused) {
    Story story{with_usyscall(small_setting(kCowLazy))};
    story.then(by(0, Sbrk{kPage}), returned(kHeap)).then(by(0, Sbrk{-kPage}), returned(kHeap + kPage));
    story.then(by(0, Fork{ProcId{1}}), forked(2));
    EXPECT_EQ(story.verdict(by(1, Store{at(Anchor::top), 8, 1}), ended()), "allowed");
    EXPECT_EQ(story.verdict(by(1, Store{at(Anchor::top), 8, 1}), returned(0)), "I7");
    EXPECT_EQ(story.verdict(by(0, Fstat{at(Anchor::top)}), returned(kMinus1)), "allowed");
    EXPECT_EQ(story.verdict(by(0, Fstat{at(Anchor::top)}), returned(0)), "I7");
    EXPECT_TRUE(why_not(story.world(), by(1, Load{at(Anchor::top), 8}))) << "what it holds is the kernel's own";
    EXPECT_TRUE(why_not(story.world(), by(1, PipeWrite{at(Anchor::trapframe, -8), 8})));
    EXPECT_FALSE(why_not(story.world(), by(1, Load{at(Anchor::trapframe), 8})));
}

TEST(Access, AcrossTwoPagesNeedsBoth) {
    Story story{kCowLazy};
    story.then(by(0, Sbrk{2 * kPage}), returned(kHeap))
        .then(by(0, Store{heap(kPage - 3), 8, 0x1122334455667788}), returned(0));
    EXPECT_TRUE(story.allows(by(0, Load{heap(kPage), 4}), returned(0x22334455)));
    EXPECT_EQ(story.world().page_at(kInit, Vpn{7})->presence, Presence::present);
    EXPECT_EQ(story.world().page_at(kInit, Vpn{8})->presence, Presence::present);
}

TEST(Access, MayKillForWantOfMemoryOnlyWhereAFrameIsWanted) {
    Story story{kCowLazy};
    story.then(by(0, Sbrk{kPage}), returned(kHeap)).then(by(0, Fork{ProcId{1}}), forked(2));
    EXPECT_EQ(story.verdict(by(1, Store{heap(), 8, 1}), ended(), kNothingFree), "allowed");
    EXPECT_EQ(story.verdict(by(1, Load{heap(), 8}), ended(), kNothingFree), "allowed");
    EXPECT_EQ(story.verdict(by(1, Store{at(Anchor::data), 8, 1}), ended(), kNothingFree), "allowed");
    EXPECT_EQ(story.verdict(by(1, Load{at(Anchor::data), 8}), ended(), kNothingFree), "I7");
    Story eager{kEager};
    eager.then(by(0, Fork{ProcId{1}}), forked(2));
    EXPECT_EQ(eager.verdict(by(1, Store{at(Anchor::data), 8, 1}), ended(), kNothingFree), "I7");
}

TEST(Store, UnsharesThePageForTheActorAlone) {
    Story story{kCowLazy};
    story.then(by(0, Fork{ProcId{1}}), forked(2)).then(by(0, Fork{ProcId{2}}), forked(3));
    story.then(by(1, Store{at(Anchor::bss), 8, 1}), returned(0));
    Vpn const page = story.world().setting().layout.bss.page();
    auto const frame = [&](std::uint32_t id) { return story.world().page_at(ProcId{id}, page)->frame; };
    EXPECT_NE(frame(1), frame(0));
    EXPECT_EQ(frame(2), frame(0));
    EXPECT_TRUE(story.allows(by(0, Load{at(Anchor::bss), 8}), returned(0)));
    EXPECT_TRUE(story.allows(by(1, Load{at(Anchor::bss), 8}), returned(1)));
}

TEST(Store, MayNotHitTheAgentsOwnPage) {
    Story story{kCowLazy};
    story.then(by(0, Fork{ProcId{1}}), forked(2));
    EXPECT_TRUE(why_not(story.world(), by(1, Store{at(Anchor::absolute, 0), 8, 1})));
    EXPECT_TRUE(why_not(story.world(), by(1, Store{at(Anchor::text, -4), 8, 1})));
    EXPECT_TRUE(why_not(story.world(), by(1, PipeRead{at(Anchor::absolute, -4), 8}))) << "it wraps to address 0";
    EXPECT_FALSE(why_not(story.world(), by(1, Store{at(Anchor::text), 8, 1})));
}

TEST(Touch, LoadsAByteOfEachPageAndResultsInTheLast) {
    Story story{kCowLazy};
    story.then(by(0, Sbrk{3 * kPage}), returned(kHeap)).then(by(0, Store{heap(2 * kPage), 1, 9}), returned(0));
    EXPECT_EQ(story.verdict(by(0, Touch{heap(), 3}), returned(0)), "I7");
    story.then(by(0, Touch{heap(), 3}), returned(9));
    EXPECT_EQ(story.world().page_at(kInit, Vpn{8})->presence, Presence::present);
    EXPECT_TRUE(why_not(story.world(), by(0, Touch{heap(), 4})));
    EXPECT_TRUE(why_not(story.world(), by(0, Touch{heap(), 0})));
}

TEST(Touch, MayKillForWantOfMemoryOnlyWhereAFrameIsWanted) {
    Story story{kCowLazy};
    story.then(by(0, Sbrk{3 * kPage}), returned(kHeap)).then(by(0, Touch{heap(), 2}), returned(0));
    story.then(by(0, Fork{ProcId{1}}), forked(2));
    EXPECT_EQ(story.verdict(by(1, Touch{heap(), 2}), ended(), kNothingFree), "I7");
    EXPECT_EQ(story.verdict(by(1, Touch{heap(), 3}), ended(), kNothingFree), "allowed");
}

TEST(LoadAndStore, HaveOneTwoFourOrEightBytes) {
    Story const story{kCowLazy};
    for (std::uint8_t size = 0; size < 20; ++size) {
        bool const right = size == 1 || size == 2 || size == 4 || size == 8;
        EXPECT_EQ(!why_not(story.world(), by(0, Load{at(Anchor::bss), size})), right) << int{size};
        EXPECT_EQ(!why_not(story.world(), by(0, Store{at(Anchor::bss), size, 0})), right) << int{size};
    }
}

TEST(Fetch, RunsTheReturnsOfTheTextPageAndIsFatalWithoutX) {
    Story story{kCowLazy};
    story.then(by(0, Sbrk{kPage}), returned(kHeap)).then(by(0, Fork{ProcId{1}}), forked(2));
    EXPECT_EQ(story.verdict(by(1, Fetch{at(Anchor::text, 2)}), returned(0)), "allowed");
    EXPECT_EQ(story.verdict(by(1, Fetch{at(Anchor::text, 2)}), returned(1)), "I7");
    EXPECT_EQ(story.verdict(by(1, Fetch{at(Anchor::text, 2)}), ended()), "I7");
    for (Address fatal : {at(Anchor::data), heap(), at(Anchor::guard), at(Anchor::trampoline), at(Anchor::kernel)}) {
        EXPECT_EQ(story.verdict(by(1, Fetch{fatal}), ended()), "allowed");
        EXPECT_EQ(story.verdict(by(1, Fetch{fatal}), returned(0)), "I7");
    }
    EXPECT_TRUE(why_not(story.world(), by(1, Fetch{at(Anchor::text, 1)}))) << "odd";
    EXPECT_TRUE(why_not(story.world(), by(1, Fetch{at(Anchor::text, 256)}))) << "not surely returns";
    EXPECT_TRUE(why_not(story.world(), by(1, Fetch{at(Anchor::absolute, 0)}))) << "the agent's own code";
}

TEST(Fetch, IsNotAskedOfTextThatWasOverwritten) {
    Setting setting = small_setting(kEager);
    setting.layout.image[1].rights.write = true;  // as in the 2020 trees
    Story story{setting};
    EXPECT_FALSE(why_not(story.world(), by(0, Fetch{at(Anchor::text)})));
    story.then(by(0, Store{at(Anchor::text, 10), 1, 0}), returned(0));
    EXPECT_TRUE(why_not(story.world(), by(0, Fetch{at(Anchor::text)})));
    EXPECT_FALSE(why_not(story.world(), by(0, Fetch{at(Anchor::text, 12)})));
}

TEST(SetSp, TouchesNoMemoryWhereverItPoints) {
    Story const story{kCowLazy};
    for (Address anywhere : {at(Anchor::guard), at(Anchor::absolute, 0), at(Anchor::kernel), heap(123)}) {
        EXPECT_EQ(story.verdict(by(0, SetSp{anywhere}), returned(0)), "allowed");
        EXPECT_EQ(story.verdict(by(0, SetSp{anywhere}), ended()), "I7");
    }
}

}  // namespace
}  // namespace vmcheck::spec
