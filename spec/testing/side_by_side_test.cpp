// The model against the concrete machine: silent beside a correct one, whatever its manners, and never beside a
// defective one.

#include "spec/testing/side_by_side.h"

#include "spec/testing/judging.h"
#include "spec/testing/random_program.h"
#include "spec/testing/test_setting.h"
#include "spec/text.h"

#include <gtest/gtest.h>

#include <map>

namespace vmcheck::spec::testing {
namespace {

constexpr int kStepsPerProgram = 40;

struct Failure {
    Violation violation;
    Program program;
};

std::string words(Failure const& failure) {
    return print(failure.program) + "=> " + std::string{short_name(failure.violation.invariant)} + ", facts of kind " +
           std::to_string(failure.violation.facts.index());
}

std::optional<Failure> run_random_program(std::shared_ptr<Setting const> const& setting, PlantedDefect defect,
                                          Manners manners, std::uint64_t seed, StepTaste taste,
                                          CheckCounts* counts = nullptr) {
    std::mt19937_64 random{seed};
    SideBySide both{setting, defect, manners};
    Program program{setting->profile, {}, {}};
    for (int i = 0; i < kStepsPerProgram && !both.world().over(); ++i) {
        program.steps.push_back(random_step(both.world(), random, taste));
        if (auto violation = both.perform(program.steps.back())) return Failure{*violation, program};
    }
    if (counts)
        for (std::size_t i = 0; i <= kInvariants; ++i) {
            counts->evaluated[i] += both.counts().evaluated[i];
            counts->skipped[i] += both.counts().skipped[i];
        }
    return std::nullopt;
}

Manners manners_from(std::uint64_t bits) {
    return Manners{.zombies_keep_memory = (bits & 1) == 0,
                   .failed_copies_return_minus_1 = (bits & 2) != 0,
                   .out_of_memory_kills_in_copies = (bits & 4) != 0,
                   .break_counts_in_pages = (bits & 8) != 0,
                   .sbrk_takes_64_bits = (bits & 16) != 0,
                   .sbrk_keeps_image = (bits & 32) != 0,
                   .sole_owner_copies = (bits & 64) != 0,
                   .wait_takes_newest = (bits & 128) != 0,
                   .buffers_are_made_ready = (bits & 64) != 0,
                   .stores_end_at_the_break = (bits & 256) != 0,
                   .copies_end_at_the_break = (bits & 128) != 0};
}

class CorrectMachine : public ::testing::TestWithParam<std::size_t> {
  protected:
    Profile profile() const { return kAllProfiles[GetParam()]; }
};

TEST_P(CorrectMachine, IsNeverAccusedWhateverItsManners) {
    CheckCounts counts;
    auto const setting = shared_setting(profile());
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
        auto const failure =
            run_random_program(setting, PlantedDefect::none, manners_from(seed), seed, StepTaste{}, &counts);
        ASSERT_FALSE(failure) << "seed " << seed << "\n" << words(*failure);
    }
    for (std::size_t i : {1u, 2u, 3u, 4u, 5u, 6u, 8u}) {
        EXPECT_GT(counts.evaluated[i], 0u) << "I" << i;
        EXPECT_EQ(counts.skipped[i], 0u) << "I" << i;
    }
}

TEST_P(CorrectMachine, IsNeverAccusedWhenAllocationsAreMadeToFail) {
    auto const setting = shared_setting(profile());
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
        auto const failure =
            run_random_program(setting, PlantedDefect::none, manners_from(seed * 7), seed, StepTaste{3});
        ASSERT_FALSE(failure) << "seed " << seed << "\n" << words(*failure);
    }
}

TEST_P(CorrectMachine, IsNeverAccusedWhenMemoryIsNearlyFull) {
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
        auto const setting = shared_setting(profile(), 16 + seed % 24);
        auto const failure =
            run_random_program(setting, PlantedDefect::none, manners_from(seed * 7), seed, StepTaste{});
        ASSERT_FALSE(failure) << "seed " << seed << "\n" << words(*failure);
    }
}

TEST_P(CorrectMachine, IsNeverAccusedWhenSbrkTakesAMode) {
    Setting chosen = small_setting(profile());
    chosen.traits.sbrk_takes_mode = true;
    auto const setting = std::make_shared<Setting const>(chosen);
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        auto const failure =
            run_random_program(setting, PlantedDefect::none, manners_from(seed * 7), seed, StepTaste{10});
        ASSERT_FALSE(failure) << "seed " << seed << "\n" << words(*failure);
    }
}

TEST_P(CorrectMachine, IsNeverAccusedOfThePageBelowTheTrapframe) {
    auto const setting = std::make_shared<Setting const>(with_usyscall(small_setting(profile())));
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        auto const failure =
            run_random_program(setting, PlantedDefect::none, manners_from(seed * 7), seed, StepTaste{10});
        ASSERT_FALSE(failure) << "seed " << seed << "\n" << words(*failure);
    }
}

INSTANTIATE_TEST_SUITE_P(InEveryProfile, CorrectMachine, ::testing::Range(std::size_t{0}, kAllProfiles.size()),
                         [](auto const& instance) {
                             std::string name = print(kAllProfiles[instance.param]);
                             name.replace(name.find('+'), 1, "_");
                             return name;
                         });

// Steps of p1, whose heap ends after one byte of a page that it shares with p0.
std::optional<Violation> first_violation(PlantedDefect defect, Manners manners, std::vector<Action> const& actions) {
    SideBySide both{shared_setting(Profile{ForkPolicy::cow, SbrkPolicy::lazy}), defect, manners};
    std::vector<Step> steps{by(0, Sbrk{1}), by(0, Store{heap(), 1, 7}), by(0, Fork{ProcId{1}})};
    for (Action const& action : actions) steps.push_back(by(1, action));
    for (Step const& step : steps) {
        EXPECT_FALSE(why_not(both.world(), step));
        if (auto violation = both.perform(step)) return violation;
    }
    return std::nullopt;
}

TEST(AboveTheBreakOnItsPage, AccessesAreServedOrRefusedAlsoWhereThePageIsShared) {
    for (bool refuses : {false, true}) {
        Manners const manners{.stores_end_at_the_break = refuses, .copies_end_at_the_break = refuses};
        EXPECT_FALSE(first_violation(PlantedDefect::none, manners, {FileRead{heap(0xff8), 8}, Fstat{heap(0x10)}}));
        EXPECT_FALSE(first_violation(PlantedDefect::none, manners, {PipeWrite{heap(0xff8), 8}, Open{heap(1)}}));
        EXPECT_FALSE(first_violation(PlantedDefect::none, manners, {Load{heap(0xff8), 8}, Store{heap(0xff8), 8, 1}}));
    }
}

TEST(AboveTheBreakOnItsPage, NoAccessReachesAnotherProcess) {
    auto const violation =
        first_violation(PlantedDefect::copyout_shares_above_break, Manners{}, {FileRead{heap(0xff8), 8}});
    ASSERT_TRUE(violation);
    EXPECT_EQ(violation->invariant, Invariant::contents);
    EXPECT_EQ(violation->process, kInit);
}

TEST(AboveTheBreakOnItsPage, P0IsNotAskedForWhatMayKillIt) {
    SideBySide both{shared_setting(Profile{ForkPolicy::cow, SbrkPolicy::lazy})};
    both.perform(by(0, Sbrk{1}));
    both.perform(by(0, Store{heap(), 1, 7}));
    EXPECT_TRUE(why_not(both.world(), by(0, Store{heap(0xff8), 8, 1})));
    EXPECT_FALSE(why_not(both.world(), by(0, Load{heap(0xff8), 8})));
}

struct Expectation {
    PlantedDefect defect;
    Invariant invariant;
    bool needs_failing_allocations = false;
};

class DefectiveMachine : public ::testing::TestWithParam<Expectation> {};

TEST_P(DefectiveMachine, IsFoundByRandomPrograms) {
    auto const [defect, expected, needs_failures] = GetParam();
    auto const setting = shared_setting(Profile{ForkPolicy::cow, SbrkPolicy::lazy});
    std::map<Invariant, int> found;
    int programs = 0;
    for (std::uint64_t seed = 0; seed < 400; ++seed) {
        auto const failure = run_random_program(setting, defect, Manners{}, seed, StepTaste{needs_failures ? 3u : 0u});
        ++programs;
        if (failure) ++found[failure->violation.invariant];
    }
    EXPECT_GT(found[expected], programs / 50) << "of " << programs;
    for (auto const& [invariant, times] : found) {
        if (invariant != expected) {
            EXPECT_LT(times, found[expected]) << short_name(invariant);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(
    OfEveryKind, DefectiveMachine,
    ::testing::Values(Expectation{PlantedDefect::stale_cow_copy, Invariant::contents},
                      Expectation{PlantedDefect::uncleared_page, Invariant::contents},
                      Expectation{PlantedDefect::text_becomes_writable, Invariant::results},
                      Expectation{PlantedDefect::heap_becomes_executable, Invariant::rights},
                      Expectation{PlantedDefect::guard_opened, Invariant::rights},
                      Expectation{PlantedDefect::parent_keeps_write, Invariant::isolation},
                      Expectation{PlantedDefect::count_not_raised, Invariant::counts},
                      Expectation{PlantedDefect::freed_while_shared, Invariant::dangling},
                      Expectation{PlantedDefect::trapframe_freed_twice, Invariant::dangling},
                      Expectation{PlantedDefect::root_leaked, Invariant::conservation},
                      Expectation{PlantedDefect::failed_fork_leaks, Invariant::conservation, true},
                      Expectation{PlantedDefect::wrong_exit_status, Invariant::contents},
                      Expectation{PlantedDefect::wild_store_survives, Invariant::results},
                      Expectation{PlantedDefect::break_off_by_one, Invariant::results},
                      Expectation{PlantedDefect::copyout_ignores_rights, Invariant::results},
                      Expectation{PlantedDefect::copyin_refuses_reserved, Invariant::results},
                      Expectation{PlantedDefect::kill_spares, Invariant::results},
                      Expectation{PlantedDefect::fork_copies, Invariant::laziness},
                      Expectation{PlantedDefect::sbrk_maps_at_once, Invariant::laziness},
                      Expectation{PlantedDefect::panic_on_wild_store, Invariant::liveness},
                      Expectation{PlantedDefect::wait_sleeps, Invariant::liveness},
                      Expectation{PlantedDefect::wait_forgets, Invariant::results},
                      Expectation{PlantedDefect::panic_on_failed_allocation, Invariant::containment, true},
                      Expectation{PlantedDefect::failed_fork_kills, Invariant::containment, true},
                      Expectation{PlantedDefect::survives_failed_allocation, Invariant::contents, true}));

}  // namespace
}  // namespace vmcheck::spec::testing
