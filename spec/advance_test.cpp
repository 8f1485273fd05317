// Properties of the relation as a whole, over random programs.

#include "spec/advance.h"

#include "spec/predict.h"
#include "spec/sbrk_rules.h"
#include "spec/testing/judging.h"
#include "spec/testing/random_program.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

namespace vmcheck::spec {
namespace {

using namespace testing;

rc::Gen<Profile> any_profile() {
    return rc::gen::map(rc::gen::inRange<std::size_t>(0, 4), [](std::size_t index) { return kAllProfiles[index]; });
}

Outcome random_outcome(World const& world, Step const& step, std::mt19937_64& random) {
    Outcome outcome;
    switch (random() % 9) {
        case 0:
            outcome.what = Restarted{};
            break;
        case 1:
            outcome.what = Ended{};
            break;
        case 2:
            outcome.what = Blocked{};
            break;
        case 3:
            outcome.what = Panicked{random() % 2 ? "init exiting" : "walk"};
            break;
        case 4:
            outcome.what = Stuck{"freewalk"};
            break;
        case 5:
            outcome.what = Lost{"p9"};
            break;
        case 6:
            outcome.what = Returned{random() % 64};
            break;
        case 7:
            outcome.what = Returned{kMinus1};
            break;
        default:
            outcome.what = Returned{0};
            if (auto predicted = predict(world, step)) outcome = predicted->outcome;
    }
    outcome.child_started = outcome.child_started || random() % 8 == 0;
    outcome.allocations_failed = random() % 3 == 0 ? 1 : 0;
    outcome.allocator_dry = random() % 5 == 0;
    if (random() % 8 == 0) outcome.ended_others.push_back(ProcId{static_cast<std::uint32_t>(random() % 4)});
    return outcome;
}

// What must hold of any World.
void check_well_formed(World const& world) {
    RC_ASSERT(!world.pipe().empty());
    for (auto const& [id, process] : world.processes()) {
        RC_ASSERT(process.id == id);
        RC_ASSERT(world.over() || world.find(process.parent) != nullptr);
        RC_ASSERT((process.life == Life::zombie) == (process.space == nullptr));
        if (!process.space) continue;
        RC_ASSERT(process.space->brk <= world.setting().layout.top);
        RC_ASSERT(process.space->brk > world.setting().layout.agent_end);
        for (auto const& [vpn, page] : process.space->pages) {
            RC_ASSERT(page.presence != Presence::reserved);
            RC_ASSERT(vpn < round_up_to_page(process.space->brk).page());
            RC_ASSERT(!page.rights.user || page.contents != nullptr);
        }
    }
}

RC_GTEST_PROP(Advance, JudgesEveryStepThatCanBeAsked, ()) {
    std::mt19937_64 random{*rc::gen::arbitrary<std::uint64_t>()};
    World world = World::initial(shared_setting(*any_profile()));
    for (int i = 0; i < 60; ++i) {
        Step const step = random_step(world, random);
        auto predicted = predict(world, step);
        RC_ASSERT(predicted.has_value());
        RC_ASSERT(!expectation(world, step).empty());
        world = std::move(predicted->after);
        check_well_formed(world);
    }
}

RC_GTEST_PROP(Advance, TakesAnyOutcomeAndFollowsOnlyWhatItAllows, ()) {
    std::mt19937_64 random{*rc::gen::arbitrary<std::uint64_t>()};
    World world = World::initial(shared_setting(*any_profile()));
    for (int i = 0; i < 60 && !world.over(); ++i) {
        Step const step = random_step(world, random);
        Outcome const outcome = random_outcome(world, step, random);
        FrameCensus const before = random() % 2 ? FrameCensus{random() % 40} : FrameCensus{};
        RC_ASSERT(!describe(outcome, step).empty());
        auto const after = advance(world, step, outcome, before);
        if (after) {
            world = *after;
            check_well_formed(world);
            continue;
        }
        bool const short_of_memory = outcome.allocations_failed > 0 || outcome.allocator_dry;
        RC_ASSERT((after.error().invariant == Invariant::containment) == short_of_memory);
        RC_ASSERT(!after.error().story.empty());
        RC_ASSERT(after.error().process == step.actor);
    }
}

RC_GTEST_PROP(Advance, ForgivesNothingMoreWhenMemoryIsPlentiful, ()) {
    std::mt19937_64 random{*rc::gen::arbitrary<std::uint64_t>()};
    World world = World::initial(shared_setting(*any_profile()));
    for (int i = 0; i < 40; ++i) {
        Step const step = random_step(world, random);
        Outcome outcome = random_outcome(world, step, random);
        outcome.allocations_failed = 0;
        outcome.allocator_dry = false;
        if (advance(world, step, outcome, kPlenty)) {
            RC_ASSERT(advance(world, step, outcome, kNothingFree).has_value());
        }
        world = predict(world, step)->after;
    }
}

RC_GTEST_PROP(WhyNot, RefusesOrAcceptsAnyStepWithoutHarm, ()) {
    std::mt19937_64 random{*rc::gen::arbitrary<std::uint64_t>()};
    World world = World::initial(shared_setting(*any_profile()));
    for (int i = 0; i < 60; ++i) {
        Step const step = random_unchecked_step(world, random);
        if (auto const reason = why_not(world, step))
            RC_ASSERT(!reason->empty());
        else if (auto predicted = predict(world, step))
            world = std::move(predicted->after);
        else
            RC_FAIL("no outcome is right");
    }
}

TEST(WhyNot, RefusesActorsThatAreNotThere) {
    Story story{Profile{}};
    EXPECT_TRUE(why_not(story.world(), by(1, Exec{})));
    story.then(by(0, Fork{ProcId{1}}), forked(2)).then(by(1, Exit{0}), ended());
    EXPECT_TRUE(why_not(story.world(), by(1, Exec{})));
}

TEST(Expectation, SpeaksShortly) {
    Story story{Profile{ForkPolicy::cow, SbrkPolicy::lazy}};
    EXPECT_EQ(expectation(story.world(), by(0, Fork{ProcId{1}})), "p1");
    EXPECT_EQ(expectation(story.world(), by(0, Fork{ProcId{1}}), true), "p1 or -1");
    story.then(by(0, Fork{ProcId{1}}), forked(2)).then(by(0, Store{at(Anchor::bss), 8, 41}), returned(0));
    auto const expected = [&](std::uint32_t actor, Action const& action) {
        return expectation(story.world(), by(actor, action));
    };
    EXPECT_EQ(expected(0, Load{at(Anchor::bss), 8}), "0x29");
    EXPECT_EQ(expected(1, Load{at(Anchor::bss), 8}), "0");
    EXPECT_EQ(expected(1, Store{at(Anchor::guard), 8, 1}), "killed");
    EXPECT_EQ(expected(1, Store{at(Anchor::data), 8, 1}), "ok");
    EXPECT_EQ(expected(1, Wait{}), "-1");
    EXPECT_EQ(expected(1, Exit{1}), "ended");
    EXPECT_EQ(expected(0, Kill{ProcId{1}}), "0, p1 killed");
    EXPECT_EQ(expected(0, Sbrk{4096}), "0x7000");
    EXPECT_EQ(expected(0, Sbrk{std::int64_t{-1} << 20}), "-1 or 0x7000");
    EXPECT_EQ(expected(0, Fstat{at(Anchor::text)}), "-1");
    EXPECT_EQ(expected(0, FileRead{at(Anchor::bss), 8}), "8");
    EXPECT_EQ(expected(0, Open{at(Anchor::rodata)}), "a descriptor");
    EXPECT_EQ(expected(0, Exec{}), "restarted");
    story.then(by(1, Exit{1}), ended());
    EXPECT_EQ(expected(0, Wait{}), "pid 2 (p1)");
}

TEST(Describe, SpeaksShortly) {
    EXPECT_EQ(describe(forked(5), by(0, Fork{ProcId{1}})), "p1");
    EXPECT_EQ(describe(returned(kMinus1), by(0, Fork{ProcId{1}})), "-1");
    EXPECT_EQ(describe(returned(5), by(0, Fork{ProcId{1}})), "pid 5, but no child");
    EXPECT_EQ(describe(returned(0), by(0, Store{heap(), 8, 1})), "ok");
    EXPECT_EQ(describe(returned(42), by(0, Load{heap(), 8})), "0x2a");
    EXPECT_EQ(describe(ended(), by(0, Load{heap(), 8})), "killed");
    EXPECT_EQ(describe(killed_other(ProcId{3}), by(0, Kill{ProcId{3}})), "0, p3 killed");
    EXPECT_EQ(describe(ended_as(Panicked{"remap"}), by(0, Exec{})), "panic: remap");
}

}  // namespace
}  // namespace vmcheck::spec
