#include "checker/run/sweep.h"

#include "checker/generate/generator.h"
#include "checker/run/interruption_places.h"
#include "checker/run/runner.h"
#include "checker/run/twin_testing.h"
#include "spec/text.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

namespace vmcheck::run {
namespace {

using spec::testing::PlantedDefect;

TEST(Sweep, FailsEachAllocationOfEachStepOnceAndFindsNothingOnAKernelThatIsRight) {
    for (spec::Profile profile : spec::testing::kAllProfiles) {
        Bench bench(profile);
        auto const programs = generate::programs(bench.target.setting(), {.steps_max = 12, .allocation_faults = false});
        Counts counts;
        for (std::uint64_t i = 0; i < 40; ++i) {
            auto const runs = sweep(bench.pool.first(), bench.look.reference, generate::program_of_case(programs, 1, i),
                                    Mode::sweep, counts)
                                  .failures;
            ASSERT_TRUE(runs.empty()) << spec::print(runs.front().program)
                                      << to_string(runs.front().divergence->signature);
        }
        EXPECT_EQ(counts.of(Mode::sweep).programs, 40U);
        // Each run but the 40 without any fault is that of one allocation, which did fail.
        EXPECT_EQ(counts.of(Mode::sweep).runs - 40, counts.of(Mode::sweep).reached);
        EXPECT_GT(counts.of(Mode::sweep).reached, 200U);
    }
}

TEST(Sweep, StopsAtTheFirstAllocationThatIsNotThere) {
    Bench bench({spec::ForkPolicy::cow, spec::SbrkPolicy::eager});
    // Three pages, in a region whose table is there already, and nothing else.
    auto const program = spec::parse("vmcheck 1\nprofile cow eager\np0 sbrk +3p\np0 load heap 8\n");
    Counts counts;
    EXPECT_TRUE(sweep(bench.pool.first(), bench.look.reference, *program, Mode::sweep, counts).failures.empty());
    EXPECT_EQ(counts.of(Mode::sweep).reached, 3U);
}

TEST(Sweep, FindsWhatShowsOnlyWhenAnAllocationFails) {
    auto const program = spec::parse("vmcheck 1\nprofile cow lazy\np0 sbrk +1p\np0 store heap 8 = 1\np0 fork p1\n");
    for (auto const& [defect, signature] :
         {std::pair{PlantedDefect::failed_fork_leaks, "I6 fork"}, {PlantedDefect::failed_fork_kills, "I10 fork"}}) {
        Bench bench(kCowLazy, defect);
        Counts counts;
        auto const plain = run_program(bench.pool.first(), bench.look.reference, *program, {}, counts);
        EXPECT_FALSE(plain.divergence.has_value());
        auto const runs = sweep(bench.pool.first(), bench.look.reference, *program, Mode::sweep, counts).failures;
        ASSERT_FALSE(runs.empty()) << signature;
        EXPECT_EQ(to_string(runs.front().divergence->signature), signature);
        EXPECT_TRUE(runs.front().program.steps.back().faults.oom.has_value());
        // What was found replays as it is.
        auto const again = run_program(bench.pool.first(), bench.look.reference, runs.front().program, {}, counts);
        ASSERT_TRUE(again.divergence.has_value());
        EXPECT_EQ(again.divergence->signature, runs.front().divergence->signature);
    }
}

// ---- the places where two steps overlap, in turn

// Of the toy, but says of every step that it can be interrupted at 2, 5 and 9 and takes 20 blocks, and remembers how
// the first of two was to be interrupted.
class InterruptibleTwin : public TwinExecution {
  public:
    using TwinExecution::TwinExecution;
    WatchedStep run_watched(spec::Step const& step, std::uint64_t pages) override {
        return {run(step, pages), {2, 5, 9}, 20};
    }
    Overlap run_overlapping(spec::Pair const& pair, std::uint64_t pages) override {
        auto const& faults = pair.first.faults;
        tried.push_back(faults.switch_hart ? faults.switch_hart.value() : faults.preempt.value());
        return TwinExecution::run_overlapping(pair, pages);
    }
    std::vector<std::uint32_t> tried;
};

struct Interruptible {
    explicit Interruptible(PlantedDefect defect = PlantedDefect::none)
        : setting(spec::testing::shared_setting(kCowLazy)),
          machine(setting, defect),
          reference(first_look(machine, setting).reference) {}

    std::shared_ptr<spec::Setting const> setting;
    InterruptibleTwin machine;
    Reference reference;
    Counts counts;
};

TEST(Sweep, InterruptsAStepAtEachPlaceAndThenWhereTheProgramDoes) {
    Interruptible bench;
    auto const program = spec::parse(
        "vmcheck 1\nprofile cow lazy\np0 fork p1\np0 store data 8 = 1 @7\np1 store data 8 = 2 meanwhile\np1 exit 3\n");
    ASSERT_TRUE(program.has_value());
    EXPECT_TRUE(sweep(bench.machine, bench.reference, *program, Mode::preempt, bench.counts).failures.empty());
    EXPECT_THAT(bench.machine.tried, testing::ElementsAre(2, 5, 9, 7));
    EXPECT_EQ(bench.counts.of(Mode::preempt).programs, 1U);
    EXPECT_EQ(bench.counts.of(Mode::preempt).runs, 4U);
    // fork; four times the pair, exit and wait: each run goes on to its end, from where the fork has left the machine.
    EXPECT_EQ(bench.counts.steps, 1U + 4 * 4);
}

TEST(Sweep, SwitchesHartsAtOtherBlocksAndRunsWhatFollowsOnce) {
    Interruptible bench;
    auto const program = spec::parse(
        "vmcheck 1\nprofile cow lazy\np0 fork p1\np0 store data 8 = 1 @h 7\np1 store data 8 = 2 meanwhile\np1 exit "
        "3\n");
    ASSERT_TRUE(program.has_value());
    auto const swept = sweep(bench.machine, bench.reference, *program, Mode::harts, bench.counts);
    EXPECT_TRUE(swept.failures.empty());
    EXPECT_FALSE(swept.cannot_start.has_value());
    auto expected = switch_places(20, 7);
    expected.push_back(7);
    EXPECT_EQ(bench.machine.tried, expected);
    EXPECT_EQ(bench.counts.of(Mode::harts).runs, expected.size());
    EXPECT_EQ(bench.counts.steps, 1 + 2 * expected.size() + 2);
}

TEST(Sweep, AProgramForOneHartIsNotSweptOnTwo) {
    Interruptible bench;
    auto const program = spec::parse("vmcheck 1\nprofile cow lazy\np0 fork p1\n");
    EXPECT_TRUE(sweep(bench.machine, bench.reference, *program, Mode::harts, bench.counts).failures.empty());
    EXPECT_EQ(bench.counts.of(Mode::harts).programs, 0U);
}

TEST(Sweep, OfAFamilyOfFailuresOnlyTheShortestIsKept) {
    Interruptible bench(PlantedDefect::stale_cow_copy);
    auto const program = spec::parse(
        "vmcheck 1\nprofile cow lazy\np0 store data 8 = 9\np0 fork p1\np0 store data 8 = 1 @7\n"
        "p1 store data+16 8 = 2 meanwhile\n");
    ASSERT_TRUE(program.has_value());
    auto const runs = sweep(bench.machine, bench.reference, *program, Mode::preempt, bench.counts).failures;
    EXPECT_EQ(bench.machine.tried.size(), 4U);
    ASSERT_EQ(runs.size(), 1U);
    EXPECT_EQ(runs.front().divergence->signature.invariant, spec::Invariant::contents);
    EXPECT_EQ(runs.front().program.steps[2].faults.preempt, 2U) << "of equal ones the first";
}

}  // namespace
}  // namespace vmcheck::run
