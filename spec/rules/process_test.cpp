#include "spec/advance.h"
#include "spec/bytes.h"
#include "spec/testing/judging.h"

#include <gtest/gtest.h>

namespace vmcheck::spec {
namespace {

using namespace testing;

TEST(Fork, GivesTheChildItsParentsMemory) {
    Story story{kEager};
    story.then(by(0, Store{at(Anchor::data), 8, 42}), returned(0)).then(fork(0, 1), forked(2));
    EXPECT_EQ(story.world().find(ProcId{1})->parent, kInit);
    EXPECT_TRUE(story.allows(by(1, Load{at(Anchor::data), 8}), returned(42)));
}

TEST(Fork, MayFailOnlyForWantOfMemoryOrSlots) {
    Story const story{kEager};
    EXPECT_EQ(story.verdict(fork(0, 1), returned(kMinus1)), "I7");
    EXPECT_EQ(story.verdict(fork(0, 1), returned(kMinus1), kNothingFree), "allowed");
    EXPECT_EQ(story.verdict(fork(0, 1), after_failed_allocation(returned(kMinus1))), "allowed");
    Outcome dry = returned(kMinus1);
    dry.allocator_dry = true;
    EXPECT_EQ(story.verdict(fork(0, 1), dry), "allowed");
}

TEST(Fork, WithoutACensusIsJudgedByTheModelsOwnAccount) {
    Story const roomy{small_setting(kEager, 1000)};
    EXPECT_EQ(roomy.verdict(fork(0, 1), returned(kMinus1), FrameCensus{}), "I7");
    Story const tight{small_setting(kEager, 36)};
    EXPECT_EQ(tight.verdict(fork(0, 1), returned(kMinus1), FrameCensus{}), "allowed");
}

TEST(Fork, MustFailWhenTheProcessTableIsFull) {
    Setting setting = small_setting(kCowLazy);
    setting.traits.processes_max = 3;
    Story story{setting};
    story.then(fork(0, 1), forked(2)).then(fork(0, 2), forked(3));
    EXPECT_EQ(story.verdict(fork(0, 3), forked(4)), "I7");
    EXPECT_EQ(story.verdict(fork(0, 3), returned(kMinus1)), "allowed");
    story.then(by(1, Exit{0}), ended());
    EXPECT_EQ(story.verdict(fork(0, 3), forked(4)), "I7") << "a zombie keeps its slot";
    story.then(by(0, Wait{}), returned(2));
    EXPECT_EQ(story.verdict(fork(0, 3), forked(4)), "allowed");
}

TEST(Fork, GivesAPidThatNobodyHas) {
    Story story{kCowLazy};
    story.then(fork(0, 1), forked(2));
    EXPECT_EQ(story.verdict(fork(0, 2), forked(2)), "I7");
    EXPECT_EQ(story.verdict(fork(0, 2), forked(0)), "I7");
    EXPECT_EQ(story.verdict(fork(0, 2), forked(std::uint64_t{1} << 31)), "I7");
    EXPECT_EQ(story.verdict(fork(1, 2), forked(3)), "allowed");
}

TEST(Fork, MustStartTheChildThatItReturns) {
    Story const story{kCowLazy};
    EXPECT_EQ(story.verdict(fork(0, 1), returned(2)), "I9");
    EXPECT_EQ(story.verdict(fork(0, 1), forked(kMinus1)), "I7");
}

TEST(Fork, SharesLogicalFramesOnlyWhenItPromisesTo) {
    auto const frames_equal = [](Profile profile) {
        Story story{profile};
        story.then(fork(0, 1), forked(2));
        Vpn const page = story.world().setting().layout.data.page();
        return story.world().page_at(kInit, page)->frame == story.world().page_at(ProcId{1}, page)->frame;
    };
    EXPECT_TRUE(frames_equal(kCowLazy));
    EXPECT_FALSE(frames_equal(kEager));
}

TEST(Fork, LeavesReservedPagesReservedInTheChild) {
    Story story{kCowLazy};
    story.then(by(0, Sbrk{8192}), returned(0x7000)).then(fork(0, 1), forked(2));
    EXPECT_EQ(story.world().page_at(ProcId{1}, Vpn{8})->presence, Presence::reserved);
}

TEST(Fork, CannotUseANameTwice) {
    Story story{kCowLazy};
    story.then(fork(0, 1), forked(2)).then(by(1, Exit{0}), ended()).then(by(0, Wait{}), returned(2));
    EXPECT_TRUE(why_not(story.world(), fork(0, 1)));
    EXPECT_TRUE(why_not(story.world(), fork(0, 0)));
}

TEST(Exit, MakesAZombieAndGivesItsChildrenToInit) {
    Story story{kCowLazy};
    story.then(fork(0, 1), forked(2)).then(fork(1, 2), forked(3)).then(by(1, Exit{-7}), ended());
    EXPECT_EQ(story.world().find(ProcId{1})->life, Life::zombie);
    EXPECT_EQ(story.world().find(ProcId{1})->exit_status, -7);
    EXPECT_EQ(story.world().find(ProcId{2})->parent, kInit);
    EXPECT_TRUE(why_not(story.world(), by(1, Exec{})));
}

TEST(Exit, DoesNotReturnAndIsNotForInit) {
    Story story{kCowLazy};
    EXPECT_TRUE(why_not(story.world(), by(0, Exit{0})));
    story.then(fork(0, 1), forked(2));
    EXPECT_EQ(story.verdict(by(1, Exit{0}), returned(0)), "I7");
}

TEST(Wait, WithoutChildrenFails) {
    Story const story{kCowLazy};
    EXPECT_EQ(story.verdict(by(0, Wait{}), returned(kMinus1)), "allowed");
    EXPECT_EQ(story.verdict(by(0, Wait{}), returned(2)), "I7");
}

TEST(Wait, IsNotAskedWhereItWouldBlock) {
    Story story{kCowLazy};
    story.then(fork(0, 1), forked(2));
    EXPECT_TRUE(why_not(story.world(), by(0, Wait{})));
    story.then(by(1, Exit{0}), ended());
    EXPECT_EQ(story.verdict(by(0, Wait{}), ended_as(Blocked{})), "I9");
}

TEST(Wait, MayHaveReapedTheChildBeforeItsOwnProcessWasKilled) {
    Story story{kCowLazy};
    story.then(fork(0, 1), forked(2)).then(fork(1, 2), forked(3)).then(by(2, Exit{5}), ended());
    story.then(by(1, Wait{at(Anchor::bss)}), after_failed_allocation(ended()));
    story.then(by(0, Wait{}), returned(2));
    Step const wait = by(0, Wait{});
    EXPECT_EQ(story.verdict(wait, returned(3)), "allowed");
    EXPECT_EQ(story.verdict(wait, returned(kMinus1)), "allowed");
    // A running child beside it: if the zombie is gone, wait would sleep.
    Story beside = story;
    beside.then(fork(0, 3), forked(4));
    EXPECT_TRUE(why_not(beside.world(), wait));
    // Seen in the machine, it was not reaped.
    Observation seen;
    seen.processes.push_back({ProcId{2}, true, {}, {}});
    World const settled = settle(story.world(), seen);
    EXPECT_FALSE(advance(settled, wait, returned(kMinus1), kPlenty).has_value());
    EXPECT_TRUE(advance(settled, wait, returned(3), kPlenty).has_value());
}

TEST(Wait, TakesAnyZombieAndStoresItsStatus) {
    Story story{kCowLazy};
    story.then(fork(0, 1), forked(2)).then(fork(0, 2), forked(3));
    story.then(by(1, Exit{5}), ended()).then(by(2, Exit{6}), ended());
    Step const wait = by(0, Wait{at(Anchor::bss)});
    EXPECT_EQ(story.verdict(wait, returned(2)), "allowed");
    EXPECT_EQ(story.verdict(wait, returned(4)), "I7");
    EXPECT_EQ(story.verdict(wait, returned(kMinus1)), "I7");
    story.then(wait, returned(3));
    EXPECT_TRUE(story.allows(by(0, Load{at(Anchor::bss), 4}), returned(6)));
    EXPECT_FALSE(story.world().find(ProcId{2}));
    EXPECT_TRUE(story.world().find(ProcId{1}));
}

TEST(Wait, DoesNotReturnAChildThatRunsOrIsAnothers) {
    Story story{kCowLazy};
    story.then(fork(0, 1), forked(2)).then(fork(0, 2), forked(3)).then(fork(1, 3), forked(4));
    story.then(by(2, Exit{0}), ended()).then(by(3, Exit{0}), ended());
    EXPECT_EQ(story.verdict(by(0, Wait{}), returned(2)), "I7");
    EXPECT_EQ(story.verdict(by(0, Wait{}), returned(4)), "I7");
}

TEST(Wait, AtABadAddressFailsAndReapsNothing) {
    Story story{kCowLazy};
    story.then(fork(0, 1), forked(2)).then(by(1, Exit{5}), ended());
    for (Address bad : {at(Anchor::guard), at(Anchor::text), heap(), at(Anchor::maxva)}) {
        EXPECT_EQ(story.verdict(by(0, Wait{bad}), returned(2)), "I7");
        EXPECT_EQ(story.verdict(by(0, Wait{bad}), returned(kMinus1)), "allowed");
    }
    story.then(by(0, Wait{at(Anchor::guard)}), returned(kMinus1));
    EXPECT_TRUE(story.allows(by(0, Wait{}), returned(2)));
}

TEST(Wait, AtAddressZeroAsksForNoStatus) {
    Story story{kCowLazy};
    story.then(fork(0, 1), forked(2)).then(by(1, Exit{5}), ended());
    EXPECT_EQ(story.verdict(by(0, Wait{at(Anchor::absolute, 0)}), returned(2)), "allowed");
    EXPECT_EQ(story.verdict(by(0, Wait{at(Anchor::absolute, 0)}), returned(kMinus1)), "I7");
}

TEST(Kill, EndsTheTargetWithStatusMinusOneInTheSameStep) {
    Story story{kCowLazy};
    story.then(fork(0, 1), forked(2));
    Step const kill = by(0, Kill{ProcId{1}});
    EXPECT_EQ(story.verdict(kill, returned(0)), "I7");
    EXPECT_EQ(story.verdict(kill, returned(kMinus1)), "I7");
    story.then(kill, killed_other(ProcId{1}));
    EXPECT_EQ(story.world().find(ProcId{1})->exit_status, -1);
}

TEST(Kill, EndsNobodyElse) {
    Story story{kCowLazy};
    story.then(fork(0, 1), forked(2)).then(fork(0, 2), forked(3));
    Outcome both = killed_other(ProcId{1});
    both.ended_others.push_back(ProcId{2});
    EXPECT_EQ(story.verdict(by(0, Kill{ProcId{1}}), both), "I7");
    EXPECT_EQ(story.verdict(by(0, Load{at(Anchor::bss), 8}), killed_other(ProcId{2})), "I7");
}

TEST(Kill, OfAZombieMayFindItOrNot) {
    Story story{kCowLazy};
    story.then(fork(0, 1), forked(2)).then(by(1, Exit{5}), ended());
    EXPECT_EQ(story.verdict(by(0, Kill{ProcId{1}}), returned(0)), "allowed");
    EXPECT_EQ(story.verdict(by(0, Kill{ProcId{1}}), returned(kMinus1)), "allowed");
    EXPECT_EQ(story.verdict(by(0, Kill{ProcId{1}}), returned(1)), "I7");
    story.then(by(0, Kill{ProcId{1}}), returned(0));
    EXPECT_EQ(story.world().find(ProcId{1})->exit_status, 5);
}

TEST(Kill, OfOneselfEnds) {
    Story story{kCowLazy};
    story.then(fork(0, 1), forked(2));
    EXPECT_EQ(story.verdict(by(1, Kill{ProcId{1}}), returned(0)), "I7");
    EXPECT_EQ(story.verdict(by(1, Kill{ProcId{1}}), ended()), "allowed");
    EXPECT_TRUE(why_not(story.world(), by(1, Kill{kInit})));
    EXPECT_TRUE(why_not(story.world(), by(1, Kill{ProcId{9}})));
}

TEST(Exec, StartsAFreshImage) {
    Story story{kCowLazy};
    story.then(by(0, Store{at(Anchor::bss), 8, 9}), returned(0)).then(by(0, Sbrk{8192}), returned(0x7000));
    story.then(by(0, Exec{}), ended_as(Restarted{}));
    EXPECT_TRUE(story.allows(by(0, Load{at(Anchor::bss), 8}), returned(0)));
    EXPECT_TRUE(story.allows(by(0, Sbrk{0}), returned(0x7000)));
}

TEST(Exec, MayFailOnlyForWantOfMemory) {
    Story const story{kCowLazy};
    EXPECT_EQ(story.verdict(by(0, Exec{}), returned(kMinus1)), "I7");
    EXPECT_EQ(story.verdict(by(0, Exec{}), returned(kMinus1), kNothingFree), "allowed");
    EXPECT_EQ(story.verdict(by(0, Exec{}), returned(0)), "I7");
    EXPECT_EQ(story.verdict(by(0, Load{at(Anchor::bss), 8}), ended_as(Restarted{})), "I7");
}

TEST(Exec, OfALargerProgramMovesStackAndHeap) {
    Story story{kCowLazy};
    story.then(by(0, Exec{Executable::large}), ended_as(Restarted{}));
    EXPECT_EQ(story.world().find(kInit)->space->brk, VirtAddr{11 * kPageBytes});
    EXPECT_TRUE(story.allows(by(0, Load{at(Anchor::absolute, 0x6000), 2}), returned(0x4433)));
    story.then(by(0, Fork{ProcId{1}}), forked(2));
    EXPECT_EQ(story.verdict(by(1, Sbrk{4096}), returned(11 * kPageBytes)), "allowed") << "a child has its parent's";
    EXPECT_EQ(story.verdict(by(1, Store{at(Anchor::guard), 8, 1}), ended()), "allowed");
    EXPECT_EQ(story.world().resolve(ProcId{1}, at(Anchor::guard)), VirtAddr{9 * kPageBytes});
    story.then(by(1, Exec{}), ended_as(Restarted{}));
    EXPECT_EQ(story.world().resolve(ProcId{1}, heap()), VirtAddr{7 * kPageBytes});
    Setting alone = small_setting(kCowLazy);
    alone.set_more_pages({});
    EXPECT_TRUE(why_not(Story{alone}.world(), by(0, Exec{Executable::large})));
}

TEST(Exec, OfABadFileIsRefusedAndChangesNothing) {
    Story story{kCowLazy};
    Step const exec = by(0, Exec{Executable::broken});
    EXPECT_EQ(story.verdict(exec, ended_as(Restarted{})), "I7");
    World const before = story.world();
    story.then(exec, returned(kMinus1));
    EXPECT_EQ(story.world(), before);
}

TEST(Exec, LeavesTheArgumentsOnTheStack) {
    Story story{kCowLazy};
    story.then(by(0, Exec{Executable::large, at(Anchor::data, 256)}), ended_as(Restarted{}));
    // As xv6 has it: each string on 16 bytes of its own, and the pointers below.
    auto const stack = story.world().read(kInit, story.world().resolve(kInit, at(Anchor::stack, -64)), 64).value();
    VirtAddr const end = story.world().resolve(kInit, at(Anchor::stack));
    EXPECT_EQ(load_little_endian(std::span(stack).first(8)), end.value - 16);
    EXPECT_EQ(load_little_endian(std::span(stack).subspan(8, 8)), end.value - 32);
    EXPECT_EQ(load_little_endian(std::span(stack).subspan(16, 8)), 0U);
    EXPECT_EQ(stack[48], std::byte{'/'});
    EXPECT_EQ(stack[32], std::byte{'n'});
    // Or packed; which of them it is, the machine shows.
    ASSERT_EQ(story.world().open_copies().size(), 2U);
    auto const& packed = story.world().open_copies()[1].bytes;
    EXPECT_EQ(packed[packed.size() - 11], std::byte{'/'});
    EXPECT_EQ(packed[packed.size() - 5], std::byte{'n'});
}

TEST(Exec, ReadsItsArgumentsAsOtherCopiesDo) {
    Story story{kCowLazy};
    auto const exec = [](Address list) { return by(0, Exec{Executable::init, list}); };
    Outcome const restarted = ended_as(Restarted{});
    EXPECT_EQ(story.verdict(exec(at(Anchor::guard)), returned(kMinus1)), "allowed");
    EXPECT_EQ(story.verdict(exec(at(Anchor::guard)), restarted), "I7");
    EXPECT_EQ(story.verdict(exec(at(Anchor::rodata)), returned(kMinus1)), "allowed") << "no pointer, but a path";
    story.then(by(0, Sbrk{std::int64_t{2} * 4096}), returned(7 * kPageBytes));
    EXPECT_EQ(story.verdict(exec(heap()), restarted), "allowed") << "an untouched page holds an empty list";
    EXPECT_EQ(story.verdict(exec(heap()), returned(kMinus1)), "I7");
    EXPECT_EQ(story.verdict(exec(heap()), after_failed_allocation(ended())), "allowed");
    // The list goes on into the next page; the string that it names is an empty one.
    story.then(by(0, Store{heap(4096 - 8), 8, 8 * kPageBytes + 100}), returned(0));
    EXPECT_EQ(story.verdict(exec(heap(4096 - 8)), restarted), "allowed");
    EXPECT_EQ(story.verdict(exec(heap(4096 - 8)), returned(kMinus1)), "I7");
    // Failing for want of memory, it may have brought in what it read.
    story.then(exec(heap(4096 - 8)), after_failed_allocation(returned(kMinus1)));
    EXPECT_EQ(story.world().page_at(kInit, Vpn{8})->presence, Presence::either);
    // More arguments than a kernel need take are not asked for.
    for (std::int64_t i = 0; i < 10; ++i) story.then(by(0, Store{heap(8 * i), 8, 2 * kPageBytes}), returned(0));
    EXPECT_TRUE(why_not(story.world(), exec(heap())));
    Setting other = small_setting(kCowLazy);
    other.traits.arranges_arguments_otherwise = true;
    EXPECT_TRUE(why_not(Story{other}.world(), exec(at(Anchor::data, 256))));
}

TEST(Yield, ChangesNothingAndReturns) {
    Story const story{kCowLazy};
    Step const yield = by(0, Yield{});
    EXPECT_EQ(story.verdict(yield, returned(0)), "allowed");
    EXPECT_EQ(story.verdict(yield, returned(kMinus1)), "I7");
    EXPECT_EQ(story.verdict(yield, ended()), "I7");
    EXPECT_EQ(story.verdict(yield, after_failed_allocation(ended())), "I10") << "it needs no frame";
    EXPECT_EQ(predict(story.world(), yield)->after, story.world());
}

TEST(AnyStep, ThatStopsTheKernelBreaksLiveness) {
    Story const story{kCowLazy};
    Step const load = by(0, Load{at(Anchor::bss), 8});
    EXPECT_EQ(story.verdict(load, ended_as(Panicked{"remap"})), "I9");
    EXPECT_EQ(story.verdict(load, ended_as(Stuck{.where = "usertrap"})), "I9");
    EXPECT_EQ(story.verdict(load, ended_as(Blocked{})), "I9");
    EXPECT_EQ(story.verdict(load, ended_as(Lost{"p7"})), "I7");
}

TEST(AnyStep, ThatGoesWrongAfterAFailedAllocationBreaksContainment) {
    Story const story{kCowLazy};
    Step const fork_step = fork(0, 1);
    EXPECT_EQ(story.verdict(fork_step, after_failed_allocation(ended_as(Panicked{"kalloc"}))), "I10");
    EXPECT_EQ(story.verdict(fork_step, after_failed_allocation(ended())), "I10");
    EXPECT_EQ(story.verdict(fork_step, after_failed_allocation(returned(0))), "I10");
}

TEST(AnyStep, ThatKillsInitForWantOfMemoryEndsTheWorldRightly) {
    Story story{kCowLazy};
    Step const store = by(0, Store{at(Anchor::bss), 8, 1});
    EXPECT_EQ(story.verdict(store, ended_as(Panicked{"init exiting"})), "I7");
    EXPECT_EQ(story.verdict(store, ended_as(Panicked{"cow: no memory"}), kNothingFree), "I9");
    story.then(store, ended_as(Panicked{"init exiting"}), kNothingFree);
    EXPECT_TRUE(story.world().over());
    EXPECT_TRUE(story.world().running().empty());
    EXPECT_TRUE(why_not(story.world(), store));
}

}  // namespace
}  // namespace vmcheck::spec
