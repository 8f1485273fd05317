// Guests that do their worst: every run must end, and the host must come to no harm.
#include "impl/board/assembler.h"
#include "impl/board/test_guest.h"

#include <functional>

namespace vmcheck::board::test {
namespace {

// The budget may be overrun by a block, and a block by no more than a page of code.
constexpr Parcels kBudget{200'000};
constexpr std::uint64_t kOverrun = kPageBytes / 2 + kTrapCost.value;

void expect_budget_holds(Board& board) {
    for (int i = 0; i < 3; ++i) {
        Parcels const before = board.elapsed();
        EXPECT_TRUE(stopped_by<stop::BudgetExhausted>(board.run(kBudget)));
        std::uint64_t const spent = (board.elapsed() - before).value;
        EXPECT_GE(spent, kBudget.value);
        EXPECT_LE(spent, kBudget.value + kOverrun);
    }
}

class EndlessGuest : public testing::TestWithParam<int> {};

TEST_P(EndlessGuest, IsStoppedByTheBudget) {
    Board board = board_with(GetParam());
    expect_budget_holds(board);
}

INSTANTIATE_TEST_SUITE_P(Guests, EndlessGuest,
                         testing::Values(SCENARIO_LOOP_IN_M, SCENARIO_LOOP_IN_U, SCENARIO_FETCH_TRAP_LOOP,
                                         SCENARIO_ILLEGAL_TRAP_LOOP, SCENARIO_WAIT_FOR_TIMER, SCENARIO_PRINT_FOR_EVER));

TEST(HostileGuest, ABudgetOfNothingStillEndsAndStillMoves) {
    Board board = board_with(SCENARIO_LOOP_IN_M);
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(stopped_by<stop::BudgetExhausted>(board.run(Parcels{0})));
    EXPECT_GE(board.elapsed(), Parcels{10});
    EXPECT_TRUE(stopped_by<stop::BudgetExhausted>(board.run(Parcels{1})));
}

TEST(HostileGuest, PrintingForEverFillsTheConsoleOnly) {
    Config config = small_config();
    config.console_bytes_max = 1000;
    Board board = board_with(SCENARIO_PRINT_FOR_EVER, config);
    EXPECT_TRUE(stopped_by<stop::BudgetExhausted>(board.run(kBudget)));
    EXPECT_EQ(board.console().size(), 1000u);
    EXPECT_GT(board.console_dropped(), 1000u);
}

TEST(HostileGuest, CodeThatModifiesItselfRunsAsWritten) {
    Board board = board_with(SCENARIO_MODIFY_CODE);
    EXPECT_TRUE(finished(board.run(kPlenty)));
    EXPECT_EQ(board.read(Register::t0), 99u * 100u / 2u);
}

// satp values that lead nowhere: the next fetch faults, the handler's fetch faults, and so on for ever.
TEST(HostileGuest, GarbageInSatpIsATrapLoop) {
    for (std::uint64_t const satp :
         {kSatpModeSv39, kSatpModeSv39 | 0xfff'ffff'ffff, kSatpModeSv39 | 0x10000, std::uint64_t{9} << 60 | 0x80000,
          kSatpModeSv39 | kRamStart.frame().value /* the guest's own code taken for PTEs */}) {
        Board board = board_with(SCENARIO_SATP, small_config(), satp);
        Parcels const before = board.elapsed();
        EXPECT_TRUE(stopped_by<stop::BudgetExhausted>(board.run(kBudget))) << std::hex << satp;
        EXPECT_LE((board.elapsed() - before).value, kBudget.value + kOverrun);
        // Whatever the budget: once it is clear that there is no handler, the rest of it passes at once.
        EXPECT_LT(board.counters().traps, 3000u);
    }
}

TEST(HostileGuest, AModeThatTheHartLacksIsNotTaken) {
    Board board = board_with(SCENARIO_SATP, small_config(), (std::uint64_t{15} << 60) | 0x80000);
    EXPECT_TRUE(finished(board.run(kPlenty)));
}

TEST(HostileGuest, APageTableThatPointsToItselfEndsInAFault) {
    Board board = bare_board();
    PageTables tables{board, PhysAddr{0x8020'0000}};
    tables.put(tables.root(), ((tables.root().value >> kPageShift) << pte::ppn_shift) | pte::valid);
    EXPECT_EQ(board.translate(tables.satp(), VirtAddr{0x123}, Access::load, Privilege::supervisor).error(),
              PageFault::no_leaf);
    start(board, SCENARIO_SATP, tables.satp());
    EXPECT_TRUE(stopped_by<stop::BudgetExhausted>(board.run(kBudget)));
}

// However many runs share the work, since a caller that looks in now and then gives a short budget to each.
TEST(HostileGuest, WhatKeepsTheHostBusyIsPaidForAcrossRuns) {
    constexpr std::array<std::uint32_t, 3> kFlushForEver{assembler::ld(10, 11), 0x1200'0073 /* sfence.vma */,
                                                         0xff9f'f06f /* j .-8 */};
    Board board = bare_board();
    ASSERT_TRUE(board.write(kRamStart, std::as_bytes(std::span{kFlushForEver})));
    board.reset(kRamStart);
    board.write(Register::a1, kRamStart.value);
    for (int i = 0; i < 60; ++i) EXPECT_TRUE(stopped_by<stop::BudgetExhausted>(board.run(kBudget)));
    EXPECT_LT(board.counters().fills, 1'500'000u) << "of " << board.elapsed().value << " parcels";
}

// A page table in the page that is executed: the walk's A and D bits land in code.
TEST(HostileGuest, CodeThatIsAlsoAPageTableIsHarmless) {
    Board board = bare_board();
    ASSERT_TRUE(board.write(kRamStart, guest_image()));
    PageTables tables{board, PhysAddr{0x8000'2000}};
    tables.map_range(kRamStart, 0x8000, pte::valid | pte::read | pte::write | pte::execute);
    board.reset(kRamStart);
    board.write(Register::a1, SCENARIO_MEMORY_CALLS);
    board.write(Register::a2, tables.satp());
    Stop const stop = board.run(kBudget);
    EXPECT_FALSE(std::holds_alternative<stop::EngineError>(stop));
}

TEST(HostileGuest, AccessesToNothingReadZeroAndAreRemembered) {
    Board board = board_with(SCENARIO_HYPERCALLS);
    ASSERT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
    // In bare mode, an address is physical.
    board.write(Register::a0, 0x4000'0010);
    board.write(Register::pc, guest_symbol("load_here").value);
    board.write(Register::a1, 1);
    ASSERT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
    EXPECT_EQ(board.read(Register::a1), 0u);
    ASSERT_EQ(board.void_accesses().size(), 1u);
    EXPECT_EQ(board.void_accesses()[0].page, PhysAddr{0x4000'0000});
    EXPECT_EQ(board.void_accesses()[0].access, Access::load);

    board.write(Register::pc, guest_symbol("store_here").value);
    for (std::uint64_t i = 0; i < 100; ++i) {
        board.write(Register::a0, 0x4000'0000 + i * kPageBytes);
        ASSERT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
    }
    EXPECT_EQ(board.void_accesses().size(), 16u) << "only the first few are kept";
    EXPECT_GE(board.counters().void_accesses, 100u);
}

TEST(HostileGuest, JumpingToADeviceOrToNothingIsAnAccessFault) {
    for (std::uint64_t const target : {0x1000'0000u, 0x4000'0000u, 0x0u}) {
        Board board = board_with(SCENARIO_HYPERCALLS);
        ASSERT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
        board.write(Register::pc, target);
        EXPECT_TRUE(finished(board.run(kPlenty)));
        EXPECT_EQ(board.read_u64(kCauseAt), 1u);
        EXPECT_EQ(board.read_u64(kCauseAt + 16), target);
    }
}

// --- disk ----------------------------------------------------------------------------------------

struct DiskWrite {
    std::uint64_t address;
    std::uint64_t value;
};

constexpr std::uint64_t kDiskRegisters = 0x1000'1000;
constexpr PhysAddr kQueueRings{0x8020'0000};

std::vector<DiskWrite> set_up_queue(PhysAddr rings) {
    return {{kDiskRegisters + 0x70, 0},
            {kDiskRegisters + 0x70, 15},
            {kDiskRegisters + 0x38, 8},
            {kDiskRegisters + 0x80, rings.value},
            {kDiskRegisters + 0x90, rings.value + 0x1000},
            {kDiskRegisters + 0xa0, rings.value + 0x2000},
            {kDiskRegisters + 0x84, 0},
            {kDiskRegisters + 0x94, 0},
            {kDiskRegisters + 0xa4, 0},
            {kDiskRegisters + 0x44, 1}};
}

Board run_writes(std::vector<DiskWrite> const& writes, std::vector<std::byte> disk = {},
                 std::function<void(Board&)> const& prepare = {}) {
    Config config = small_config();
    config.disk_image = std::move(disk);
    Board board = bare_board(config);
    PhysAddr const at{0x8030'0000};
    EXPECT_TRUE(board.write(at, std::as_bytes(std::span{writes})));
    if (prepare) prepare(board);
    start(board, SCENARIO_DEVICE_WRITES, at.value, writes.size());
    EXPECT_TRUE(finished(board.run(kPlenty)));
    return board;
}

void put(Board& board, PhysAddr at, std::vector<std::uint64_t> const& words) {
    ASSERT_TRUE(board.write(at, std::as_bytes(std::span{words})));
}

TEST(HostileGuest, WildDmaIsRefused) {
    for (std::uint64_t const target : {0x0u, 0x1000'0000u, 0x7fff'ffffu, 0x803f'ffffu}) {
        std::vector<DiskWrite> writes = set_up_queue(kQueueRings);
        writes.push_back({kDiskRegisters + 0x50, 0});
        Board const board = run_writes(writes, std::vector<std::byte>(4096), [&](Board& b) {
            put(b, kQueueRings, {kQueueRings.value + 0x800, 16 | (1ull << 32) | (1ull << 48)});
            put(b, kQueueRings + 16, {target, 512 | (3ull << 32) | (2ull << 48)});
            put(b, kQueueRings + 32, {kQueueRings.value + 0x810, 1 | (2ull << 32)});
            put(b, kQueueRings + 0x1000, {1ull << 16});
        });
        EXPECT_EQ(board.counters().disk_errors, 1u) << std::hex << target;
    }
}

// The disk writes to a page whose code ran before, is told to by the last instructions of the page before it, and
// raises no interrupt that would be taken.
TEST(HostileGuest, CodeThatTheDiskHasWrittenRunsAtOnce) {
    namespace as = assembler;
    constexpr PhysAddr kMain{0x8030'2000}, kBefore{0x8031'0ff8}, kCode{0x8031'1000};
    constexpr unsigned kA0 = 10, kS3 = 19, kT3 = 28, kT4 = 29;
    auto const code = [](unsigned number) { return std::vector<std::uint32_t>{as::li(kA0, number), as::ret}; };
    auto const write = [](Board& board, PhysAddr at, std::vector<std::uint32_t> const& program) {
        ASSERT_TRUE(board.write(at, std::as_bytes(std::span{program})));
    };
    std::vector<std::byte> disk(4096);
    std::vector<std::uint32_t> const new_code = code(2);
    std::ranges::copy(std::as_bytes(std::span{new_code}), disk.begin());
    Board board = run_writes(set_up_queue(kQueueRings), disk, [&](Board& b) {
        put(b, kQueueRings, {kQueueRings.value + 0x800, 16 | (1ull << 32) | (1ull << 48)});
        put(b, kQueueRings + 16, {kCode.value, 512 | (3ull << 32) | (2ull << 48)});
        put(b, kQueueRings + 32, {kQueueRings.value + 0x810, 1 | (2ull << 32)});
        put(b, kQueueRings + 0x800, {0, 0});
        put(b, kQueueRings + 0x1000, {1ull << 16});
        write(b, kMain, {as::jalr(1, kS3), as::jalr(1, kT3), as::ecall});
        write(b, kBefore, {as::sw(0, kT4), as::fence_i});
        write(b, kCode, code(1));
    });
    board.write(Register{kS3}, kCode.value);
    board.write(Register{kT3}, kBefore.value);
    board.write(Register{kT4}, kDiskRegisters + 0x50);
    board.write(Register::pc, kMain.value);
    EXPECT_TRUE(finished(board.run(kPlenty)));
    EXPECT_EQ(board.counters().disk_requests, 1u);
    EXPECT_EQ(board.read(Register::a0), 2u);
}

TEST(HostileGuest, QueuesAnywhereAreSurvived) {
    for (std::uint64_t const rings : {0x0u, 0x1000'1000u, 0x7fff'ff00u, 0x803f'fff8u, 0xffff'f000u}) {
        std::vector<DiskWrite> writes = set_up_queue(PhysAddr{rings});
        writes.push_back({kDiskRegisters + 0x50, 0});
        run_writes(writes);
    }
}

TEST(HostileGuest, GarbageInEveryDeviceRegisterIsSurvived) {
    std::vector<DiskWrite> writes;
    for (std::uint64_t offset = 0; offset < 0x200; offset += 4) writes.push_back({kDiskRegisters + offset, 0xffffffff});
    for (std::uint64_t offset = 0; offset < 0x400; offset += 4) writes.push_back({0x1000'0000 + offset, 0xffffffff});
    for (std::uint64_t offset = 0; offset < 0x4000; offset += 124) writes.push_back({0x0c00'0000 + offset, 0xffffffff});
    for (std::uint64_t offset = 0; offset < 0x10000; offset += 1020)
        writes.push_back({0x0200'0000 + offset, 0xffffffff});
    run_writes(writes, std::vector<std::byte>(4096));
}

}  // namespace
}  // namespace vmcheck::board::test
