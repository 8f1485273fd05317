// What a step is said to meet, of the places of a small program.

#include "spec/circumstances.h"

#include "spec/testing/judging.h"

#include <gtest/gtest.h>

namespace vmcheck::spec {
namespace {

using namespace testing;

Grounds met_by(World const& world, ProcId actor, Action const& action) {
    return circumstances_of(world, {actor, action, {}}).grounds;
}

TEST(Circumstances, SayWhatIsSpecialAboutAPlace) {
    Story story{Profile{ForkPolicy::cow, SbrkPolicy::lazy}};
    story.then(by(0, Sbrk{std::int64_t{2} * 4096}), returned(0x7000)).then(by(0, Store{heap(), 8, 7}), returned(0));
    EXPECT_EQ(met_by(story.world(), kInit, Store{heap(), 8, 1}), Grounds{});
    EXPECT_EQ(met_by(story.world(), kInit, Store{heap(4096), 8, 1}), Ground::reserved);
    EXPECT_EQ(met_by(story.world(), kInit, Store{{Anchor::text, 0}, 1, 1}), Ground::read_only);
    EXPECT_EQ(met_by(story.world(), kInit, Load{{Anchor::text, 0}, 1}), Grounds{});
    EXPECT_EQ(met_by(story.world(), kInit, Load{{Anchor::guard, 0}, 1}), Ground::no_user);
    EXPECT_EQ(met_by(story.world(), kInit, Load{{Anchor::trapframe, 0}, 1}), Ground::no_user);
    EXPECT_EQ(met_by(story.world(), kInit, Load{heap(8192), 1}), Ground::hole);
    EXPECT_EQ(met_by(story.world(), kInit, Load{{Anchor::maxva, 0}, 1}), Ground::above_maxva);
    story.then(by(0, Fork{ProcId{1}}), forked(2));
    EXPECT_EQ(met_by(story.world(), ProcId{1}, Store{heap(), 8, 1}), Ground::shared);
    EXPECT_EQ(met_by(story.world(), ProcId{1}, Load{heap(), 8}), Grounds{}) << "to read it is nothing special";
}

TEST(Circumstances, OfARangeAreThoseOfItsPagesUpToTheFirstThatMustBeRefused) {
    Story story{Profile{ForkPolicy::cow, SbrkPolicy::lazy}};
    story.then(by(0, Sbrk{std::int64_t{2} * 4096}), returned(0x7000)).then(by(0, Store{heap(), 8, 7}), returned(0));
    story.then(by(0, Fork{ProcId{1}}), forked(2));
    Circumstances const met = circumstances_of(story.world(), by(0, FileRead{heap(4090), 4096 + 100}));
    EXPECT_TRUE(met.crosses);
    Grounds all{Ground::shared};
    all.add(Ground::reserved);
    all.add(Ground::hole);
    EXPECT_EQ(met.grounds, all);
    EXPECT_EQ(circumstances_of(story.world(), by(0, Yield{})), Circumstances{});
}

}  // namespace
}  // namespace vmcheck::spec
