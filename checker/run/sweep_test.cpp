#include "checker/run/sweep.h"

#include "checker/run/bench_testing.h"
#include "checker/run/runner.h"
#include "spec/text.h"

#include <gtest/gtest.h>

namespace vmcheck::run {
namespace {

using spec::testing::PlantedDefect;

TEST(Sweep, FailsEachAllocationOfEachStepOnceAndFindsNothingOnAKernelThatIsRight) {
    for (spec::Profile profile : spec::testing::kAllProfiles) {
        Bench bench(profile);
        auto const programs = generate::programs(bench.target.setting(), {.steps_max = 12, .allocation_faults = false});
        Tally tally;
        for (std::uint64_t i = 0; i < 40; ++i) {
            auto const runs = sweep_allocations(bench.crew.first(), bench.look.reference,
                                                generate::program_of_case(programs, 1, i), tally);
            ASSERT_TRUE(runs.empty()) << spec::print(runs.front().program)
                                      << runs.front().divergence->violations.front().story;
        }
        EXPECT_EQ(tally.of(Mode::sweep).programs, 40U);
        // Each run but the 40 without any fault is that of one allocation, which did fail.
        EXPECT_EQ(tally.of(Mode::sweep).runs - 40, tally.of(Mode::sweep).reached);
        EXPECT_GT(tally.of(Mode::sweep).reached, 200U);
    }
}

TEST(Sweep, StopsAtTheFirstAllocationThatIsNotThere) {
    Bench bench({spec::ForkPolicy::cow, spec::SbrkPolicy::eager});
    // Three pages, in a region whose table is there already, and nothing else.
    auto const program = spec::parse("vmcheck 1\nprofile cow eager\np0 sbrk +3p\np0 load heap 8\n");
    Tally tally;
    EXPECT_TRUE(sweep_allocations(bench.crew.first(), bench.look.reference, *program, tally).empty());
    EXPECT_EQ(tally.of(Mode::sweep).reached, 3U);
}

TEST(Sweep, FindsWhatShowsOnlyWhenAnAllocationFails) {
    auto const program = spec::parse("vmcheck 1\nprofile cow lazy\np0 sbrk +1p\np0 store heap 8 = 1\np0 fork p1\n");
    for (auto const& [defect, signature] :
         {std::pair{PlantedDefect::failed_fork_leaks, "I6 fork"}, {PlantedDefect::failed_fork_kills, "I10 fork"}}) {
        Bench bench(kCowLazy, defect);
        Tally tally;
        auto const plain = run_program(bench.crew.first(), bench.look.reference, *program, {}, tally);
        EXPECT_FALSE(plain.divergence.has_value());
        auto const runs = sweep_allocations(bench.crew.first(), bench.look.reference, *program, tally);
        ASSERT_FALSE(runs.empty()) << signature;
        EXPECT_EQ(to_string(runs.front().divergence->signature), signature);
        EXPECT_TRUE(runs.front().program.steps.back().faults.oom.has_value());
        // What was found replays as it is.
        auto const again = run_program(bench.crew.first(), bench.look.reference, runs.front().program, {}, tally);
        ASSERT_TRUE(again.divergence.has_value());
        EXPECT_EQ(again.divergence->signature, runs.front().divergence->signature);
    }
}

}  // namespace
}  // namespace vmcheck::run
