#include "impl/board/self_test.h"

#include <gtest/gtest.h>

#include <set>

namespace vmcheck::board {
namespace {

TEST(SelfTest, EveryBehaviourThatTheBoardReliesOnIsThere) {
    for (SelfTestResult const& result : run_self_tests()) {
        EXPECT_TRUE(result.passed) << result.name << ": " << result.relies_on << " But " << result.detail << ".";
    }
}

TEST(SelfTest, EachSaysWhatItIsAbout) {
    std::set<std::string> names;
    for (SelfTestResult const& result : run_self_tests()) {
        EXPECT_TRUE(names.insert(result.name).second) << result.name << " appears twice";
        EXPECT_EQ(result.relies_on.back(), '.') << result.relies_on;
        EXPECT_EQ(result.passed, result.detail.empty());
    }
    EXPECT_GE(names.size(), 20u);
}

}  // namespace
}  // namespace vmcheck::board
