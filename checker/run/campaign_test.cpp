#include "checker/run/campaign.h"

#include "checker/run/twin_testing.h"
#include "spec/text.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

namespace vmcheck::run {
namespace {

using spec::testing::PlantedDefect;

constexpr spec::Profile kCowLazy{spec::ForkPolicy::cow, spec::SbrkPolicy::lazy};

struct Bench {
    explicit Bench(spec::Profile profile, PlantedDefect defect = PlantedDefect::none, unsigned jobs = 1)
        : target(profile, defect), crew(*Crew::hire(target, jobs)), look(first_look(crew.first(), target.setting())) {}

    CampaignResult run(Effort const& effort, std::uint64_t seed = 1, std::stop_token const& stop = {}) {
        return run_campaign(crew, look.reference, generate::programs(target.setting(), {}), seed, effort, stop,
                            [](Progress const&) {});
    }

    Twin target;
    Crew crew;
    FirstLook look;
};

TEST(Campaign, FindsNothingOnAKernelThatIsRightInAnyProfile) {
    for (spec::Profile profile : spec::testing::kAllProfiles) {
        Bench bench(profile);
        EXPECT_TRUE(bench.look.violations.empty());
        CampaignResult const result = bench.run({.programs = 500});
        EXPECT_EQ(result.tally.programs, 500U);
        ASSERT_TRUE(result.failures.empty()) << spec::print(result.failures.front().run.program)
                                             << result.failures.front().run.divergence->violations.front().story;
    }
}

TEST(Campaign, EvaluatesEveryInvariantAndAsksEveryKindOfStep) {
    Bench bench(kCowLazy);
    CampaignResult const result = bench.run({.programs = 500});
    for (std::size_t i = 1; i <= spec::kInvariants; ++i) EXPECT_GT(result.tally.checks.evaluated[i], 0U) << i;
    for (std::size_t kind = 0; kind < spec::kActionKinds; ++kind)
        EXPECT_GT(result.tally.kinds[kind], 0U) << spec::kind_name(kind);
}

TEST(Campaign, AnEmulatorThatFailsIsNoFindingAndEndsTheCampaign) {
    Bench bench(kCowLazy);
    dynamic_cast<TwinExecution&>(bench.crew.first()).engine_fails_after = 1000;
    CampaignResult const result = bench.run({.programs = 5000});
    EXPECT_TRUE(result.failures.empty());
    EXPECT_EQ(result.engine_failure, "Unicorn failed.");
    EXPECT_LT(result.tally.programs, 5000U);
}

TEST(Campaign, FindsAPlantedDefectUnderItsInvariant) {
    Bench bench(kCowLazy, PlantedDefect::parent_keeps_write);
    CampaignResult const result = bench.run({.programs = 500});
    ASSERT_FALSE(result.failures.empty());
    EXPECT_EQ(to_string(result.failures.front().run.divergence->signature), "I3 fork");
}

TEST(Campaign, GivesTheSameOnOneAndOnThreeWorkers) {
    Bench one(kCowLazy, PlantedDefect::stale_cow_copy, 1), three(kCowLazy, PlantedDefect::stale_cow_copy, 3);
    CampaignResult const a = one.run({.programs = 600}), b = three.run({.programs = 600});
    ASSERT_EQ(a.failures.size(), b.failures.size());
    EXPECT_EQ(a.tally.steps, b.tally.steps);
    for (std::size_t i = 0; i < a.failures.size(); ++i) {
        EXPECT_EQ(a.failures[i].index, b.failures[i].index);
        EXPECT_EQ(a.failures[i].seen, b.failures[i].seen);
        EXPECT_EQ(a.failures[i].run.program, b.failures[i].run.program);
    }
}

TEST(Campaign, EndsWithTheBatchThatFoundEnough) {
    Bench bench(kCowLazy, PlantedDefect::parent_keeps_write);
    EXPECT_EQ(bench.run({.programs = 10'000, .batch = {.plain = 64}, .families_max = 1}).tally.programs, 64U);
}

TEST(Campaign, GoesOnLookingForOtherFailures) {
    Bench bench(kCowLazy, PlantedDefect::parent_keeps_write);
    CampaignResult const result = bench.run({.programs = 300, .batch = {.plain = 64}, .families_max = 50});
    EXPECT_EQ(result.tally.programs, 300U);
    EXPECT_GT(result.failures.front().seen, 1U);
}

TEST(Campaign, IsStoppedBetweenTwoBatchesAndSaysSo) {
    Bench bench(kCowLazy);
    std::stop_source stop;
    stop.request_stop();
    CampaignResult const result = bench.run({.programs = 10'000}, 1, stop.get_token());
    EXPECT_TRUE(result.interrupted);
    EXPECT_EQ(result.tally.programs, 0U);
}

// ---- every allocation of a program, made to fail in turn

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

// ---- few frames free

TEST(Pressure, OnAKernelThatIsRightStepsFailForMemoryAndNothingIsFound) {
    for (spec::Profile profile : spec::testing::kAllProfiles) {
        Bench bench(profile);
        auto const programs =
            generate::programs(bench.target.setting(), {.allocation_faults = false, .little_memory = true});
        Tally tally;
        for (std::uint64_t i = 0; i < 200; ++i) {
            spec::Program const program = generate::program_of_case(programs, 1, i);
            ASSERT_TRUE(program.memory.has_value());
            auto const run = run_program(bench.crew.first(), bench.look.reference, program,
                                         RunOptions{.mode = Mode::pressure}, tally);
            ASSERT_FALSE(run.divergence.has_value())
                << spec::print(run.program) << run.divergence->violations.front().story;
        }
        EXPECT_GT(tally.of(Mode::pressure).reached, 20U);
        EXPECT_EQ(tally.programs, 0U) << "counted apart from plain programs";
    }
}

TEST(Pressure, FindsWhatShowsOnlyWhenMemoryIsShort) {
    Bench bench(kCowLazy, PlantedDefect::panic_on_failed_allocation);
    auto program = *spec::parse("vmcheck 1\nprofile cow lazy\nmemory 3\np0 fork p1\n");
    Tally tally;
    auto const run = run_program(bench.crew.first(), bench.look.reference, program, {}, tally);
    ASSERT_TRUE(run.divergence.has_value());
    EXPECT_EQ(to_string(run.divergence->signature), "I10 fork");
    EXPECT_EQ(run.program.memory, 3U) << "or it would not replay";
    program.memory.reset();
    EXPECT_FALSE(run_program(bench.crew.first(), bench.look.reference, program, {}, tally).divergence.has_value());
}

TEST(Campaign, ModesCanBeSwitchedOff) {
    Bench bench(kCowLazy);
    CampaignResult const result = bench.run({.programs = 128, .batch = {.plain = 64, .sweep = 0, .pressure = 0}});
    EXPECT_EQ(result.tally.of(Mode::plain).programs, 128U);
    EXPECT_EQ(result.tally.of(Mode::sweep).programs + result.tally.of(Mode::pressure).programs, 0U);
}

TEST(Pressure, AMachineThatCannotBeBroughtThereRunsNothing) {
    Bench bench(kCowLazy);
    auto const program = spec::parse("vmcheck 1\nprofile cow lazy\nmemory 1000000\np0 sbrk +1p\n");
    Tally tally;
    auto const run = run_program(bench.crew.first(), bench.look.reference, *program, {}, tally);
    EXPECT_TRUE(run.cannot_start.has_value());
    EXPECT_EQ(tally.steps, 0U);
    EXPECT_EQ(tally.programs, 0U);
}

TEST(Runner, RunsAProgramTwiceFromWhereTheFirstRunLeftIt) {
    Bench bench(kCowLazy);
    auto const program = spec::parse(
        "vmcheck 1\nprofile cow lazy\np0 sbrk +1p\np0 store heap 8 = 1\np0 fork p1\np1 fork p2\np0 kill p2\n");
    Tally tally;
    auto const run = run_program(bench.crew.first(), bench.look.reference, *program, RunOptions{.twice = true}, tally);
    EXPECT_FALSE(run.divergence.has_value());
    EXPECT_EQ(run.left_out, 0U);
    EXPECT_EQ(tally.second_runs, 1U);
    EXPECT_THAT(spec::print(run.program),
                testing::HasSubstr("p0 wait\np0 sbrk -1p\np0 sbrk +1p\np0 store heap 8 = 1\np0 fork p3\np3 fork p4\n"
                                   "p0 kill p4\n"));
    EXPECT_EQ(run.program.steps.back(), (spec::Step{spec::kInit, spec::Sbrk{-4096}, {}}));
}

TEST(Runner, ClosesEveryProgramSoThatOnlyInitIsLeft) {
    Bench bench(kCowLazy);
    auto const program = spec::parse("vmcheck 1\nprofile cow lazy\np0 sbrk +2p\np0 fork p1\np1 fork p2\n");
    ASSERT_TRUE(program.has_value());
    Tally tally;
    vmcheck::run::Run const run = run_program(bench.crew.first(), bench.look.reference, *program, {}, tally);
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
    Tally tally;
    EXPECT_EQ(run_program(bench.crew.first(), bench.look.reference, *program, {}, tally).left_out, 1U);
}

}  // namespace
}  // namespace vmcheck::run
