#include "checker/run/stepper.h"

#include "spec/advance.h"
#include "spec/testing/concrete_machine.h"
#include "spec/testing/test_setting.h"
#include "spec/walk.h"

#include <gtest/gtest.h>

namespace vmcheck::run {
namespace {

using spec::kInit;
using spec::Linearisation;
using spec::Step;
using spec::World;

// A machine that has stored 1, 2 or nothing at the start of p0's data, and a model of each.
class AgreeingOrderOf : public testing::Test {
  protected:
    World stored(std::uint64_t value, bool on_machine) {
        Step const step = spec::ground(start, {kInit, spec::Store{{spec::Anchor::data, 0}, 8, value}, {}});
        spec::FrameCensus const before = machine.census();
        auto const saved = machine.save();
        spec::Outcome const outcome = machine.run(step);
        auto after = spec::advance(start, step, outcome, before);
        EXPECT_TRUE(after.has_value());
        if (!on_machine) machine.restore(saved);
        return std::move(*after);
    }

    std::shared_ptr<spec::Setting const> setting =
        spec::testing::shared_setting({spec::ForkPolicy::cow, spec::SbrkPolicy::lazy});
    spec::testing::ConcreteMachine machine{setting};
    World start = World::initial(setting);
    std::optional<spec::Baseline> baseline = spec::take_baseline(start, machine.observe());
};

TEST_F(AgreeingOrderOf, TwoIsTheOneThatTheMemoryShows) {
    World const wrong = stored(1, false), right = stored(2, true);
    for (bool const right_first : {false, true}) {
        std::vector<Linearisation> orders{{false, start, right_first ? right : wrong},
                                          {true, start, right_first ? wrong : right}};
        AgreeingOrder const agreed = agreeing_order(std::move(orders), machine.observe(), baseline);
        EXPECT_FALSE(agreed.ambiguous);
        ASSERT_TRUE(agreed.world.has_value());
        EXPECT_TRUE(*agreed.world == right);
    }
}

TEST_F(AgreeingOrderOf, TwoThatComeToTheSameIsEither) {
    World const right = stored(2, true);
    AgreeingOrder const agreed =
        agreeing_order({{false, start, right}, {true, start, right}}, machine.observe(), baseline);
    EXPECT_FALSE(agreed.ambiguous);
    ASSERT_TRUE(agreed.world.has_value());
    EXPECT_GT(agreed.checks.evaluated[static_cast<std::size_t>(spec::Invariant::contents)], 0U);
}

TEST_F(AgreeingOrderOf, WhereThereIsNoneTheFirstSaysWhatBreaks) {
    World const first = stored(1, false), second = stored(3, false);
    static_cast<void>(stored(2, true));
    AgreeingOrder const agreed =
        agreeing_order({{false, start, first}, {true, start, second}}, machine.observe(), baseline);
    EXPECT_FALSE(agreed.world.has_value());
    EXPECT_FALSE(agreed.ambiguous);
    ASSERT_FALSE(agreed.violations.empty());
    EXPECT_EQ(agreed.violations.front().invariant, spec::Invariant::contents);
}

TEST_F(AgreeingOrderOf, TwoThatDifferInWhatCannotBeSeenNobodyKnows) {
    // What is in the pipe shows when it is read.
    auto const with_bytes_in_pipe = [&](std::uint32_t bytes) {
        Step const step = spec::ground(start, {kInit, spec::PipeWrite{{spec::Anchor::data, 0}, bytes}, {}});
        auto after = spec::advance(start, step, {spec::Returned{bytes}}, machine.census());
        EXPECT_TRUE(after.has_value());
        return std::move(*after);
    };
    AgreeingOrder const agreed = agreeing_order(
        {{false, start, with_bytes_in_pipe(1)}, {true, start, with_bytes_in_pipe(2)}}, machine.observe(), baseline);
    EXPECT_TRUE(agreed.ambiguous);
    EXPECT_FALSE(agreed.world.has_value());
}

}  // namespace
}  // namespace vmcheck::run
