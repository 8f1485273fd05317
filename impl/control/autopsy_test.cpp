#include "impl/control/autopsy.h"

#include "impl/control/bare_board_testing.h"

#include <gtest/gtest.h>

#include <fmt/core.h>
#include <gmock/gmock.h>

#include <map>

namespace vmcheck {
namespace {

using board::Register;

std::string in_hexadecimal(VirtAddr pc) {
    return fmt::format("{:#x}", pc.value);
}

TEST(Panic, ItsMessageIsTheLastLineOfTheConsole) {
    EXPECT_EQ(last_panic_printed("booting\npanic: kfree\n"), "kfree");
    EXPECT_EQ(last_panic_printed("panic: kfree\r\n\n"), "kfree");
    EXPECT_EQ(last_panic_printed("panic: kfree\n$ ls\n"), std::nullopt);
    EXPECT_EQ(last_panic_printed("no panic: here\n"), std::nullopt);
    EXPECT_EQ(last_panic_printed(""), std::nullopt);
}

TEST(Panic, ALineThatHasNotEndedMayGoOn) {
    EXPECT_EQ(last_panic_printed("panic: kfr"), std::nullopt);
}

TEST(Panic, IsFoundAmongWhatWasPrinted) {
    EXPECT_EQ(panic_in("usertrap(): x\npanic: kfree \x01\r\nmore"), "kfree ?");
    EXPECT_EQ(panic_in("panic: kfr"), std::nullopt) << "may go on";
    EXPECT_EQ(panic_in("well\n"), std::nullopt);
}

TEST(Autopsy, APanicHasTheMessageOfItsArgumentAndThePlaceOfItsCaller) {
    board::Board board = test::bare_board();
    constexpr PhysAddr kMessage = test::kCode + 0x100;
    using namespace std::string_view_literals;
    test::put(board, kMessage, "freeing\x01 twice\n\0and more"sv);
    board.write(Register::a0, kMessage.value);
    board.write(Register::ra, 0x8000'4444);
    Autopsy autopsy(board, in_hexadecimal);
    spec::Panicked const panicked = autopsy.panicked(board::Parcels{0});
    EXPECT_EQ(panicked.message, "freeing? twice");
    EXPECT_EQ(panicked.cause, "");
    EXPECT_EQ(autopsy.died_at(), VirtAddr{0x8000'4443});
    autopsy.resurrect();
    EXPECT_EQ(autopsy.died_at(), std::nullopt);
}

TEST(Autopsy, AMessageThatIsNowhereIsEmpty) {
    board::Board board = test::bare_board();
    board.write(Register::a0, 0x10);
    EXPECT_EQ(Autopsy(board, in_hexadecimal).panicked(board::Parcels{0}).message, "");
}

TEST(Autopsy, WhatIsStuckIsToldWithItsPlace) {
    board::Board board = test::bare_board();
    Autopsy autopsy(board, in_hexadecimal);
    EXPECT_EQ(autopsy.stuck(spec::Stuck::Why::circles).where, "0x80000000");
    EXPECT_EQ(autopsy.died_at(), VirtAddr{test::kCode.value});
}

TEST(Autopsy, AKernelThatComesThroughTheSameTrapUnharmedDiedNowhere) {
    board::Board board = test::bare_board();
    Autopsy autopsy(board, in_hexadecimal);
    spec::Stuck const stuck = autopsy.stuck({spec::Stuck::Why::same_trap, VirtAddr{0x1000}, 15, 0x5000, true});
    EXPECT_EQ(stuck.exception->value, VirtAddr{0x5000});
    EXPECT_TRUE(stuck.others_run);
    EXPECT_EQ(autopsy.died_at(), std::nullopt);
}

class Callers : public ::testing::Test {
  protected:
    // What `function` leaves on the stack that calls another.
    void saves(std::uint64_t frame, std::uint64_t return_address, std::uint64_t next) {
        stack[frame - 8] = return_address;
        stack[frame - 16] = next;
    }
    std::vector<std::uint64_t> of(Frame const& innermost) const {
        std::vector<std::uint64_t> found;
        for (VirtAddr each : callers(innermost, [&](VirtAddr at) -> std::optional<std::uint64_t> {
                 auto const word = stack.find(at.value);
                 return word == stack.end() ? std::nullopt : std::optional(word->second);
             }))
            found.push_back(each.value);
        return found;
    }
    std::map<std::uint64_t, std::uint64_t> stack;
};

TEST_F(Callers, AreFoundByTheFramePointer) {
    saves(0x3020, 0x8000'0104, 0x3060);
    saves(0x3060, 0x8000'0204, 0);
    EXPECT_THAT(of({VirtAddr{0x3000}, VirtAddr{0x3020}}), testing::ElementsAre(0x8000'0103, 0x8000'0203));
    EXPECT_THAT(of({VirtAddr{0x3000}, VirtAddr{0x3020}, VirtAddr{0x8000'0304}}),
                testing::ElementsAre(0x8000'0103, 0x8000'0203))
        << "who has saved the return address may have called another since";
    EXPECT_THAT(of({VirtAddr{0x4000}, VirtAddr{0x3020}}), testing::IsEmpty()) << "no frame";
}

TEST_F(Callers, OfAFunctionThatCallsNoOtherTheReturnAddressIsInItsRegister) {
    stack[0x3018] = 0x3060;
    stack[0x3010] = 0x3080;  // whatever was there before
    saves(0x3060, 0x8000'0204, 0);
    EXPECT_THAT(of({VirtAddr{0x3010}, VirtAddr{0x3020}, VirtAddr{0x8000'0104}}),
                testing::ElementsAre(0x8000'0103, 0x8000'0203));
}

TEST_F(Callers, WhereNothingIsThatWasJumpedToTheFrameIsTheCallers) {
    saves(0x3020, 0x8000'0204, 0);
    EXPECT_THAT(of({VirtAddr{0x3000}, VirtAddr{0x3020}, VirtAddr{0x8000'0104}, true}),
                testing::ElementsAre(0x8000'0103, 0x8000'0203));
}

TEST(RanOnlyWithin, IsWhatNobodyElseCalled) {
    std::vector<std::string> const way{"trap",   "fault", "kalloc", "acquire", "kalloc",  "count", "check",  "count",
                                       "kalloc", "fault", "check",  "fault",   "acquire", "fault", "kalloc", "count"};
    EXPECT_EQ(ran_only_within("kalloc", way), std::set<std::string>{"count"});
    EXPECT_EQ(ran_only_within("kfree", way), std::set<std::string>{});
}

}  // namespace
}  // namespace vmcheck
