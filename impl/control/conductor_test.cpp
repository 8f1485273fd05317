#include "impl/control/conductor.h"

#include "impl/control/bare_board_testing.h"

#include <gtest/gtest.h>

namespace vmcheck {
namespace {

using board::Parcels;
using board::Register;
using spec::kInit;

// As the agent does: asks, and brings back what is in a1 by then.
void put_agent(board::Board& board) {
    constexpr std::uint32_t kMoveA0A1 = 0x00058513, kBackByTwo = 0xff9ff06f;  // mv a0, a1; j .-8
    test::put(board, test::kCode, test::kEcall);
    test::put(board, test::kCode + 4, kMoveA0A1);
    test::put(board, test::kCode + 8, kBackByTwo);
}
// The order for it to come back with `value`. Its a7 stays what it was.
Order say(std::uint64_t value) {
    return {VMCHECK_ORDER_LOAD_8, VMCHECK_HYPERCALL, {0, value, 0}};
}

// A hart that will ask as /init does, unless it is told otherwise.
struct LoneProcess {
    LoneProcess() {
        go_on_with(test::kEcall, board::Privilege::user);
        board.write(Register::a7, VMCHECK_HYPERCALL);
        board.write(Register::a0, VMCHECK_AGENT_FRESH);
    }
    void go_on_with(std::uint32_t instruction, board::Privilege privilege) {
        test::put(board, test::kCode, instruction);
        board.write(Register::pc, test::kCode.value);
        board.write(Register::privilege, static_cast<std::uint64_t>(privilege));
    }

    board::Board board = test::bare_board();
    Conductor conductor{board, nullptr, {}, [](VirtAddr) { return std::string("here"); }};
};

TEST(Conductor, KnowsWhoAsksAndHasItCarryItsTag) {
    LoneProcess init;
    ASSERT_TRUE(init.conductor.wait_for_init(test::kBudget));
    EXPECT_EQ(init.conductor.state().roster.current(), kInit);
    EXPECT_EQ(init.conductor.state().standing.at[0], kInit);
    EXPECT_EQ(init.board.read(Register::s11), tag_of(kInit));
}

TEST(Conductor, AKernelThatSleepsBeforeItStartsInitIsStuck) {
    LoneProcess init;
    init.go_on_with(test::kWaitForInterrupt, board::Privilege::machine);
    test::put(init.board, test::kCode + 4, test::kBackByOne);
    Done const done = init.conductor.wait_for_init(test::kBudget);
    ASSERT_FALSE(done);
    EXPECT_EQ(std::get<spec::Stuck>(done.error()).why, spec::Stuck::Why::asleep);
}

TEST(Conductor, OneThatAsksIsGivenItsOrderAtOnceAndRunsOnUntilItAsksAgain) {
    LoneProcess init;
    ASSERT_TRUE(init.conductor.wait_for_init(test::kBudget));
    put_agent(init.board);
    init.conductor.begin_step(test::kBudget, test::kBudget, std::nullopt);
    EXPECT_EQ(success(init.conductor.give(kInit, say(41))), 41U);
    EXPECT_EQ(init.conductor.state().roster.orders(), 0U);
    EXPECT_GT(init.conductor.time().work().end, init.conductor.time().work().start);
}

TEST(Conductor, OneThatDoesNotComeBackInTimeIsUnfinished) {
    LoneProcess init;
    ASSERT_TRUE(init.conductor.wait_for_init(test::kBudget));
    test::put(init.board, test::kCode + 4, test::kLoopForEver);
    init.conductor.begin_step(test::kBudget, test::kBudget, std::nullopt);
    spec::Completion const late = init.conductor.give(kInit, {VMCHECK_ORDER_LOAD_8, 0, {}});
    EXPECT_EQ(std::get<spec::Unfinished>(late).where, "here");
}

TEST(Conductor, WithoutATimerNobodyElseComes) {
    LoneProcess init;
    ASSERT_TRUE(init.conductor.wait_for_init(test::kBudget));
    init.conductor.begin_step(test::kBudget, test::kBudget, std::nullopt);
    spec::Completion const result = init.conductor.give(spec::ProcId{1}, {VMCHECK_ORDER_LOAD_8, 0, {}});
    EXPECT_EQ(std::get<spec::Stuck>(result).why, spec::Stuck::Why::no_timer);
}

// ---- two processes, at their hypercalls on a hart each

struct TwoHarts {
    TwoHarts() {
        put_agent(board);
        stand(board::HartIndex{0}, kInit, PhysAddr{0x8001'0000});
        stand(board::HartIndex{1}, kChild, PhysAddr{0x8002'0000});
        conductor.resume(state);
        EXPECT_TRUE(conductor.wait_for_init(test::kBudget)) << "p0 asks on hart 0";
    }
    void stand(board::HartIndex hart, spec::ProcId who, PhysAddr table) {
        // All of RAM, one to one and for the user: a gigabyte's leaf PTE in the root.
        constexpr std::uint64_t kAllRights = 0xdf, kSv39 = std::uint64_t{8} << 60;
        std::uint64_t const leaf = (board::kRamStart.value >> 12) << 10 | kAllRights;
        board.write(table + (board::kRamStart.value >> 30) * 8, std::as_bytes(std::span{&leaf, 1}));
        board.write(hart, Register::satp, kSv39 | table.frame().value);
        board.write(hart, Register::privilege, 0);
        board.write(hart, Register::a7, VMCHECK_HYPERCALL);
        board.write(hart, Register::s11, tag_of(who));
        if (who != kInit) state.roster.expect_child(kInit, who);
        std::uint64_t const first_tag = who == kInit ? 0 : tag_of(kInit);
        EXPECT_EQ(state.roster.recognise({table.frame(), first_tag, 0}), who);
        state.standing.at[hart.value] = who;
    }

    static constexpr spec::ProcId kChild{1};
    board::Board board = test::bare_board(2);
    AgentState state;
    Conductor conductor{board, nullptr, {}, [](VirtAddr) { return std::string("here"); }};
};

TEST(Conductor, GivesTheTurnToTheHartOnWhichAProcessStands) {
    TwoHarts on;
    EXPECT_EQ(success(on.conductor.give(kInit, say(41))), 41U);
    EXPECT_EQ(on.board.current_hart(), board::HartIndex{0});
    EXPECT_EQ(success(on.conductor.give(TwoHarts::kChild, say(42))), 42U);
    EXPECT_EQ(on.board.current_hart(), board::HartIndex{1});
}

TEST(Conductor, WhatWaitsForAProcessIsDoneWhileTheOrderOfAnotherIsAtWork) {
    TwoHarts on;
    EXPECT_EQ(on.conductor.bring_side_by_side(kInit, TwoHarts::kChild), true);
    EXPECT_EQ(on.conductor.state().roster.current(), kInit);
    std::size_t at_work = 0;
    on.conductor.do_meanwhile(TwoHarts::kChild, [&]() -> Done {
        at_work = on.conductor.state().roster.orders();
        EXPECT_EQ(success(on.conductor.give(TwoHarts::kChild, say(42))), 42U);
        return {};
    });
    on.conductor.time().switch_hart_after(board::Blocks{1});
    EXPECT_EQ(success(on.conductor.give(kInit, say(41))), 41U);
    EXPECT_EQ(at_work, 1U) << "the first's order was at work, and the second's had not been given";
}

TEST(Conductor, NoHartIsHeldWhileTheFirstSleepsForATick) {
    TwoHarts on;
    AgentState state = on.conductor.state();
    state.aside.insert(kInit);
    on.conductor.resume(state);
    EXPECT_EQ(on.conductor.bring_side_by_side(kInit, TwoHarts::kChild), false);
    EXPECT_EQ(success(on.conductor.give(kInit, say(41))), 41U);
    EXPECT_EQ(on.conductor.bring_side_by_side(kInit, TwoHarts::kChild), true) << "it has asked since";
}

TEST(Conductor, WhatTheMachineDiesOfMeanwhileEndsTheOrderToo) {
    TwoHarts on;
    EXPECT_EQ(on.conductor.bring_side_by_side(kInit, TwoHarts::kChild), true);
    on.conductor.do_meanwhile(TwoHarts::kChild, [] { return tl::unexpected(spec::Completion{spec::Lost{"it"}}); });
    on.conductor.time().switch_hart_after(board::Blocks{1});
    EXPECT_EQ(std::get<spec::Lost>(on.conductor.give(kInit, say(41))).what, "it");
}

TEST(Conductor, WhatWasSavedIsGoneBackTo) {
    LoneProcess init;
    ASSERT_TRUE(init.conductor.wait_for_init(test::kBudget));
    AgentState const saved = init.conductor.state();
    init.conductor.resume({});
    EXPECT_EQ(init.conductor.state().roster.current(), std::nullopt);
    init.conductor.resume(saved);
    EXPECT_EQ(init.conductor.state().roster.current(), kInit);
}

}  // namespace
}  // namespace vmcheck
