#include "checker/generate/mutate.h"

#include "checker/generate/generator.h"
#include "checker/shrink/candidates.h"
#include "spec/testing/test_setting.h"
#include "spec/text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace vmcheck::generate {
namespace {

class MutateTest : public testing::Test {
  protected:
    std::shared_ptr<spec::Setting const> setting =
        spec::testing::shared_setting({spec::ForkPolicy::cow, spec::SbrkPolicy::lazy});
    rc::Gen<spec::Program> generator = programs(setting, {});
};

// In many generations, so that one change meets another.
TEST_F(MutateTest, WhatComesOutCanBeAskedHasAllThatAProgramCanHaveAndIsTheSameAgain) {
    std::set<std::size_t> kinds;
    bool oom = false, preempt = false, switches = false, memory = false, harts = false, grew = false;
    spec::Program program{setting->profile, {}};
    for (std::uint64_t seed = 0; seed < 1'500; ++seed) {
        spec::Program const next = seed % 8 == 7 ? spliced(program, program_of_case(generator, 3, seed), setting, seed)
                                                 : mutated(program, setting, seed);
        ASSERT_TRUE(shrink::can_be_asked(setting, next)) << spec::print(next);
        ASSERT_LE(next.steps.size(), kMutantStepsMax);
        if (seed % 8 != 7) {
            ASSERT_EQ(next, mutated(program, setting, seed));
        }
        ASSERT_EQ(spec::parse(spec::print(next)), next);
        EXPECT_EQ(next, askable(next, setting));
        for (spec::Step const& step : next.steps) {
            kinds.insert(step.action.index());
            oom |= step.faults.oom.has_value();
            preempt |= step.faults.preempt.has_value();
            switches |= step.faults.switch_hart.has_value();
            EXPECT_FALSE(step.faults.switch_hart && next.memory);
        }
        memory |= next.memory.has_value();
        harts |= next.harts.has_value();
        grew |= next.steps.size() > 30;
        program = seed % 100 == 99 ? spec::Program{setting->profile, {}} : next;
    }
    EXPECT_EQ(kinds.size(), spec::kActionKinds);
    EXPECT_TRUE(oom && preempt && switches && memory && harts && grew)
        << oom << preempt << switches << memory << harts << grew;
}

TEST_F(MutateTest, WhatCannotBeAskedIsLeftOut) {
    auto const program = spec::parse(
        "# why\nvmcheck 1\nprofile eager\np7 exit 0\np0 fork p1\np0 wait\np1 exit 3\np0 wait\np1 load heap 8\n");
    ASSERT_TRUE(program);
    EXPECT_EQ(spec::print(askable(*program, setting)), "vmcheck 1\nprofile cow lazy\np0 fork p1\np1 exit 3\np0 wait\n");
}

}  // namespace
}  // namespace vmcheck::generate
