#include "checker/run/interruption_places.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>
#include <set>

namespace vmcheck::run {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Thinned, KeepsAllWhereTheyAreFew) {
    EXPECT_THAT(thinned({3, 5, 9}, 3), ElementsAre(3, 5, 9));
    EXPECT_THAT(thinned({}, 3), IsEmpty());
}

TEST(Thinned, KeepsSomeFromAllOver) {
    std::vector<std::uint32_t> all(100);
    std::iota(all.begin(), all.end(), 0U);
    EXPECT_THAT(thinned(all, 4), ElementsAre(0, 25, 50, 75));
}

TEST(SwitchPlaces, LieWithinTheStepAndAscend) {
    for (std::uint32_t const blocks : {1U, 2U, 5U, 127U, 128U, 129U, 300U, 100'000U})
        for (std::uint32_t const phase : {0U, 7U, 4'000'000'000U}) {
            auto const places = switch_places(blocks, phase);
            EXPECT_LE(places.size(), 12U);
            EXPECT_TRUE(std::is_sorted(places.begin(), places.end()));
            for (std::uint32_t place : places) EXPECT_LT(place, blocks);
        }
}

TEST(SwitchPlaces, HalfOfThemAreEarlyInALongStep) {
    auto const places = switch_places(100'000, 0);
    EXPECT_EQ(std::count_if(places.begin(), places.end(), [](std::uint32_t place) { return place < 128; }), 6);
    EXPECT_EQ(places.size(), 12U);
}

TEST(SwitchPlaces, EveryBlockIsOneInSomeProgram) {
    constexpr std::uint32_t kBlocks = 200;
    std::set<std::uint32_t> seen;
    for (std::uint32_t phase = 0; phase < kBlocks; ++phase)
        for (std::uint32_t place : switch_places(kBlocks, phase)) seen.insert(place);
    // Before its first block a step has not begun.
    EXPECT_EQ(seen.size(), kBlocks - 1);
    EXPECT_EQ(*seen.begin(), 1U);
}

TEST(SwitchPlaces, OfNoBlocksThereIsNone) {
    EXPECT_THAT(switch_places(0, 5), IsEmpty());
}

}  // namespace
}  // namespace vmcheck::run
