#include "checker/run/runner.h"

#include "checker/generate/generator.h"
#include "checker/run/twin_testing.h"
#include "spec/advance.h"
#include "spec/testing/test_setting.h"
#include "spec/text.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

namespace vmcheck::run {
namespace {

using spec::kInit;
using spec::Outcome;
using spec::ProcId;
using spec::Step;
using spec::World;
using spec::testing::PlantedDefect;

// ---- few frames free

TEST(Pressure, OnAKernelThatIsRightStepsFailForMemoryAndNothingIsFound) {
    for (spec::Profile profile : spec::testing::kAllProfiles) {
        Bench bench(profile);
        auto const programs =
            generate::programs(bench.target.setting(), {.allocation_faults = false, .little_memory = true});
        Counts counts;
        for (std::uint64_t i = 0; i < 200; ++i) {
            spec::Program const program = generate::program_of_case(programs, 1, i);
            ASSERT_TRUE(program.memory.has_value());
            auto const run = run_program(bench.pool.first(), bench.look.reference, program,
                                         RunOptions{.mode = Mode::pressure}, counts);
            ASSERT_FALSE(run.divergence.has_value())
                << spec::print(run.program) << to_string(run.divergence->signature);
        }
        EXPECT_GT(counts.of(Mode::pressure).reached, 20U);
        EXPECT_EQ(counts.programs, 0U) << "counted apart from plain programs";
    }
}

TEST(Pressure, FindsWhatShowsOnlyWhenMemoryIsShort) {
    Bench bench(kCowLazy, PlantedDefect::panic_on_failed_allocation);
    auto program = *spec::parse("vmcheck 1\nprofile cow lazy\nmemory 3\np0 fork p1\n");
    Counts counts;
    auto const run = run_program(bench.pool.first(), bench.look.reference, program, {}, counts);
    ASSERT_TRUE(run.divergence.has_value());
    EXPECT_EQ(to_string(run.divergence->signature), "I10 fork");
    EXPECT_EQ(run.program.memory, 3U) << "or it would not replay";
    program.memory.reset();
    EXPECT_FALSE(run_program(bench.pool.first(), bench.look.reference, program, {}, counts).divergence.has_value());
}

TEST(Pressure, AMachineThatCannotBeBroughtThereRunsNothing) {
    Bench bench(kCowLazy);
    auto const program = spec::parse("vmcheck 1\nprofile cow lazy\nmemory 1000000\np0 sbrk +1p\n");
    Counts counts;
    auto const run = run_program(bench.pool.first(), bench.look.reference, *program, {}, counts);
    EXPECT_TRUE(run.cannot_start.has_value());
    EXPECT_EQ(counts.steps, 0U);
    EXPECT_EQ(counts.programs, 0U);
}

TEST(Runner, RunsAProgramTwiceFromWhereTheFirstRunLeftIt) {
    Bench bench(kCowLazy);
    auto const program = spec::parse(
        "vmcheck 1\nprofile cow lazy\np0 sbrk +1p\np0 store heap 8 = 1\np0 fork p1\np1 fork p2\np0 kill p2\n");
    Counts counts;
    auto const run = run_program(bench.pool.first(), bench.look.reference, *program, RunOptions{.twice = true}, counts);
    EXPECT_FALSE(run.divergence.has_value());
    EXPECT_EQ(run.left_out, 0U);
    EXPECT_EQ(counts.second_runs, 1U);
    EXPECT_THAT(spec::print(run.program),
                testing::HasSubstr("p0 wait\np0 sbrk -1p\np0 sbrk +1p\np0 store heap 8 = 1\np0 fork p3\np3 fork p4\n"
                                   "p0 kill p4\n"));
    EXPECT_EQ(run.program.steps.back(), (spec::Step{spec::kInit, spec::Sbrk{-4096}, {}}));
}

TEST(Runner, GoesOnAfterALeakWhereThatIsWantedAndTellsItOnce) {
    Bench bench(kCowLazy, PlantedDefect::root_leaked);
    auto const program = spec::parse(
        "vmcheck 1\nprofile cow lazy\np0 fork p1\np1 exit 0\np0 wait\np0 fork p2\np2 exit 0\np0 wait\np0 fork p3\n");
    Counts counts;
    auto run = run_program(bench.pool.first(), bench.look.reference, *program, {}, counts);
    ASSERT_TRUE(run.divergence.has_value());
    EXPECT_EQ(run.program.steps.size(), 3U);
    run = run_program(bench.pool.first(), bench.look.reference, *program, {.go_on = true}, counts);
    EXPECT_FALSE(run.divergence.has_value());
    EXPECT_EQ(run.program.steps.size(), 9U) << "to its end, and that of p3";
    auto const ends = endings(std::move(run));
    ASSERT_EQ(ends.size(), 1U);
    EXPECT_EQ(to_string(ends[0].divergence->signature), "I6 wait");
    EXPECT_EQ(ends[0].program.steps.size(), 3U);
}

TEST(Runner, GoesOnWithTheJunkOfAFreshPageToWhatElseIsWrong) {
    Bench bench(kCowLazy, PlantedDefect::uncleared_page);
    auto const program = spec::parse(
        "vmcheck 1\nprofile cow lazy\np0 sbrk +1p\np0 store heap 8 = 0x1122334455667788\np0 sbrk -1p\np0 sbrk +1p\n"
        "p0 store heap+8 1 = 1\np0 sbrk -1p\np0 sbrk +1p\np0 pipe_write heap 1\np0 load heap 8\np0 file_read heap 1\n");
    Counts counts;
    auto run = run_program(bench.pool.first(), bench.look.reference, *program, {.go_on = true}, counts);
    EXPECT_FALSE(run.divergence.has_value());
    auto const ends = endings(std::move(run));
    ASSERT_EQ(ends.size(), 2U) << "a fault and a copy";
    EXPECT_EQ(to_string(ends[0].divergence->signature), "I1 store");
}

TEST(Runner, ClosesEveryProgramSoThatOnlyInitIsLeft) {
    Bench bench(kCowLazy);
    auto const program = spec::parse("vmcheck 1\nprofile cow lazy\np0 sbrk +2p\np0 fork p1\np1 fork p2\n");
    ASSERT_TRUE(program.has_value());
    Counts counts;
    vmcheck::run::Run const run = run_program(bench.pool.first(), bench.look.reference, *program, {}, counts);
    EXPECT_FALSE(run.divergence.has_value());
    std::string const text = spec::print(run.program);
    EXPECT_THAT(text, testing::HasSubstr("p1 exit 0"));
    EXPECT_THAT(text, testing::HasSubstr("p2 exit 0"));
    EXPECT_THAT(text, testing::HasSubstr("p0 sbrk -2p"));
}

TEST(Runner, LeavesOutStepsThatCannotBeAskedAndCountsThem) {
    Bench bench(kCowLazy);
    auto const program = spec::parse("vmcheck 1\nprofile cow lazy\np0 fork p1\np1 exit 0\np1 load data 8\np0 wait\n");
    ASSERT_TRUE(program.has_value());
    Counts counts;
    EXPECT_EQ(run_program(bench.pool.first(), bench.look.reference, *program, {}, counts).left_out, 1U);
}

// ---- the closing

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
