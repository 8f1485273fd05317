#include "checker/run/turns.h"

#include <gtest/gtest.h>

#include <set>

namespace vmcheck::run {
namespace {

TEST(Turns, NightsThatComeThroughATenthHaveComeThroughAllAfterTwenty) {
    constexpr std::size_t kNights = 20;
    for (std::size_t size : {10U, 70U, 1000U})
        for (std::size_t first = 0; first < 1000; ++first) {
            std::set<std::size_t> seen;
            for (std::size_t night = first; night < first + kNights; ++night)
                for (std::size_t i = 0; i < size / 10; ++i) seen.insert((place_to_begin(night, size) + i) % size);
            ASSERT_GE(seen.size(), size - size / 1000) << "of " << size << ", from night " << first;
        }
}

TEST(Turns, BeginWithinWhatThereIs) {
    EXPECT_EQ(place_to_begin(7, 0), 0U);
    for (std::size_t night = 0; night < 1000; ++night) EXPECT_EQ(place_to_begin(night, 1), 0U);
    EXPECT_EQ(place_to_begin(0, 1000), 0U);
}

}  // namespace
}  // namespace vmcheck::run
