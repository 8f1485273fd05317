#include "checker/generate/generator.h"

#include "checker/generate/arguments.h"
#include "checker/shrink/candidates.h"
#include "spec/testing/test_setting.h"
#include "spec/text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

namespace vmcheck::generate {
namespace {

constexpr spec::Profile kCowLazy{spec::ForkPolicy::cow, spec::SbrkPolicy::lazy};

class GeneratorTest : public testing::Test {
  protected:
    std::shared_ptr<spec::Setting const> setting = spec::testing::shared_setting(kCowLazy);
    rc::Gen<spec::Program> generator = programs(setting, {});
};

TEST_F(GeneratorTest, TheSameCaseIsTheSameProgramOnAnyThread) {
    for (std::uint64_t index = 0; index < 50; ++index) {
        spec::Program here = program_of_case(generator, 7, index), there;
        std::thread([&] { there = program_of_case(generator, 7, index); }).join();
        EXPECT_EQ(here, there);
    }
}

TEST_F(GeneratorTest, SeedsAndCasesGiveDifferentPrograms) {
    std::set<std::string> seen;
    for (std::uint64_t seed = 0; seed < 4; ++seed)
        for (std::uint64_t index = 0; index < 50; ++index)
            seen.insert(spec::print(program_of_case(generator, seed, index)));
    EXPECT_GT(seen.size(), 195U);
}

// In every mode; where an allocation fails, as far as that.
TEST_F(GeneratorTest, EveryStepCanBeAskedOfAKernelThatIsRight) {
    for (GeneratorConfig const& config :
         {GeneratorConfig{}, GeneratorConfig{.allocation_faults = false}, GeneratorConfig{.little_memory = true},
          GeneratorConfig{.processes_max = 3, .overlaps_max = 3, .kills_sleepers = true},
          GeneratorConfig{.steps_max = 6, .allocation_faults = false, .limit = Limit::processes}}) {
        auto const all = programs(setting, config);
        for (std::uint64_t index = 0; index < 200; ++index) {
            spec::Program const program = program_of_case(all, 1, index);
            ASSERT_TRUE(shrink::can_be_asked(setting, program)) << spec::print(program);
        }
    }
}

TEST_F(GeneratorTest, WhatAProgramShrinksToCanBeAskedToo) {
    for (std::uint64_t index = 0; index < 20; ++index) {
        auto const program = generator(rc::Random(index), rc::kNominalSize);
        std::size_t candidates = 0;
        rc::seq::forEach(rc::seq::take(100, program.shrinks()), [&](rc::Shrinkable<spec::Program>&& each) {
            EXPECT_TRUE(shrink::can_be_asked(setting, each.value())) << spec::print(each.value());
            ++candidates;
        });
        EXPECT_GT(candidates, 0U);
    }
}

TEST_F(GeneratorTest, LengthsFollowTheSizeOfAProperty) {
    for (std::uint64_t index = 0; index < 50; ++index) {
        EXPECT_LE(generator(rc::Random(index), 25).value().steps.size(), 5U);
        EXPECT_GE(generator(rc::Random(index), 0).value().steps.size(), 1U);
    }
}

TEST_F(GeneratorTest, ProgramsKeepToTheLimits) {
    for (std::uint64_t index = 0; index < 200; ++index)
        EXPECT_LE(program_of_case(generator, 1, index).steps.size(), 20U);
}

TEST_F(GeneratorTest, ProgramsToALimitReachIt) {
    auto const to_limit = [&](Limit limit) {
        return program_of_case(programs(setting, {.steps_max = 6, .allocation_faults = false, .limit = limit}), 1, 0);
    };
    auto const forks = [](spec::Program const& program) {
        return std::count_if(program.steps.begin(), program.steps.end(),
                             [](spec::Step const& step) { return std::holds_alternative<spec::Fork>(step.action); });
    };
    // p0 has a slot, too; the last fork finds none.
    EXPECT_GE(forks(to_limit(Limit::processes)), setting->traits.processes_max);
    spec::Setting big = *setting;
    big.traits.frames_total = 10'000;
    setting = std::make_shared<spec::Setting const>(big);
    std::int64_t most = 0;
    for (spec::Step const& step : to_limit(Limit::memory).steps)
        if (auto const* touch = std::get_if<spec::Touch>(&step.action))
            most = std::max<std::int64_t>(most, touch->pages);
    EXPECT_GT(most, 9'800);
    EXPECT_LT(most, 10'000);
}

TEST_F(GeneratorTest, SwarmsDiffer) {
    // With every kind in every program, no program of 20 steps would lack a third of the kinds so often.
    std::size_t without_sbrk = 0;
    for (std::uint64_t index = 0; index < 200; ++index) {
        auto const steps = program_of_case(generator, 1, index).steps;
        without_sbrk += std::none_of(steps.begin(), steps.end(), [](spec::Step const& step) {
            return std::holds_alternative<spec::Sbrk>(step.action);
        });
    }
    EXPECT_GT(without_sbrk, 20U);
    EXPECT_LT(without_sbrk, 180U);
}

// Whether the program has a system call of a process other than p0 store, as the first access of all, into the last
// page of a heap larger than a last-level table, with an allocation failing.
bool first_touch_fails(spec::Program const& program) {
    bool grown = false;
    for (spec::Step const& step : program.steps) {
        if (auto const* sbrk = std::get_if<spec::Sbrk>(&step.action)) grown = sbrk->bytes > 512 * kPage;
        auto const* fstat = std::get_if<spec::Fstat>(&step.action);
        if (grown && fstat && fstat->to.anchor == spec::Anchor::brk && step.faults.oom && step.actor != spec::kInit)
            return true;
    }
    return false;
}

TEST_F(GeneratorTest, SomeCallsFailAtTheFirstTouchOfASparseHeap) {
    std::size_t fail = 0;
    for (std::uint64_t index = 0; index < 3000; ++index)
        fail += first_touch_fails(program_of_case(generator, 1, index)) ? 1U : 0U;
    EXPECT_GE(fail, 3U);
}

}  // namespace
}  // namespace vmcheck::generate
