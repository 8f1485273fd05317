#include "impl/control/event_loop.h"

#include "impl/control/bare_board_testing.h"

#include <gtest/gtest.h>

namespace vmcheck {
namespace {

using board::Parcels;
using board::Register;

struct LoneHart {
    explicit LoneHart(KernelEntries known = {}) : entries(std::move(known)) {
        for (auto const& entry : {entries.panic, entries.allocate}) EXPECT_TRUE(!entry || board.add_breakpoint(*entry));
        time.begin(test::kBudget, test::kBudget);
    }

    // The only hart goes on with `instruction`, in that mode.
    void go_on_with(std::uint32_t instruction, board::Privilege privilege) {
        test::put(board, test::kCode, instruction);
        board.write(Register::pc, test::kCode.value);
        board.write(Register::privilege, static_cast<std::uint64_t>(privilege));
    }
    EventLoop loop() { return {board, entries, time, autopsy, allocations}; }

    KernelEntries entries;
    board::Board board = test::bare_board();
    StepTime time{board};
    Autopsy autopsy{board, [](VirtAddr) { return std::string("here"); }};
    AllocationFaults allocations;
};

TEST(EventLoop, OfAHypercallItTellsWhatTheRegistersHold) {
    LoneHart hart;
    hart.go_on_with(test::kEcall, board::Privilege::user);
    hart.board.write(Register::a7, VMCHECK_HYPERCALL);
    hart.board.write(Register::a0, 41);
    hart.board.write(Register::s11, tag_of(spec::kInit));
    Event const event = hart.loop().next();
    ASSERT_TRUE(event.has_value());
    EXPECT_EQ(event->value, 41U);
    EXPECT_EQ(event->tag, tag_of(spec::kInit));
}

TEST(EventLoop, WhereNothingWillEverHappenAllSleep) {
    LoneHart hart;
    hart.go_on_with(test::kWaitForInterrupt, board::Privilege::machine);
    test::put(hart.board, test::kCode + 4, test::kBackByOne);
    Event const event = hart.loop().next();
    ASSERT_FALSE(event.has_value());
    EXPECT_TRUE(std::holds_alternative<spec::Blocked>(event.error()));
}

TEST(EventLoop, WhereTheBudgetIsSpentNothingIsKnown) {
    LoneHart hart;
    hart.go_on_with(test::kLoopForEver, board::Privilege::supervisor);
    Event const event = hart.loop().next();
    ASSERT_FALSE(event.has_value());
    EXPECT_EQ(std::get<spec::Unfinished>(event.error()).where, "here");
}

TEST(EventLoop, WhatGoesInCirclesIsGivenNoMoreTime) {
    LoneHart hart;
    hart.go_on_with(test::kLoopForEver, board::Privilege::supervisor);
    ASSERT_TRUE(hart.board.take_golden());
    hart.time.begin(test::kBudget, Parcels{20 * test::kBudget.value});
    Event const event = hart.loop().next();
    ASSERT_FALSE(event.has_value());
    EXPECT_EQ(std::get<spec::Stuck>(event.error()).why, spec::Stuck::Why::circles);
    EXPECT_LT(hart.board.elapsed(), Parcels{2 * test::kBudget.value});
}

TEST(EventLoop, WhatIsNotSeenToGoInCirclesIsGivenTheMostOfTime) {
    constexpr std::uint32_t kAddOne = 0x00150513;  // addi a0, a0, 1
    LoneHart hart;
    hart.go_on_with(kAddOne, board::Privilege::supervisor);
    test::put(hart.board, test::kCode + 4, test::kBackByOne);
    ASSERT_TRUE(hart.board.take_golden());
    hart.time.begin(test::kBudget, Parcels{20 * test::kBudget.value});
    Event const event = hart.loop().next();
    ASSERT_FALSE(event.has_value());
    EXPECT_TRUE(std::holds_alternative<spec::Unfinished>(event.error()));
    EXPECT_GE(hart.board.elapsed(), Parcels{20 * test::kBudget.value});
}

TEST(EventLoop, WhereNothingHappensUntilThenItIsSilent) {
    LoneHart hart;
    hart.go_on_with(test::kLoopForEver, board::Privilege::supervisor);
    EXPECT_FALSE(hart.loop().next_until(Parcels{500}).has_value());
    EXPECT_EQ(hart.board.elapsed(), Parcels{500});
}

TEST(EventLoop, StopsAtPanic) {
    LoneHart hart({.panic = VirtAddr{test::kCode.value}, .allocate = {}, .free_list_heads = {}});
    hart.go_on_with(test::kLoopForEver, board::Privilege::supervisor);
    Event const event = hart.loop().next();
    ASSERT_FALSE(event.has_value());
    EXPECT_TRUE(std::holds_alternative<spec::Panicked>(event.error()));
}

// A panic that prints what it makes of its arguments.
TEST(EventLoop, OfAMessageThatIsAFormatItTellsWhatIsPrinted) {
    constexpr PhysAddr kMessage = test::kCode + 0x400;
    constexpr std::string_view kPrinted = "panic: vm.c:7\n";
    LoneHart hart({.panic = VirtAddr{test::kCode.value}, .allocate = {}, .free_list_heads = {}});
    hart.go_on_with(0x100002b7, board::Privilege::machine);  // lui t0, 0x10000: the UART
    PhysAddr at = test::kCode + 4;
    for (char const c : kPrinted) {
        test::put(hart.board, at, 0x00000313 | static_cast<std::uint32_t>(c) << 20);  // li t1, c
        test::put(hart.board, at + 4, 0x00628023);                                    // sb t1, 0(t0)
        at = at + 8;
    }
    test::put(hart.board, at, test::kLoopForEver);
    test::put(hart.board, kMessage, std::string_view("%s:%d\0", 6));
    hart.board.write(Register::a0, kMessage.value);
    Event const event = hart.loop().next();
    ASSERT_FALSE(event.has_value());
    EXPECT_EQ(std::get<spec::Panicked>(event.error()).message, "vm.c:7");
}

TEST(EventLoop, AnAllocationThatIsToFailReturnsZeroWithoutHavingRun) {
    LoneHart hart({.panic = {}, .allocate = VirtAddr{test::kCode.value}, .free_list_heads = {}});
    constexpr PhysAddr kCaller = test::kCode + 0x100;
    test::put(hart.board, kCaller, test::kLoopForEver);
    for (bool const fails : {false, true}) {
        hart.allocations.begin_step(fails ? std::optional<std::uint32_t>(1) : std::nullopt);
        hart.go_on_with(test::kLoopForEver, board::Privilege::supervisor);
        hart.board.write(Register::a0, 41);
        hart.board.write(Register::ra, kCaller.value);
        EXPECT_FALSE(hart.loop().next_until(hart.board.elapsed() + Parcels{100}).has_value());
        EXPECT_EQ(hart.board.read(Register::pc), fails ? kCaller.value : test::kCode.value);
        EXPECT_EQ(hart.board.read(Register::a0), fails ? 0U : 41U);
        EXPECT_EQ(hart.allocations.failed(), fails ? 1U : 0U);
    }
}

}  // namespace
}  // namespace vmcheck
