#include "checker/class/progress.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

namespace vmcheck::classes {
namespace {

using namespace std::chrono_literals;

TEST(Progress, NamesWhatIsRunningAndWhatIsLeft) {
    EXPECT_EQ(progress_line({12, 300, {{"alice", 14s}, {"bob", 3s}}, 250s}),
              "checking  12 of 300 trees · alice 0:14 · bob 0:03 · about 4:10 left");
    EXPECT_EQ(progress_line({0, 2, {}, std::nullopt}), "checking  0 of 2 trees");
}

TEST(Progress, DoesNotGrowWithTheNumberOfJobs) {
    Progress progress{0, 300, std::vector(32, std::pair{std::string("x"), std::chrono::milliseconds{1s}}), {}};
    EXPECT_THAT(progress_line(progress), ::testing::EndsWith(" · x 0:01 · 28 more"));
}

TEST(TimeLeft, IsEstimatedOnceEachWorkerHasEndedATree) {
    EXPECT_FALSE(time_left(10s, 1, 99, 2));
    EXPECT_EQ(time_left(10s, 2, 98, 2), 490s);
    EXPECT_EQ(time_left(10s, 2, 0, 2), 0s);
    EXPECT_FALSE(time_left(0s, 0, 5, 1));
}

TEST(ClockTime, HasHoursOnlyWhereThereAreSome) {
    EXPECT_EQ(clock_time(59'999ms), "0:59");
    EXPECT_EQ(clock_time(3'723s), "1:02:03");
}

}  // namespace
}  // namespace vmcheck::classes
