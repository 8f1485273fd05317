#include "checker/shrink/shrinker.h"

#include "checker/run/campaign.h"
#include "checker/run/runner.h"
#include "checker/run/twin_testing.h"
#include "checker/shrink/candidates.h"
#include "spec/text.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

namespace vmcheck::shrink {
namespace {

using spec::testing::PlantedDefect;

constexpr spec::Profile kCowLazy{spec::ForkPolicy::cow, spec::SbrkPolicy::lazy};

spec::Program program(std::string const& steps) {
    return *spec::parse("vmcheck 1\nprofile cow lazy\n" + steps);
}

std::vector<spec::Program> all_of(Programs candidates) {
    std::vector<spec::Program> all;
    rc::seq::forEach(std::move(candidates), [&](spec::Program&& each) { all.push_back(std::move(each)); });
    return all;
}

// Runs random programs until one fails, and shrinks it.
Shrunk shrink_first_failure(PlantedDefect defect, unsigned jobs, ShrinkBudget budget = {}) {
    run::Twin const target(kCowLazy, defect);
    auto pool = *run::MachinePool::start(target, jobs);
    auto const look = run::first_look(pool.first(), target.setting());
    // The first batch that has failures: they are long still.
    auto result = run::run_campaign(pool, look.reference, 1, {.batch = {.plain = 8}, .families_max = 1}, {},
                                    [](run::Progress const&) {});
    auto const signature = result.failures.at(0).run.divergence->signature;
    Shrunk shrunk = shrink(pool, look.reference, std::move(result.failures.at(0).run), budget, {});
    EXPECT_EQ(shrunk.run.divergence->signature, signature);
    return shrunk;
}

TEST(Shrinker, FindsTheOneStepThatShowsAForkDefect) {
    Shrunk const shrunk = shrink_first_failure(PlantedDefect::parent_keeps_write, 1);
    EXPECT_EQ(spec::print(shrunk.run.program), "vmcheck 1\nprofile cow lazy\np0 fork p1\n");
}

TEST(Shrinker, KeepsTheSignature) {
    for (PlantedDefect const defect : {PlantedDefect::freed_while_shared, PlantedDefect::root_leaked})
        EXPECT_LE(shrink_first_failure(defect, 1).run.program.steps.size(), 5U);
}

// Of two steps that overlap the first is blamed for what memory shows after both; it did nothing here.
TEST(Shrinker, GivesUpAnOverlapThatIsNotNeededAndNamesTheStepThatGoesWrong) {
    run::Twin const target(kCowLazy, PlantedDefect::root_leaked);
    auto pool = *run::MachinePool::start(target, 1);
    auto const look = run::first_look(pool.first(), target.setting());
    run::Counts counts;
    run::Run failing = run::run_program(
        pool.first(), look.reference, program("p0 fork p1\np1 exit 0\np0 fork p2\np2 load data 8\np0 wait meanwhile\n"),
        {.close = false}, counts);
    ASSERT_TRUE(failing.divergence.has_value());
    ASSERT_EQ(run::to_string(failing.divergence->signature), "I6 load");
    Shrunk const shrunk = shrink(pool, look.reference, std::move(failing), {}, {});
    EXPECT_EQ(run::to_string(shrunk.run.divergence->signature), "I6 wait");
    for (spec::Step const& step : shrunk.run.program.steps) EXPECT_FALSE(step.faults.meanwhile);
}

TEST(Shrinker, TriesTwoOverlappingStepsInTheOtherOrder) {
    run::Twin const target(kCowLazy, PlantedDefect::wait_forgets);
    auto pool = *run::MachinePool::start(target, 1);
    auto const look = run::first_look(pool.first(), target.setting());
    run::Counts counts;
    run::Run failing =
        run::run_program(pool.first(), look.reference, program("p0 fork p1\np0 wait rodata\np1 exit 0 meanwhile\n"),
                         {.close = false}, counts);
    ASSERT_TRUE(failing.divergence.has_value());
    Shrunk const shrunk = shrink(pool, look.reference, std::move(failing), {}, {});
    EXPECT_EQ(spec::print(shrunk.run.program), spec::print(program("p0 fork p1\np1 exit 0\np0 wait rodata\n")));
}

TEST(Shrinker, GivesTheSameOnOneAndOnThreeWorkers) {
    Shrunk const one = shrink_first_failure(PlantedDefect::stale_cow_copy, 1);
    Shrunk const three = shrink_first_failure(PlantedDefect::stale_cow_copy, 3);
    EXPECT_EQ(one.run.program, three.run.program);
    EXPECT_EQ(one.executions, three.executions);
}

TEST(Shrinker, StopsAtItsBudgetWithWhatItHas) {
    Shrunk const shrunk = shrink_first_failure(PlantedDefect::freed_while_shared, 1, {.executions = 2});
    EXPECT_TRUE(shrunk.exhausted);
    EXPECT_TRUE(shrunk.run.divergence.has_value());
}

TEST(Candidates, KeepTheMemoryThatTheProgramStartsWithAndTryWithout) {
    spec::Program little = program("p0 fork p1\np1 store data 8 = 1\n");
    little.memory = 20;
    for (spec::Program const& each : all_of(without_chunks(little))) EXPECT_EQ(each.memory, 20U);
    EXPECT_EQ(renumbered(little), little);
    spec::Program plain = little;
    plain.memory.reset();
    EXPECT_EQ(all_of(with_simpler_arguments(little)).front(), plain);
}

TEST(Candidates, AProcessGoesWithAllItsDescendants) {
    auto const all =
        all_of(without_subtrees(program("p0 fork p1\np1 fork p2\np2 store data 8 = 1\np0 load data 8\np0 kill p2\n")));
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0], program("p0 load data 8\n"));
    EXPECT_EQ(all[1], program("p0 fork p1\np0 load data 8\n"));
}

TEST(Candidates, AChildsStepsAreGivenToItsParentOrToP0) {
    auto const all = all_of(with_children_merged(
        program("p0 fork p1\np1 fork p2\np2 sbrk +1p\np2 exit 0\np1 wait\np1 kill p2\np1 store data 8 = 1\n")));
    EXPECT_THAT(all, ::testing::Contains(program("p0 fork p2\np2 sbrk +1p\np2 exit 0\np0 wait\np0 kill p2\n"
                                                 "p0 store data 8 = 1\n")));
    EXPECT_THAT(all, ::testing::Contains(program("p0 fork p1\np1 sbrk +1p\np1 store data 8 = 1\n")));
    EXPECT_THAT(all, ::testing::Contains(program("p0 fork p1\np1 sbrk +1p\np1 wait\np1 store data 8 = 1\n")));
    EXPECT_THAT(all, ::testing::Contains(program("p0 fork p1\np0 sbrk +1p\np1 store data 8 = 1\n")));
}

TEST(Candidates, AnAmountComesDownToTheLeastThatWillDo) {
    // As if 600 pages were needed, no less.
    constexpr std::int64_t kNeeded = std::int64_t{600} * 4096;
    std::int64_t amount = (std::int64_t{1} << 20) * 4096 + 7;
    int steps = 0;
    for (bool progress = true; progress; ++steps) {
        progress = false;
        for (spec::Program const& candidate :
             all_of(with_simpler_arguments({{}, {{spec::kInit, spec::Sbrk{amount}}}})))  // one step
            if (auto const bytes = std::get<spec::Sbrk>(candidate.steps.at(0).action).bytes;
                bytes >= kNeeded && bytes < amount) {
                amount = bytes;
                progress = true;
                break;
            }
    }
    EXPECT_EQ(amount, kNeeded);
    EXPECT_LT(steps, 40) << "each of them costs runs in which a kernel maps all those pages";
}

TEST(Candidates, AnAmountIsRoundedToPages) {
    EXPECT_THAT(all_of(with_simpler_arguments(program("p0 sbrk 5000\n"))),
                ::testing::IsSupersetOf({program("p0 sbrk +1p\n"), program("p0 sbrk +2p\n")}));
    EXPECT_THAT(all_of(with_simpler_arguments(program("p0 sbrk -5000\n"))),
                ::testing::Contains(program("p0 sbrk -2p\n")));
}

TEST(Candidates, AWildAccessThatOnlyEndsAProcessBecomesAnExit) {
    EXPECT_THAT(all_of(with_simpler_arguments(program("p0 fork p1\np1 load 0xfffffffffffffff8 8\np0 wait\n"))),
                ::testing::Contains(program("p0 fork p1\np1 exit 0\np0 wait\n")));
    EXPECT_THAT(all_of(with_simpler_arguments(program("p0 fork p1\np1 store guard 8 = 1\np1 load data 8\n"))),
                ::testing::Not(::testing::Contains(program("p0 fork p1\np1 exit 0\np1 load data 8\n"))));
    EXPECT_THAT(all_of(with_simpler_arguments(program("p0 fork p1\np1 load maxva 8\n"))),
                ::testing::Not(::testing::Contains(program("p0 fork p1\np1 exit 0\n"))));
}

TEST(Candidates, AStackPointerOutOfReachComesToTheHeap) {
    EXPECT_THAT(all_of(with_simpler_arguments(program("p0 sp maxva\n"))),
                ::testing::Contains(program("p0 sp heap+1p\n")));
}

TEST(Candidates, ChunksLeaveTheFailingStepAlone) {
    spec::Program const whole = program("p0 sbrk +1p\np0 sbrk +2p\np0 sbrk +3p\np0 load data 8\n");
    for (spec::Program const& candidate : all_of(without_chunks(whole))) {
        EXPECT_LT(candidate.steps.size(), whole.steps.size());
        EXPECT_EQ(candidate.steps.back(), whole.steps.back());
    }
}

TEST(Candidates, AnotherAllocationFailsWithAStepLess) {
    auto const all = all_of(with_earlier_failing_allocations(program("p0 sbrk +1p\np0 fork p1\np1 fork p2 !oom 2\n")));
    EXPECT_THAT(all, ::testing::Contains(program("p0 fork p2 !oom 1\n")));
    EXPECT_THAT(all, ::testing::Contains(program("p0 fork p1\np1 fork p2 !oom 2\n")));
    EXPECT_THAT(all, ::testing::Contains(program("p0 sbrk +1p\np0 fork p1\np1 fork p2 !oom 1\n")));
    EXPECT_TRUE(all_of(with_earlier_failing_allocations(program("p0 fork p1\n"))).empty());
}

TEST(Candidates, ASwitchOfHartsComesSoonerOrNotAtAll) {
    auto const all = all_of(with_simpler_arguments(program("p0 fork p1\np0 exec @h 40\np1 exec @h 1 meanwhile\n")));
    EXPECT_THAT(all, ::testing::IsSupersetOf({program("p0 fork p1\np0 exec\np1 exec @h 1 meanwhile\n"),
                                              program("p0 fork p1\np0 exec @h 1\np1 exec @h 1 meanwhile\n"),
                                              program("p0 fork p1\np0 exec @h 39\np1 exec @h 1 meanwhile\n"),
                                              program("p0 fork p1\np0 exec @h 40\np1 exec meanwhile\n"),
                                              program("p0 fork p1\np0 exec @h 40\np1 exec @h 1\n")}));
}

TEST(Candidates, OneSwitchOfHartsDoesForTwo) {
    auto const all = all_of(with_one_switch_for_two(program("p0 fork p1\np0 exec @h 40\np1 exec @h 1 meanwhile\n")));
    EXPECT_EQ(all.size(), 256U);
    EXPECT_THAT(all, ::testing::IsSupersetOf({program("p0 fork p1\np0 exec @h 1\np1 exec meanwhile\n"),
                                              program("p0 fork p1\np0 exec @h 256\np1 exec meanwhile\n")}));
    EXPECT_TRUE(all_of(with_one_switch_for_two(program("p0 fork p1\np0 exec @h 40\np1 exec meanwhile\n"))).empty());
}

TEST(Candidates, RenamingFollowsTheForks) {
    EXPECT_EQ(renumbered(program("p0 fork p7\np7 fork p3\np0 kill p3\n")),
              program("p0 fork p1\np1 fork p2\np0 kill p2\n"));
}

TEST(Candidates, SimplerArgumentsNeverComeBackToTheSameProgram) {
    spec::Program const whole = program("p0 sbrk +3p\np0 store heap+0x1010 4 = 300\np0 file_read heap+7 100 !oom 2\n");
    for (spec::Program const& candidate : all_of(with_simpler_arguments(whole)))
        EXPECT_NE(candidate, whole) << spec::print(candidate);
}

TEST(Candidates, TheEndGoesWhereItIsNotNeeded) {
    EXPECT_THAT(all_of(prefixes(program("p0 sbrk +1p\np0 sbrk +2p\np0 sbrk +3p\np0 exec\n"))),
                ::testing::ElementsAre(program("p0 sbrk +1p\np0 sbrk +2p\n"),
                                       program("p0 sbrk +1p\np0 sbrk +2p\np0 sbrk +3p\n")));
    EXPECT_TRUE(all_of(prefixes(program("p0 exec\n"))).empty());
}

}  // namespace
}  // namespace vmcheck::shrink
