#include "spec/advice.h"

#include "spec/layout.h"
#include "spec/testing/judging.h"

#include <gtest/gtest.h>

namespace vmcheck::spec {
namespace {

using namespace testing;

// p0 and p1, which shares its pages.
Story with_sharers(Profile profile) {
    Story story{profile};
    story.then(by(0, Fork{ProcId{1}}), forked(2));
    return story;
}

Step store(std::uint32_t actor) {
    return by(actor, Store{at(Anchor::data), 8, 1});
}

bool advised(Story const& story, Step const& step, Outcome const& outcome) {
    return advice_on(story.world(), step, outcome).has_value();
}

TEST(Advice, IsForTheDeathOfASoleOwnerThatNeededNoFrame) {
    Story story = with_sharers(kCowEager);
    EXPECT_FALSE(advised(story, store(0), after_failed_allocation(ended()))) << "p1 has the page as well";
    story.then(by(1, Exit{0}), ended());
    EXPECT_FALSE(advised(story, store(0), after_failed_allocation(ended()))) << "the zombie may have it";
    story.then(by(0, Wait{}), returned(2));
    auto const advice = advice_on(story.world(), store(0), after_failed_allocation(ended()));
    ASSERT_TRUE(advice.has_value());
    EXPECT_EQ(advice->invariant, Invariant::containment);
    EXPECT_EQ(story.verdict(store(0), after_failed_allocation(ended())), "allowed") << "and so no defect";
}

TEST(Advice, IsNotForWhatNeedsAFrameOrGoesWell) {
    Story story{kCowEager};
    EXPECT_FALSE(advised(story, store(0), after_failed_allocation(returned(0)))) << "it went on";
    EXPECT_FALSE(advised(story, store(0), ended())) << "no frame was refused: that is a defect (I7)";
    EXPECT_FALSE(advised(story, by(0, Load{at(Anchor::data), 8}), after_failed_allocation(ended())));
    EXPECT_FALSE(advised(Story{kEager}, store(0), after_failed_allocation(ended())));
    Story lazy{Profile{ForkPolicy::cow, SbrkPolicy::lazy}};
    lazy.then(by(0, Sbrk{4096}), returned(0x7000));
    EXPECT_FALSE(advised(lazy, by(0, Store{heap(), 8, 1}), after_failed_allocation(ended()))) << "not mapped yet";
}

TEST(Scarcity, LeavesAProgramWithMemoryToSpareAlone) {
    auto const setting = shared_setting(kCowEager);
    EXPECT_EQ(setting_for(setting, Program{kCowEager, {}}), setting);
}

TEST(Scarcity, TheHogsTakeSlotsAndAreNotWaitedFor) {
    Program program{kCowEager, {}};
    program.memory = 40;
    auto const setting = setting_for(shared_setting(kCowEager), program);
    EXPECT_EQ(setting->traits.processes_max + kBallastProcesses, small_setting(kCowEager).traits.processes_max);
    World const world = World::initial(setting);
    EXPECT_TRUE(why_not(world, by(0, Wait{})).has_value()) << "p0 would wait for the ballast";
    EXPECT_FALSE(why_not(World::initial(shared_setting(kCowEager)), by(0, Wait{})).has_value());
}

}  // namespace
}  // namespace vmcheck::spec
