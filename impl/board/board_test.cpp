// Running a guest: hypercalls, traps, timers, interrupts, breakpoints. Translation is in board_paging_test.cpp, hostile
// guests are in hostile_test.cpp.
#include "impl/board/board.h"

#include "impl/board/test_guest.h"

namespace vmcheck::board::test {
namespace {

TEST(Board, RefusesConfigurationsThatMakeNoSense) {
    Config config = small_config();
    config.ram_bytes += 1;
    EXPECT_FALSE(Board::create(config));
    config = small_config();
    config.harts = 4;
    ASSERT_FALSE(Board::create(config));
    EXPECT_EQ(Board::create(config).error().message, "The board has 1 to 3 harts, not 4.");
    config.harts = 0;
    EXPECT_FALSE(Board::create(config));
    config = small_config();
    config.parcels_per_time_unit = Parcels{0};
    EXPECT_FALSE(Board::create(config));
}

TEST(Board, WritesOnlyWithinRam) {
    Board board = bare_board();
    std::vector<std::byte> const two(2);
    EXPECT_TRUE(board.write(board.ram_end() - 2, two));
    EXPECT_FALSE(board.write(board.ram_end() - 1, two));
    EXPECT_FALSE(board.write(PhysAddr{0}, two));
    EXPECT_EQ(board.read_u32(board.ram_end() - 2), std::nullopt);
    EXPECT_FALSE(board.frame(board.ram_end().frame()));
    EXPECT_TRUE(board.frame(kRamStart.frame()));
}

TEST(Board, AHypercallStopsAtTheEcallAndGoesOnAfterIt) {
    Board board = board_with(SCENARIO_HYPERCALLS);
    std::uint64_t sum = 0;
    VirtAddr ecall{0};
    for (std::uint64_t i = 1; i <= 5; ++i) {
        ASSERT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
        EXPECT_EQ(board.read(Register::privilege), 0u);
        EXPECT_EQ(board.read(Register::a7), std::uint64_t{VMCHECK_HYPERCALL});
        EXPECT_EQ(board.read(Register::t0), sum);
        if (i > 1) {
            EXPECT_EQ(VirtAddr{board.read(Register::pc)}, ecall);
        }
        ecall = VirtAddr{board.read(Register::pc)};
        board.write(Register::a0, i);
        sum += i;
    }
    EXPECT_EQ(board.counters().hypercalls, 5u);
}

TEST(Board, AHypercallCanBeAnsweredByAnotherPc) {
    Board board = board_with(SCENARIO_HYPERCALLS);
    ASSERT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
    board.write(Register::pc, guest_symbol("loop_in_m").value);
    EXPECT_TRUE(stopped_by<stop::BudgetExhausted>(board.run(Parcels{1000})));
    EXPECT_EQ(VirtAddr{board.read(Register::pc)}, guest_symbol("loop_in_m"));
}

TEST(Board, ReachesCsrsWhateverThePrivilege) {
    Board board = board_with(SCENARIO_HYPERCALLS);
    ASSERT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
    EXPECT_EQ(VirtAddr{board.read(Register::stvec)}, guest_symbol("handler"));
    EXPECT_EQ(board.read(Register::medeleg), 0xb5ffu) << "only what the hart can delegate";
    board.write(Register::sscratch, 0x1234);
    EXPECT_EQ(board.read(Register::sscratch), 0x1234u);
    EXPECT_EQ(board.read(Register::privilege), 0u) << "and leaves it as it was";
    board.write(Register::x0, 7);
    EXPECT_EQ(board.read(Register::x0), 0u);
}

TEST(Board, AnUnhandledMachineTrapIsReportedAndNotTaken) {
    Board board = board_with(SCENARIO_ILLEGAL_IN_M);
    Stop const stop = board.run(kPlenty);
    ASSERT_TRUE(stopped_by<stop::MachineTrap>(stop));
    auto const& trap = std::get<stop::MachineTrap>(stop);
    EXPECT_EQ(trap.cause, 2u);
    EXPECT_EQ(trap.pc, guest_symbol("illegal_in_m"));
    EXPECT_EQ(board.read(Register::pc), trap.pc.value);
    EXPECT_TRUE(stopped_by<stop::MachineTrap>(board.run(kPlenty))) << "and again";
}

TEST(Board, AnEbreakIsABreakpointExceptionOfTheGuest) {
    Board board = board_with(SCENARIO_EBREAK_IN_U);
    EXPECT_TRUE(finished(board.run(kPlenty)));
    EXPECT_EQ(board.read_u64(kCauseAt), 3u);
    EXPECT_EQ(board.read_u64(kCauseAt + 8), guest_symbol("ebreak_here").value + 2);
    EXPECT_FALSE(board.last_kernel_fault()) << "it came from U-mode";
}

TEST(Board, TimeIsReadable) {
    Board board = board_with(SCENARIO_READ_TIME);
    EXPECT_TRUE(finished(board.run(kPlenty)));
    EXPECT_LT(board.read(Register::t0), 100u);
    EXPECT_EQ(board.counters().csr_emulations, 1u);
}

// --- timers --------------------------------------------------------------------------------------

class BoardTimer : public testing::TestWithParam<int> {};

TEST_P(BoardTimer, ComesByItselfAsCodeIsExecuted) {
    Board board = board_with(GetParam());
    ASSERT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
    board.write(Register::pc, guest_symbol("loop_in_m").value);
    EXPECT_TRUE(stopped_by<stop::BudgetExhausted>(board.run(Parcels{std::uint64_t{16} * 10'000 * 20})));
    std::uint64_t const ticks = *board.read_u64(kTicksAt);
    EXPECT_GE(ticks, 10u);
    EXPECT_LE(ticks, 60u);
}

TEST_P(BoardTimer, CanBeRaisedAtAHypercallWhichIsThenAskedAgain) {
    Board board = board_with(GetParam());
    ASSERT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
    std::uint64_t const ecall = board.read(Register::pc);
    for (std::uint64_t i = 1; i <= 3; ++i) {
        board.write(Register::a0, 1000);
        EXPECT_TRUE(board.raise_timer());
        ASSERT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
        EXPECT_EQ(board.read(Register::pc), ecall);
        EXPECT_EQ(board.read(Register::t0), 0u) << "the ecall was not completed";
        EXPECT_EQ(board.read_u64(kTicksAt), i);
    }
    ASSERT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
    EXPECT_EQ(board.read(Register::t0), 1000u) << "now it was";
}

TEST_P(BoardTimer, CanPreemptAfterSomeCode) {
    Board board = board_with(GetParam());
    ASSERT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
    board.write(Register::pc, guest_symbol("loop_in_m").value);
    board.preempt_after(Parcels{500});
    EXPECT_TRUE(stopped_by<stop::BudgetExhausted>(board.run(Parcels{450})));
    EXPECT_EQ(board.read_u64(kTicksAt), 0u);
    EXPECT_TRUE(stopped_by<stop::BudgetExhausted>(board.run(Parcels{450})));
    EXPECT_EQ(board.read_u64(kTicksAt), 0u) << "it is for one run only";
    board.preempt_after(Parcels{100});
    EXPECT_TRUE(stopped_by<stop::BudgetExhausted>(board.run(Parcels{450})));
    EXPECT_EQ(board.read_u64(kTicksAt), 1u);
}

INSTANTIATE_TEST_SUITE_P(BothKinds, BoardTimer, testing::Values(SCENARIO_SSTC_TIMER, SCENARIO_CLINT_TIMER),
                         [](auto const& test) { return test.param == SCENARIO_SSTC_TIMER ? "sstc" : "clint"; });

TEST(Board, CannotRaiseATimerThatIsNotSet) {
    Board board = board_with(SCENARIO_HYPERCALLS);
    ASSERT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
    EXPECT_FALSE(board.raise_timer());
    ASSERT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
}

TEST(Board, AWfiIsEndedByATimerAlthoughInterruptsAreOff) {
    Board board = board_with(SCENARIO_WAIT_FOR_TIMER);
    EXPECT_TRUE(stopped_by<stop::BudgetExhausted>(board.run(Parcels{100'000})));
    EXPECT_GE(*board.read_u64(kTicksAt), 100u) << "time jumps: a million units took no execution";
}

TEST(Board, ABoardWhereNothingCanHappenIsIdle) {
    Board board = board_with(SCENARIO_WAIT_FOR_NOTHING);
    EXPECT_TRUE(stopped_by<stop::Idle>(board.run(kPlenty)));
    EXPECT_TRUE(stopped_by<stop::Idle>(board.run(kPlenty)));
    EXPECT_LT(board.elapsed(), Parcels{10'000});
}

TEST(Board, TypedBytesInterruptTheGuest) {
    Board board = board_with(SCENARIO_ECHO);
    ASSERT_TRUE(stopped_by<stop::Idle>(board.run(kPlenty)));
    EXPECT_EQ(board.type("ok"), 2u);
    ASSERT_TRUE(stopped_by<stop::Idle>(board.run(kPlenty)));
    EXPECT_EQ(board.console(), "ok") << "a byte an interrupt, and no interrupt without a byte";
    EXPECT_EQ(board.type("!"), 1u);
    ASSERT_TRUE(stopped_by<stop::Idle>(board.run(kPlenty)));
    EXPECT_EQ(board.console(), "ok!");
    EXPECT_EQ(board.counters().external_interrupts, 3u);
}

// --- breakpoints, traces -------------------------------------------------------------------------

TEST(Board, StopsAtABreakpointBeforeItsInstruction) {
    Board board = board_with(SCENARIO_MEMORY_CALLS);
    VirtAddr const memset = guest_symbol("guest_memset");
    ASSERT_TRUE(board.add_breakpoint(memset));
    for (std::uint64_t i = 1; i <= 3; ++i) {
        Stop const stop = board.run(kPlenty);
        ASSERT_TRUE(stopped_by<stop::Breakpoint>(stop));
        EXPECT_EQ(std::get<stop::Breakpoint>(stop).address, memset);
        EXPECT_EQ(board.read(Register::pc), memset.value);
        EXPECT_EQ(board.read(Register::a1), i);
    }
    board.arm_breakpoint(memset, Armed::never);
    EXPECT_TRUE(finished(board.run(kPlenty)));
}

TEST(Board, ABreakpointThatWaitsForZerosStopsWhereAllOfItsWordsAre) {
    Board board = board_with(SCENARIO_MEMORY_CALLS);
    VirtAddr const memset = guest_symbol("guest_memset");
    PhysAddr const first = kRamStart + (small_config().ram_bytes - kPageBytes), second = first + 8;
    ASSERT_TRUE(board.add_breakpoint(memset, {first, second}));
    board.arm_breakpoint(memset, Armed::where_zero);
    ASSERT_TRUE(stopped_by<stop::Breakpoint>(board.run(kPlenty)));
    EXPECT_EQ(board.read(Register::a1), 1U);
    board.write(second, std::array{std::byte{0}, std::byte{1}});
    EXPECT_TRUE(finished(board.run(kPlenty))) << "the first is still 0";
}

TEST(Board, ABreakpointThatWaitsForZerosAndHasNoWordsNeverStops) {
    Board board = board_with(SCENARIO_MEMORY_CALLS);
    VirtAddr const memset = guest_symbol("guest_memset");
    ASSERT_TRUE(board.add_breakpoint(memset));
    board.arm_breakpoint(memset, Armed::where_zero);
    EXPECT_TRUE(finished(board.run(kPlenty)));
}

TEST(Board, ABreakpointAtAnAcceleratedFunctionStopsOnceACall) {
    Config config = small_config();
    config.memset_at = guest_symbol("guest_memset");
    Board board = board_with(SCENARIO_MEMORY_CALLS, config);
    ASSERT_TRUE(board.add_breakpoint(*config.memset_at));
    ASSERT_TRUE(board.add_breakpoint(*config.memset_at)) << "twice is once";
    for (std::uint64_t i = 1; i <= 3; ++i) {
        ASSERT_TRUE(stopped_by<stop::Breakpoint>(board.run(kPlenty)));
        EXPECT_EQ(board.read(Register::a1), i);
        EXPECT_EQ(board.counters().accelerated_calls, i - 1);
    }
}

TEST(Board, AGoldenImageTakenAtABreakpointGoesOnFromThere) {
    Board board = board_with(SCENARIO_MEMORY_CALLS);
    ASSERT_TRUE(board.add_breakpoint(guest_symbol("guest_memset")));
    ASSERT_TRUE(stopped_by<stop::Breakpoint>(board.run(kPlenty)));
    ASSERT_TRUE(board.take_golden());
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(stopped_by<stop::Breakpoint>(board.run(kPlenty)));
        EXPECT_EQ(board.read(Register::a1), 2u);
        board.restore();
    }
}

TEST(Board, AFunctionCanBeAnsweredFromOutside) {
    Board board = board_with(SCENARIO_CALL_AT, small_config(), 0, guest_symbol("guest_memset").value);
    ASSERT_TRUE(board.add_breakpoint(guest_symbol("guest_memset")));
    ASSERT_TRUE(stopped_by<stop::Breakpoint>(board.run(kPlenty)));
    board.write(Register::a0, 42);
    board.write(Register::pc, board.read(Register::ra));
    EXPECT_TRUE(finished(board.run(kPlenty)));
    EXPECT_EQ(board.read(Register::a0), 42u);
}

TEST(Board, BreakpointsAreNotForUserCode) {
    Board board = board_with(SCENARIO_HYPERCALLS);
    ASSERT_TRUE(board.add_breakpoint(guest_symbol("hypercall_loop")));
    EXPECT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
    EXPECT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
}

TEST(Board, TracesTheLatestSupervisorBlocks) {
    Config config = small_config();
    config.trace_blocks_max = 10;
    Board board = board_with(SCENARIO_MEMORY_CALLS, config);
    EXPECT_TRUE(board.trace().empty());
    board.set_trace(true);
    EXPECT_TRUE(finished(board.run(kPlenty)));
    std::vector<VirtAddr> const trace = board.trace();
    ASSERT_EQ(trace.size(), 10u);
    for (VirtAddr const pc : trace) {
        EXPECT_GE(pc, guest_symbol("memory_calls_in_s"));
        EXPECT_LE(pc, guest_symbol("guest_memcpy") + 0x100);
    }
}

// --- reached code --------------------------------------------------------------------------------

TEST(Board, TellsOfAllCodeOfTheKernelThatRunsAndOfNoOther) {
    Config config = small_config();
    config.reached = std::make_shared<ReachedCode>(kRamStart, guest_image().size());
    Board board = board_with(SCENARIO_MEMORY_CALLS, config);
    board.set_trace(true);
    EXPECT_TRUE(finished(board.run(kPlenty)));
    auto const at = [](char const* symbol) { return PhysAddr{guest_symbol(symbol).value}; };
    for (auto const& [pc, bytes] : board.traced_code())
        for (std::uint64_t i = 0; i < bytes; i += 2)
            EXPECT_TRUE(config.reached->any(PhysAddr{pc.value} + i, PhysAddr{pc.value} + i + 2))
                << std::hex << pc.value;
    EXPECT_TRUE(config.reached->any(kRamStart, kRamStart + 2)) << "the first block of all, in M-mode";
    EXPECT_TRUE(config.reached->any(at("guest_memcpy"), at("guest_memcpy") + 2));
    EXPECT_FALSE(config.reached->any(at("hypercall_loop"), at("hypercall_loop") + 2)) << "another scenario's";

    // Boards may share it, and code of user mode is not the kernel's.
    Board other = board_with(SCENARIO_HYPERCALLS, config);
    ASSERT_TRUE(stopped_by<stop::Hypercall>(other.run(kPlenty)));
    ASSERT_TRUE(stopped_by<stop::Hypercall>(other.run(kPlenty)));
    EXPECT_FALSE(config.reached->any(at("hypercall_loop"), at("hypercall_loop") + 2));
    EXPECT_TRUE(config.reached->any(at("guest_memcpy"), at("guest_memcpy") + 2));
}

TEST(ReachedCode, SaysWhatIsNew) {
    ReachedCode reached(PhysAddr{0x1000}, 0x100);
    EXPECT_EQ(reached.add(PhysAddr{0x1010}, 8), 4U);
    EXPECT_EQ(reached.add(PhysAddr{0x1010}, 8), 0U);
    EXPECT_EQ(reached.add(PhysAddr{0x1014}, 8), 2U);
    EXPECT_EQ(reached.add(PhysAddr{0x10fe}, 8), 1U) << "the rest lies elsewhere";
}

TEST(ReachedCode, IsOfItsStretchAlone) {
    ReachedCode reached(PhysAddr{0x1000}, 0x100);
    reached.add(PhysAddr{0xff0}, 0x20);   // begins before it
    reached.add(PhysAddr{0x10fe}, 0x20);  // goes on behind it
    reached.add(PhysAddr{0x1020}, 4);
    EXPECT_FALSE(reached.any(PhysAddr{0}, PhysAddr{0x1020}));
    EXPECT_TRUE(reached.any(PhysAddr{0}, PhysAddr{0x1022}));
    EXPECT_TRUE(reached.any(PhysAddr{0x1022}, PhysAddr{0x1030}));
    EXPECT_FALSE(reached.any(PhysAddr{0x1024}, PhysAddr{0x10fe}));
    EXPECT_TRUE(reached.any(PhysAddr{0x10fe}, PhysAddr{0x9000}));
    EXPECT_FALSE(reached.any(PhysAddr{0x1100}, PhysAddr{0x9000}));
}

}  // namespace
}  // namespace vmcheck::board::test
