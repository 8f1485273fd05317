#include "checker/generate/hart_switches.h"

#include "checker/generate/generator.h"
#include "spec/testing/test_setting.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace vmcheck::generate {
namespace {

std::vector<spec::Program> programs_on(std::uint32_t harts) {
    auto const programs = on_several_harts(
        generate::programs(spec::testing::shared_setting({spec::ForkPolicy::cow, spec::SbrkPolicy::lazy}),
                           {.allocation_faults = false, .overlaps_max = 2}),
        harts);
    std::vector<spec::Program> all;
    for (std::uint64_t index = 0; index < 200; ++index) all.push_back(program_of_case(programs, 1, index));
    return all;
}

bool overlaps(spec::Program const& program) {
    return std::ranges::any_of(program.steps, [](spec::Step const& step) { return step.faults.meanwhile; });
}

class HartSwitches : public testing::TestWithParam<std::uint32_t> {};

TEST_P(HartSwitches, ComeWhereStepsOverlapAndNowhereElse) {
    std::size_t on_several = 0;
    for (spec::Program const& program : programs_on(GetParam())) {
        EXPECT_EQ(spec::harts_of(program), overlaps(program) ? GetParam() : 1U);
        on_several += overlaps(program) ? 1U : 0U;
        for (std::size_t i = 0; i < program.steps.size(); ++i) {
            bool const begins = i + 1 < program.steps.size() && program.steps[i + 1].faults.meanwhile;
            spec::Faults const& faults = program.steps[i].faults;
            EXPECT_TRUE(!begins || faults.switch_hart.has_value());
            EXPECT_TRUE(!faults.switch_hart || begins || faults.meanwhile);
            EXPECT_FALSE(begins && faults.preempt) << "one or the other";
        }
    }
    EXPECT_GT(on_several, 50U);
}

INSTANTIATE_TEST_SUITE_P(Harts, HartSwitches, testing::Values(2U, 3U));

}  // namespace
}  // namespace vmcheck::generate
