#include "impl/control/word_watch.h"

#include "impl/control/bare_board_testing.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

#include <vector>

namespace vmcheck {
namespace {

using board::Register;
using testing::ElementsAre;
using testing::SizeIs;

constexpr PhysAddr kWatched = test::kCode + 0x1000;
constexpr unsigned kA2 = 12;

// Two calls of a function that adds 1 to the word at a2, and then 0 is written there.
class WatchedWord : public testing::Test {
  protected:
    WatchedWord() {
        constexpr std::uint32_t kCallForward = 0x014000ef;  // jal ra, .+20
        constexpr std::uint32_t kCall = 0x010000ef;         // jal ra, .+16
        constexpr std::uint32_t kClear = 0x00063023;        // sd zero, 0(a2)
        constexpr std::uint32_t kAgain = 0x00063023;        // what is there already
        constexpr std::uint32_t kLoad = 0x00063503;         // ld a0, 0(a2)
        constexpr std::uint32_t kAdd = 0x00150513;          // addi a0, a0, 1
        constexpr std::uint32_t kStore = 0x00a63023;        // sd a0, 0(a2)
        constexpr std::uint32_t kReturn = 0x00008067;       // ret
        PhysAddr at = test::kCode;
        for (std::uint32_t const code :
             {kCallForward, kCall, kClear, kAgain, test::kLoopForEver, kLoad, kAdd, kStore, kReturn}) {
            test::put(board_, at, code);
            at = at + 4;
        }
        board_.write(Register::pc, test::kCode.value);
        board_.write(static_cast<Register>(kA2), kWatched.value);
    }
    static VirtAddr code(unsigned number) { return VirtAddr{test::kCode.value + 4 * std::uint64_t{number}}; }

    board::Board board_ = test::bare_board();
    WordWatch watch_{board_};
};

TEST_F(WatchedWord, IsToldByWhomItWasChangedAndRead) {
    watch_.add({kWatched, 8});
    watch_.add({kWatched + 8, 8});
    ASSERT_TRUE(board_.watch_instructions(&watch_));
    board_.run(board::Parcels{100});
    std::vector<WordAccesses> const seen = watch_.take();
    ASSERT_THAT(seen, SizeIs(2));
    ASSERT_TRUE(seen[0].first_write && seen[0].last_write && seen[0].last_rise && seen[0].first_read);
    EXPECT_THAT(seen[0].first_read->stack, ElementsAre(code(5), code(0)));
    EXPECT_THAT(seen[0].first_write->stack, ElementsAre(code(7), code(0))) << "and who had called that";
    EXPECT_THAT(seen[0].last_rise->stack, ElementsAre(code(7), code(1)));
    EXPECT_THAT(seen[0].last_write->stack, ElementsAre(code(2))) << "what changes nothing is no write";
    EXPECT_LT(seen[0].first_read->when, seen[0].first_write->when);
    EXPECT_LT(seen[0].last_rise->when, seen[0].last_write->when);
    EXPECT_FALSE(seen[1].first_write || seen[1].last_write || seen[1].last_rise || seen[1].first_read);
    EXPECT_FALSE(watch_.take().front().last_write) << "since then nothing came";
}

}  // namespace
}  // namespace vmcheck
