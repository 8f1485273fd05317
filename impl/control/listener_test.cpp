#include "impl/control/listener.h"

#include "impl/control/bare_board_testing.h"

#include <gtest/gtest.h>

namespace vmcheck {
namespace {

using board::Parcels;
using board::Register;

struct Bench {
    explicit Bench(KernelEntries known = {}) : entries(std::move(known)) {
        for (auto const& entry : {entries.panic, entries.allocate}) EXPECT_TRUE(!entry || board.add_breakpoint(*entry));
        time.begin(Parcels{10'000});
    }

    // The only hart goes on with `instruction`, in that mode.
    void go_on_with(std::uint32_t instruction, board::Privilege privilege) {
        test::put(board, test::kCode, instruction);
        board.write(Register::pc, test::kCode.value);
        board.write(Register::privilege, static_cast<std::uint64_t>(privilege));
    }
    Listener listener() { return {board, nullptr, entries, time, autopsy, now}; }

    KernelEntries entries;
    board::Board board = test::bare_board();
    StepTime time{board};
    Autopsy autopsy{board, [](VirtAddr) { return std::string("here"); }};
    Conversation now;
};

TEST(Listener, HearsWhoAsksAndHasItCarryItsTag) {
    Bench bench;
    bench.go_on_with(test::kEcall, board::Privilege::user);
    bench.board.write(Register::a7, VMCHECK_HYPERCALL);
    bench.board.write(Register::a0, VMCHECK_AGENT_FRESH);
    Event const event = bench.listener().next();
    ASSERT_TRUE(std::holds_alternative<Asks>(event));
    EXPECT_EQ(std::get<Asks>(event).who, spec::kInit);
    EXPECT_EQ(bench.board.read(Register::s11), tag_of(spec::kInit));
    EXPECT_EQ(bench.now.standing.at[0], spec::kInit);
}

TEST(Listener, TellsWhenTheBudgetIsSpent) {
    Bench bench;
    bench.go_on_with(test::kLoopForEver, board::Privilege::supervisor);
    Event const event = bench.listener().next();
    ASSERT_TRUE(std::holds_alternative<Mishap>(event));
    EXPECT_EQ(std::get<spec::Stuck>(std::get<Mishap>(event)).where, "no end within the step's budget; running here");
}

TEST(Listener, WhereNothingHappensUntilThenItIsSilent) {
    Bench bench;
    bench.go_on_with(test::kLoopForEver, board::Privilege::supervisor);
    EXPECT_FALSE(bench.listener().next_until(Parcels{500}).has_value());
    EXPECT_EQ(bench.board.elapsed(), Parcels{500});
}

TEST(Listener, StopsAtPanic) {
    Bench bench({.panic = VirtAddr{test::kCode.value}, .allocate = {}, .free_list_heads = {}});
    bench.go_on_with(test::kLoopForEver, board::Privilege::supervisor);
    Event const event = bench.listener().next();
    ASSERT_TRUE(std::holds_alternative<Mishap>(event));
    EXPECT_TRUE(std::holds_alternative<spec::Panicked>(std::get<Mishap>(event)));
}

TEST(Listener, AnAllocationThatIsToFailReturnsZeroWithoutHavingRun) {
    Bench bench({.panic = {}, .allocate = VirtAddr{test::kCode.value}, .free_list_heads = {}});
    constexpr PhysAddr kCaller = test::kCode + 0x100;
    test::put(bench.board, kCaller, test::kLoopForEver);
    for (bool const fails : {false, true}) {
        bench.now.allocations.begin_step(fails ? std::optional<std::uint32_t>(1) : std::nullopt);
        bench.go_on_with(test::kLoopForEver, board::Privilege::supervisor);
        bench.board.write(Register::a0, 41);
        bench.board.write(Register::ra, kCaller.value);
        EXPECT_FALSE(bench.listener().next_until(bench.board.elapsed() + Parcels{100}).has_value());
        EXPECT_EQ(bench.board.read(Register::pc), fails ? kCaller.value : test::kCode.value);
        EXPECT_EQ(bench.board.read(Register::a0), fails ? 0U : 41U);
        EXPECT_EQ(bench.now.allocations.failed(), fails ? 1U : 0U);
    }
}

}  // namespace
}  // namespace vmcheck
