#include "checker/run/campaign.h"

#include "checker/run/twin_testing.h"
#include "spec/text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace vmcheck::run {
namespace {

using spec::testing::PlantedDefect;

TEST(Campaign, FindsNothingOnAKernelThatIsRightInAnyProfile) {
    for (spec::Profile profile : spec::testing::kAllProfiles) {
        Bench bench(profile);
        EXPECT_TRUE(bench.look.violations.empty());
        CampaignResult const result = bench.run({.programs = 500});
        EXPECT_EQ(result.counts.programs, 500U);
        ASSERT_TRUE(result.failures.empty()) << spec::print(result.failures.front().run.program)
                                             << to_string(result.failures.front().run.divergence->signature);
    }
}

TEST(Campaign, EvaluatesEveryInvariantAndAsksEveryKindOfStep) {
    Bench bench(kCowLazy);
    CampaignResult const result = bench.run({.programs = 500});
    for (std::size_t i = 1; i <= spec::kInvariants; ++i) EXPECT_GT(result.counts.checks.evaluated[i], 0U) << i;
    for (std::size_t kind = 0; kind < spec::kActionKinds; ++kind)
        EXPECT_GT(result.counts.kinds[kind], 0U) << spec::kind_name(kind);
}

TEST(Campaign, AnEmulatorThatFailsIsNoFindingAndEndsTheCampaign) {
    Bench bench(kCowLazy);
    dynamic_cast<TwinExecution&>(bench.pool.first()).engine_fails_after = 1000;
    CampaignResult const result = bench.run({.programs = 5000});
    EXPECT_TRUE(result.failures.empty());
    EXPECT_EQ(result.engine_failure, "Unicorn failed.");
    EXPECT_LT(result.counts.programs, 5000U);
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
    EXPECT_EQ(a.counts.steps, b.counts.steps);
    for (std::size_t i = 0; i < a.failures.size(); ++i) {
        EXPECT_EQ(a.failures[i].index, b.failures[i].index);
        EXPECT_EQ(a.failures[i].seen, b.failures[i].seen);
        EXPECT_EQ(a.failures[i].run.program, b.failures[i].run.program);
    }
}

TEST(Campaign, OfAKernelThatFailsEarlyIsAsLongAsOfAnyOther) {
    Bench bench(kCowLazy, PlantedDefect::parent_keeps_write);
    EXPECT_EQ(bench.run({.programs = 1'000, .batch = {.plain = 64}}).counts.programs, 1'000U);
}

TEST(Campaign, EndsWithTheBatchThatFoundAsManyAsAreWanted) {
    Bench bench(kCowLazy, PlantedDefect::parent_keeps_write);
    EXPECT_EQ(bench.run({.programs = 10'000, .batch = {.plain = 64}, .families_max = 1}).counts.programs, 64U);
}

TEST(Campaign, SteersAroundWhatIsKnownAndSaysSo) {
    Bench bench(kCowLazy, PlantedDefect::wild_store_survives);
    CampaignResult const result = bench.run({.programs = 600, .batch = {.plain = 64}});
    ASSERT_FALSE(result.failures.empty());
    ASSERT_FALSE(result.counts.steered.empty());
    for (auto const& [trigger, steps] : result.counts.steered) {
        EXPECT_EQ(trigger.way, spec::Way::fault);
        EXPECT_FALSE(trigger.met.grounds.empty());
        EXPECT_GT(steps, 20U);
    }
    EXPECT_LT(result.failures.front().seen, 200U) << "most programs get past it";
}

// A campaign whose batches are told of one by one runs them so, and others run several at a time.
class BatchesRunTogether : public ::testing::Test {
  protected:
    static constexpr std::uint64_t kPrograms = 640;

    void run(PlantedDefect defect, bool together, std::uint64_t stop_at = kPrograms + 1) {
        Bench bench(kCowLazy, defect);
        // The first batch is clean, and what fails in the second is to be avoided in the third.
        dynamic_cast<TwinExecution&>(bench.pool.first()).defect_after = 80;
        Division division;
        if (!together) division.batch_done = [] {};
        Batch const plain{.plain = 64, .sweep = 0, .pressure = 0, .preempt = 0, .harts = 0, .batches_to_limits = 0};
        std::stop_source stop;
        told.clear();
        auto const report = [&](Progress const& progress) {
            told.push_back(progress.counts.programs);
            if (progress.counts.programs >= stop_at) stop.request_stop();
        };
        result = run_campaign(bench.pool, bench.look.reference, 1, {.programs = kPrograms, .batch = plain},
                              stop.get_token(), report, {}, {}, division);
    }

    CampaignResult result;
    std::vector<std::uint64_t> told;  // programs, as progress was told
};

TEST_F(BatchesRunTogether, ComeToTheSame) {
    for (PlantedDefect const defect : {PlantedDefect::none, PlantedDefect::wild_store_survives}) {
        run(defect, false);
        CampaignResult const alone = std::move(result);
        run(defect, true);
        EXPECT_EQ(result.counts.programs, kPrograms);
        EXPECT_EQ(result.counts.steps, alone.counts.steps);
        EXPECT_EQ(result.counts.checks.evaluated, alone.counts.checks.evaluated);
        EXPECT_EQ(result.counts.steered, alone.counts.steered);
        EXPECT_EQ(result.counts.steered.empty(), defect == PlantedDefect::none);
        EXPECT_TRUE(std::ranges::is_sorted(told)) << "progress does not go back";
        EXPECT_EQ(told.back(), kPrograms);
        ASSERT_EQ(result.failures.size(), alone.failures.size());
        for (std::size_t i = 0; i < result.failures.size(); ++i) {
            EXPECT_EQ(result.failures[i].index, alone.failures[i].index);
            EXPECT_EQ(result.failures[i].seen, alone.failures[i].seen);
            EXPECT_EQ(result.failures[i].run.program, alone.failures[i].run.program);
        }
    }
}

// What was to be run again, now that something is to be avoided, has been run.
TEST_F(BatchesRunTogether, LoseNothingToAnEnd) {
    for (std::uint64_t const programs : {128U, 192U, 320U, 384U}) {
        run(PlantedDefect::wild_store_survives, true, programs);
        EXPECT_TRUE(result.interrupted);
        EXPECT_GE(result.counts.programs, programs);
        EXPECT_FALSE(result.failures.empty());
    }
}

TEST(Campaign, GoesOnLookingForOtherFailures) {
    Bench bench(kCowLazy, PlantedDefect::parent_keeps_write);
    CampaignResult const result = bench.run({.programs = 300, .batch = {.plain = 64}, .families_max = 50});
    EXPECT_EQ(result.counts.programs, 300U);
    EXPECT_GT(result.failures.front().seen, 1U);
}

TEST(Campaign, IsStoppedBetweenTwoBatchesAndSaysSo) {
    Bench bench(kCowLazy);
    std::stop_source stop;
    stop.request_stop();
    CampaignResult const result = bench.run({.programs = 10'000}, 1, stop.get_token());
    EXPECT_TRUE(result.interrupted);
    EXPECT_EQ(result.counts.programs, 0U);
}

TEST(Campaign, EndsWithinABatchWhenItsTimeIsUp) {
    Bench bench(kCowLazy);
    constexpr std::uint64_t kLong = 20'000;
    CampaignResult const result =
        bench.run({.programs = kLong, .batch = {.plain = kLong, .sweep = 0}, .time = std::chrono::milliseconds{200}});
    EXPECT_FALSE(result.interrupted);
    EXPECT_GT(result.counts.programs, 0U);
    EXPECT_LT(result.counts.programs, kLong);
}

// What a campaign keeps, the next begins with.
TEST(Campaign, KeepsWhatIsNewAndGoesOnFromThere) {
    struct Kept {
        Corpus corpus{};
        std::size_t failed = 0, fresh = 0, ran = 0;
    };
    auto const night = [](std::vector<Corpus::Entry> first, std::uint64_t seed) {
        Bench bench(kCowLazy, PlantedDefect::parent_keeps_write);
        Kept kept;
        std::vector<Corpus::Entry> news;
        kept.corpus = {std::move(first),
                       [&](std::size_t, bool failed, bool fresh) {
                           ++kept.ran;
                           kept.failed += failed ? 1 : 0;
                           kept.fresh += fresh ? 1 : 0;
                       },
                       {},
                       [&](Mode mode, spec::Program const& program) {
                           news.push_back({mode, program});
                       }};
        CampaignResult const result = run_campaign(
            bench.pool, bench.look.reference, seed, {.programs = 256, .batch = {.plain = 128}}, {},
            [](Progress const&) {}, {}, kept.corpus);
        EXPECT_EQ(result.counts.programs, 256U) << "what it begins with is not counted";
        EXPECT_FALSE(result.failures.empty());
        kept.corpus.first = std::move(news);
        return kept;
    };
    Kept const first = night({}, 1);
    EXPECT_EQ(first.ran, 0U);
    ASSERT_GT(first.corpus.first.size(), 1U);
    EXPECT_LT(first.corpus.first.size(), 60U) << "all else reached nothing new, and failed in no new way";
    auto again = first.corpus.first;
    again.push_back({Mode::plain, {}});
    again.back().program.profile = {spec::ForkPolicy::eager, spec::SbrkPolicy::eager};
    Kept const second = night(again, 1);
    EXPECT_EQ(second.ran, again.size() - 1) << "the last is of another profile";
    EXPECT_GT(second.failed, 0U);
    EXPECT_GT(second.fresh, 0U);
    EXPECT_TRUE(second.corpus.first.empty()) << "the same programs bring nothing new";
}

TEST(Campaign, BeginsWithWhatItIsGivenForHalfOfItsTimeAndSaysWhatItHasLeftOut) {
    Bench bench(kCowLazy);
    std::vector<Corpus::Entry> many(20'000);
    for (Corpus::Entry& each : many) {
        each.mode = Mode::sweep;
        each.program.profile = kCowLazy;
        for (std::uint32_t child = 1; child < 4; ++child)
            each.program.steps.push_back({spec::kInit, spec::Fork{spec::ProcId{child}}});
    }
    std::size_t ran = 0, left_out = 0, last = 0;
    Corpus const corpus{many,
                        [&](std::size_t index, bool, bool) {
                            ++ran;
                            last = index;
                        },
                        [&](std::size_t) { ++left_out; },
                        {}};
    CampaignResult const result = run_campaign(
        bench.pool, bench.look.reference, 1, {.programs = 1'000'000, .time = std::chrono::milliseconds{400}}, {},
        [](Progress const&) {}, {}, corpus);
    EXPECT_GT(ran, 0U);
    EXPECT_LT(ran, many.size());
    EXPECT_EQ(ran + left_out, many.size());
    EXPECT_EQ(last, ran - 1) << "in their order";
    EXPECT_GT(result.counts.programs, 0U) << "and there is time for new ones";
}

// Which cases each of them has run to an end without a failure, by mode and index.
TEST(Campaign, ShardsRunEveryCaseOnceAndByThemselvesToTheEnd) {
    using Cases = std::multiset<std::pair<Mode, std::uint64_t>>;
    std::uint64_t failing = 0;
    auto const run = [&](std::optional<Shard> shard, PlantedDefect defect, Cases& cases) {
        Bench bench(kCowLazy, defect);
        Division division{.shard = shard, .alone = true};
        division.clean = [&](Mode mode, std::uint64_t index, CaseRecord const&) { cases.emplace(mode, index); };
        CampaignResult const result = run_campaign(
            bench.pool, bench.look.reference, 1, {.programs = 300, .batch = {.plain = 64}}, {}, [](Progress const&) {},
            {}, {}, division);
        if (!result.failures.empty()) ++failing;
        return result.counts.programs;
    };
    constexpr unsigned kShards = 3;
    Cases whole, shards;
    std::uint64_t const programs = run(std::nullopt, PlantedDefect::none, whole);
    std::uint64_t divided = 0;
    for (unsigned number = 1; number <= kShards; ++number)
        divided += run(Shard{number, kShards}, PlantedDefect::none, shards);
    EXPECT_EQ(divided, programs);
    EXPECT_EQ(shards, whole) << "all, and none twice";
    EXPECT_EQ(failing, 0U);

    divided = 0;
    for (unsigned number = 1; number <= kShards; ++number)
        divided += run(Shard{number, kShards}, PlantedDefect::parent_keeps_write, shards);
    EXPECT_EQ(divided, programs) << "though much is to be avoided soon";
    EXPECT_EQ(failing, kShards);
}

TEST(Campaign, MakesNoMachineWhileTheFirstProgramGoesToALimit) {
    Bench bench(kCowLazy, PlantedDefect::none, 2);
    std::atomic<bool> at_limit = false;
    std::atomic<int> limits = 0, beside = 0, others = 0;
    Division division;
    division.known = [&](Mode mode, std::uint64_t) -> CaseRecord const* {
        if (mode == Mode::limits) {
            at_limit = true;
            std::this_thread::sleep_for(std::chrono::milliseconds{500});
            at_limit = false;
            ++limits;
        } else if (mode == Mode::pressure || mode == Mode::harts) {
            ++others;
            if (at_limit) ++beside;
        }
        return nullptr;
    };
    run_campaign(
        bench.pool, bench.look.reference, 1, {.programs = 32, .batch = {.plain = 32, .sweep = 0, .preempt = 0}}, {},
        [](Progress const&) {}, {}, {}, division);
    EXPECT_EQ(limits, 1);
    EXPECT_EQ(others, 48);
    EXPECT_EQ(beside, 0);
}

// A short night on a slow machine ends within its first batch.
TEST(Campaign, HasRunSomePlainProgramsBeforeWhatTakesLong) {
    Bench bench(kCowLazy);
    std::vector<Mode> begun;
    Division division;
    division.known = [&](Mode mode, std::uint64_t) -> CaseRecord const* {
        begun.push_back(mode);
        return nullptr;
    };
    run_campaign(
        bench.pool, bench.look.reference, 1, {.programs = 64, .batch = {.plain = 64}}, {}, [](Progress const&) {}, {},
        {}, division);
    auto const first = std::ranges::find_if(begun, [](Mode mode) { return mode != Mode::plain; });
    ASSERT_NE(first, begun.end());
    EXPECT_GE(first - begun.begin(), 16);
    EXPECT_EQ(*first, Mode::limits);
    EXPECT_EQ(std::ranges::count(begun, Mode::plain), 64);
}

TEST(Campaign, ModesCanBeSwitchedOff) {
    Bench bench(kCowLazy);
    CampaignResult const result = bench.run({.programs = 128, .batch = {.plain = 64, .sweep = 0, .pressure = 0}});
    EXPECT_EQ(result.counts.of(Mode::plain).programs, 128U);
    EXPECT_EQ(result.counts.of(Mode::sweep).programs + result.counts.of(Mode::pressure).programs, 0U);
}

}  // namespace
}  // namespace vmcheck::run
