// Properties of the relation as a whole, over random programs.

#include "spec/advance.h"

#include "spec/rules/sbrk_rules.h"
#include "spec/testing/arbitrary_program.h"
#include "spec/testing/judging.h"
#include "spec/testing/random_program.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

namespace vmcheck::spec {
namespace {

using namespace testing;

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
            outcome.what = Stuck{.where = "freewalk"};
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
        RC_ASSERT(!expected_results(world, step).empty());
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
        auto const after = advance(world, step, outcome, before);
        if (after) {
            world = *after;
            check_well_formed(world);
            continue;
        }
        bool const short_of_memory = outcome.allocations_failed > 0 || outcome.allocator_dry;
        RC_ASSERT((after.error().invariant == Invariant::containment) == short_of_memory);
        RC_ASSERT(std::holds_alternative<WrongAnswer>(after.error().facts));
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

bool contains(std::vector<Result> const& results, Outcome const& outcome, World const& world) {
    return std::any_of(results.begin(), results.end(),
                       [&](Result const& result) { return shows(result, outcome, world); });
}

// What a reader is told that a correct kernel does is what the judgement goes by: no more, and no less.
RC_GTEST_PROP(ExpectedResults, AreAllAcceptedAndNothingElseIs, ()) {
    std::mt19937_64 random{*rc::gen::arbitrary<std::uint64_t>()};
    World world = World::initial(shared_setting(*any_profile()));
    for (int i = 0; i < 60 && !world.over(); ++i) {
        Step const step = random_step(world, random);
        bool const memory_was_short = random() % 2 == 0;
        auto const expected = expected_results(world, step, memory_was_short);
        RC_ASSERT(!expected.empty());
        for (Result const& result : expected) {
            Outcome outcome = outcome_showing(result, world);
            outcome.allocator_dry = memory_was_short;
            RC_ASSERT(shows(result, outcome, world));
            RC_ASSERT(advance(world, step, outcome, kPlenty).has_value());
        }
        Outcome any = random_outcome(world, step, random);
        any.allocations_failed = 0;
        any.allocator_dry = memory_was_short;
        // That p0 has ended shows as a panic of init: the one answer that looks otherwise than its result.
        if (auto after = advance(world, step, any, kPlenty)) {
            RC_ASSERT(contains(expected, any, world) || (step.actor == kInit && after->over()));
            world = std::move(*after);
        } else {
            RC_ASSERT(!contains(expected, any, world));
        }
    }
}

TEST(ExpectedResults, AreThePlainOnesFirst) {
    using Results = std::vector<Result>;
    Story story{Profile{ForkPolicy::cow, SbrkPolicy::lazy}};
    EXPECT_EQ(expected_results(story.world(), by(0, Fork{ProcId{1}})), Results({NewChild{ProcId{1}}}));
    EXPECT_EQ(expected_results(story.world(), by(0, Fork{ProcId{1}}), true),
              Results({NewChild{ProcId{1}}, Exactly{kFailed}}));
    story.then(by(0, Fork{ProcId{1}}), forked(2)).then(by(0, Store{at(Anchor::bss), 8, 41}), returned(0));
    auto const expected = [&](std::uint32_t actor, Action const& action) {
        return expected_results(story.world(), by(actor, action));
    };
    EXPECT_EQ(expected(0, Load{at(Anchor::bss), 8}), Results({Exactly{41}}));
    EXPECT_EQ(expected(1, Load{at(Anchor::bss), 8}), Results({Exactly{0}}));
    EXPECT_EQ(expected(1, Store{at(Anchor::guard), 8, 1}), Results({Ends{}}));
    EXPECT_EQ(expected(1, Store{at(Anchor::data), 8, 1}), Results({GoesOn{}}));
    EXPECT_EQ(expected(1, Wait{}), Results({Exactly{kFailed}}));
    EXPECT_EQ(expected(1, Exit{1}), Results({Ends{}}));
    EXPECT_EQ(expected(0, Kill{ProcId{1}}), Results({EndsOther{ProcId{1}}}));
    EXPECT_EQ(expected(0, Sbrk{4096}), Results({Exactly{0x7000}}));
    EXPECT_EQ(expected(0, Sbrk{std::int64_t{-1} << 20}), Results({Exactly{kFailed}, Exactly{0x7000}}));
    EXPECT_EQ(expected(0, Fstat{at(Anchor::text)}), Results({Exactly{kFailed}}));
    EXPECT_EQ(expected(0, FileRead{at(Anchor::bss), 8}), Results({Exactly{8}}));
    EXPECT_EQ(expected(0, Open{at(Anchor::rodata)}), Results({SomeDescriptor{}}));
    EXPECT_EQ(expected(0, Exec{}), Results({Restarts{}}));
    story.then(by(1, Exit{1}), ended());
    EXPECT_EQ(expected(0, Wait{}), Results({PidOf{ProcId{1}, 2}}));
}

}  // namespace
}  // namespace vmcheck::spec
