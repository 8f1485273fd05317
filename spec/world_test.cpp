#include "spec/world.h"

#include "spec/advance.h"
#include "spec/testing/arbitrary_program.h"
#include "spec/testing/judging.h"
#include "spec/testing/random_program.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <set>

namespace vmcheck::spec {
namespace {

using namespace testing;

// The World after a random program, every step answered by what a correct kernel plainly does.
World after_random_program(Profile profile, std::uint64_t seed, int steps) {
    std::mt19937_64 random{seed};
    World world = World::initial(shared_setting(profile));
    for (int i = 0; i < steps; ++i) {
        auto predicted = predict(world, random_step(world, random));
        RC_ASSERT(predicted.has_value());
        world = std::move(predicted->after);
    }
    return world;
}

std::set<LogicalFrame> logical_frames(World const& world) {
    std::set<LogicalFrame> frames;
    for (ProcId id : world.running())
        for (auto const& [vpn, page] : world.find(id)->space->pages) frames.insert(page.frame);
    return frames;
}

World then(World const& world, Step const& step) {
    return predict(world, step)->after;
}

// The same without zombies, with a slot free, and with nothing left open of a copy.
World with_room_for_a_child(World world) {
    if (world.running().size() > 1) world = then(world, Step{world.running().back(), Exit{0}});
    for (ProcId id : world.running())
        while (!why_not(world, Step{id, Wait{}}) && !world.children(id).empty()) world = then(world, Step{id, Wait{}});
    return then(world, Step{kInit, SetSp{Address{Anchor::stack, -64}}});
}

TEST(World, StartsWithInitAlone) {
    World const world = Story{kCowLazy}.world();
    EXPECT_FALSE(world.over());
    EXPECT_EQ(world.running(), std::vector{kInit});
    EXPECT_TRUE(world.children(kInit).empty());
    EXPECT_EQ(world.find(kInit)->space->brk, VirtAddr{0x7000});
    EXPECT_FALSE(world.find(ProcId{1}));
    EXPECT_TRUE(world.name_used(kInit));
}

TEST(World, StartsWithTheArgumentsThatTheKernelGaveInit) {
    Setting setting = small_setting(kCowLazy);
    auto stack = std::make_shared<PageBytes>();
    stack->back() = std::byte{0x2f};
    setting.traits.first_stack = stack;
    Story story{setting};
    EXPECT_TRUE(story.allows(by(0, Load{at(Anchor::stack, -1), 1}), returned(0x2f)));
    story.then(by(0, Exec{}), ended_as(Restarted{}));
    EXPECT_TRUE(story.allows(by(0, Load{at(Anchor::stack, -1), 1}), returned(0)));
}

TEST(World, KnowsEveryPageThatTheUserMayReach) {
    Story story{kCowLazy};
    story.then(by(0, Sbrk{kPage + 1}), returned(0x7000));
    World const& world = story.world();
    EXPECT_EQ(world.page_at(kInit, Vpn{1})->rights, (Rights{true, false, true, true}));
    EXPECT_FALSE(world.page_at(kInit, Vpn{5})->rights.user);
    EXPECT_EQ(world.page_at(kInit, Vpn{8})->presence, Presence::reserved);
    EXPECT_FALSE(world.page_at(kInit, Vpn{9}));
    EXPECT_FALSE(world.page_at(kInit, world.setting().layout.trapframe.page()));
    EXPECT_FALSE(world.page_at(kInit, Vpn{~std::uint64_t{0} >> 12}));
}

TEST(World, ReadsAcrossPagesAndRefusesWhatIsNotReadable) {
    World const world = Story{kCowLazy}.world();
    auto const bytes = world.read(kInit, VirtAddr{0x3ffe}, 4);
    ASSERT_TRUE(bytes);
    EXPECT_EQ(*bytes, (std::vector{std::byte{0x11}, std::byte{0x22}, std::byte{0}, std::byte{0}}));
    EXPECT_FALSE(world.read(kInit, VirtAddr{0x4ffe}, 4)) << "the guard page follows";
    EXPECT_TRUE(world.read(kInit, VirtAddr{0x5000}, 0));
}

TEST(World, ResolvesSymbolicAddresses) {
    Story story{kCowLazy};
    story.then(by(0, Sbrk{100}), returned(0x7000));
    EXPECT_EQ(story.world().resolve(kInit, at(Anchor::brk, -100)), VirtAddr{0x7000});
    EXPECT_EQ(story.world().resolve(kInit, at(Anchor::kernel, 8)), VirtAddr{0x80000008});
    EXPECT_EQ(story.world().resolve(kInit, at(Anchor::absolute, -1)), VirtAddr{~std::uint64_t{0}});
}

TEST(World, IsEqualWhereItsHistoryDiffers) {
    Story once{kCowLazy};
    Story other{kCowLazy};
    once.then(by(0, Store{at(Anchor::bss), 8, 5}), returned(0)).then(by(0, Fork{ProcId{1}}), forked(2));
    other.then(by(0, Store{at(Anchor::bss), 8, 4}), returned(0)).then(by(0, Store{at(Anchor::bss), 8, 5}), returned(0));
    other.then(by(0, Fork{ProcId{1}}), forked(77));
    EXPECT_EQ(once.world(), other.world());
    EXPECT_EQ(once.world().hash(), other.world().hash());
    EXPECT_EQ(to_string(once.world()), to_string(other.world()));
    other.then(by(1, Store{at(Anchor::bss), 8, 5}), returned(0));
    EXPECT_FALSE(once.world() == other.world()) << "same bytes, but no longer shared";
    EXPECT_NE(once.world().hash(), other.world().hash());
}

TEST(World, IsDifferentWhereItsStateDiffers) {
    Story story{kCowLazy};
    story.then(by(0, Fork{ProcId{1}}), forked(2)).then(by(0, PipeWrite{at(Anchor::data), 4}), returned(4));
    World const before = story.world();
    for (Step const& step :
         {by(0, PipeWrite{at(Anchor::data), 4}), by(0, PipeRead{at(Anchor::data), 1}), by(0, Sbrk{kPage}),
          by(1, Exit{3}), by(1, Fork{ProcId{2}}), by(0, Store{at(Anchor::bss), 1, 1}), by(0, Fstat{at(Anchor::bss)})}) {
        World const after = then(before, step);
        EXPECT_FALSE(before == after);
        EXPECT_NE(before.hash(), after.hash());
        EXPECT_NE(to_string(before), to_string(after));
    }
    EXPECT_FALSE(then(before, by(1, Exit{3})) == then(before, by(1, Exit{4})));
    EXPECT_FALSE(then(before, by(0, Fstat{at(Anchor::bss)})) ==
                 then(then(before, by(0, Fstat{at(Anchor::bss)})), by(0, SetSp{heap()})))
        << "what is open still";
    World const over = *advance(before, by(0, Store{at(Anchor::bss), 1, 1}), ended(), kNothingFree);
    EXPECT_FALSE(before == over);
    EXPECT_NE(to_string(over).find("over"), std::string::npos);
    EXPECT_EQ(to_string(before).find("over"), std::string::npos);
}

RC_GTEST_PROP(World, EqualOnesHashAndPrintAlike, ()) {
    auto const profile = *any_profile();
    auto const seed = *rc::gen::arbitrary<std::uint64_t>();
    auto const steps = *rc::gen::inRange(0, 30);
    World const world = after_random_program(profile, seed, steps);
    World const again = after_random_program(profile, seed, steps);
    RC_ASSERT(world == again);
    RC_ASSERT(world.hash() == again.hash());
    RC_ASSERT(to_string(world) == to_string(again));
}

RC_GTEST_PROP(World, ForkThenTheEndOfTheChildIsTheIdentity, ()) {
    World const random_world = after_random_program(*any_profile(), *rc::gen::arbitrary<std::uint64_t>(), 25);
    World const before = with_room_for_a_child(random_world);
    ProcId const child{1000};
    World world = then(before, Step{kInit, Fork{child}});
    std::mt19937_64 random{*rc::gen::arbitrary<std::uint64_t>()};
    // What the child does to its memory is nobody else's.
    for (std::uint64_t page = 0; page < 3; ++page) {
        Step const store{child, Store{Address{Anchor::data, static_cast<std::int64_t>(8 * page)}, 8, random()}};
        if (!why_not(world, store)) world = then(world, store);
    }
    world = then(world, Step{child, Exit{3}});
    world = then(world, Step{kInit, Wait{}});
    // But for the pages that a fork leaves unshared again, which equality does not see, nothing has changed.
    RC_ASSERT(world == before);
}

RC_GTEST_PROP(World, ConservesItsLogicalFrames, ()) {
    auto const profile = *any_profile();
    World world = after_random_program(profile, *rc::gen::arbitrary<std::uint64_t>(), 40);
    std::size_t pages = 0;
    for (ProcId id : world.running()) pages += world.find(id)->space->pages.size();
    if (profile.fork == ForkPolicy::eager)
        RC_ASSERT(logical_frames(world).size() == pages);
    else
        RC_ASSERT(logical_frames(world).size() <= pages);
    // The end game: everybody but p0 ends and is reaped, and p0 starts anew.
    for (ProcId id : world.running())
        if (id != kInit) world = then(world, Step{id, Exit{0}});
    while (!world.children(kInit).empty()) world = then(world, Step{kInit, Wait{}});
    world = then(world, Step{kInit, Exec{}});
    RC_ASSERT(world.processes().size() == 1);
    World const fresh = World::initial(shared_setting(profile));
    RC_ASSERT(logical_frames(world).size() == logical_frames(fresh).size());
    RC_ASSERT(world.find(kInit)->space->brk == fresh.find(kInit)->space->brk);
}

}  // namespace
}  // namespace vmcheck::spec
