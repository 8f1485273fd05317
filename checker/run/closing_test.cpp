#include "checker/run/closing.h"

#include "spec/advance.h"
#include "spec/testing/test_setting.h"

#include <gtest/gtest.h>

namespace vmcheck::run {
namespace {

using spec::kInit;
using spec::Outcome;
using spec::ProcId;
using spec::Step;
using spec::World;

constexpr ProcId kChild{1}, kGrandchild{2};

World alone() {
    return World::initial(spec::testing::shared_setting({spec::ForkPolicy::cow, spec::SbrkPolicy::lazy}));
}

World after(World const& world, Step const& step, Outcome const& outcome) {
    auto next = spec::advance(world, step, outcome, {});
    EXPECT_TRUE(next.has_value());
    return std::move(*next);
}

World forked(World const& world, ProcId parent, ProcId child) {
    return after(world, {parent, spec::Fork{child}, {}},
                 {.what = spec::Returned{10 + child.value}, .child_started = true});
}

TEST(Closing, EndsTheYoungestAndWaitsForThoseThatHaveEnded) {
    World world = forked(forked(alone(), kInit, kChild), kChild, kGrandchild);
    EXPECT_EQ(next_ending(world), (Step{kGrandchild, spec::Exit{0}, {}}));
    world = after(world, *next_ending(world), {spec::Ended{}});
    EXPECT_EQ(next_ending(world), (Step{kChild, spec::Exit{0}, {}}));
    world = after(world, *next_ending(world), {spec::Ended{}});
    EXPECT_EQ(next_ending(world), (Step{kInit, spec::Wait{}, {}}));
}

TEST(Closing, OfOneProcessThereIsNothingToEnd) {
    EXPECT_EQ(next_ending(alone()), std::nullopt);
}

TEST(Closing, GivesTheHeapBack) {
    World const world = alone();
    EXPECT_EQ(heap_returned(world), std::nullopt);
    std::uint64_t const start = world.setting().layout.heap.value;
    World const grown = after(world, {kInit, spec::Sbrk{12'345}, {}}, {spec::Returned{start}});
    EXPECT_EQ(heap_returned(grown), (Step{kInit, spec::Sbrk{-12'345}, {}}));
}

}  // namespace
}  // namespace vmcheck::run
