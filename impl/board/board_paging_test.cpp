// Translation as a running guest meets it: faults with their causes and addresses, A and D bits, dirty frames. The walk
// itself is tested in sv39_test.cpp.
#include "impl/board/test_guest.h"

namespace vmcheck::board::test {
namespace {

class BoardPaging : public testing::Test {
  protected:
    static constexpr std::uint64_t kSupervisor = pte::valid | pte::read | pte::write | pte::execute;
    static constexpr std::uint64_t kUser = kSupervisor | pte::user;
    static constexpr VirtAddr kData{0x1000};
    static constexpr PhysAddr kDataAt{0x8010'0000};

    // The guest's own pages one to one: the user's loops with U, all else without.
    void map_guest() {
        tables.map_range(kRamStart, 0x20000, kSupervisor);
        tables.map_range(PhysAddr{kUserPage.value}, kPageBytes, kUser);
    }
    void begin(int scenario) {
        start(board, scenario, tables.satp());
        ASSERT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
    }

    VirtAddr const kUserPage = start_of(guest_symbol("load_loop").page());
    Board board = bare_board();
    PageTables tables{board, PhysAddr{0x8020'0000}};
};

TEST_F(BoardPaging, AUserLoadIsTranslatedAndSetsTheAccessedBitOnly) {
    map_guest();
    PhysAddr const entry = tables.map(kData, kDataAt, kUser);
    begin(SCENARIO_LOAD_IN_U);
    std::uint64_t const value = 0x1122334455667788;
    ASSERT_TRUE(board.write(kDataAt + 8, std::as_bytes(std::span{&value, 1})));
    board.write(Register::a0, kData.value + 8);
    ASSERT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
    EXPECT_EQ(board.read(Register::a1), value);
    EXPECT_EQ(*board.read_u64(entry) & (pte::accessed | pte::dirty), pte::accessed);
}

TEST_F(BoardPaging, AUserStoreSetsTheDirtyBitAndMarksTheFrame) {
    map_guest();
    PhysAddr const entry = tables.map(kData, kDataAt, kUser);
    begin(SCENARIO_STORE_IN_U);
    EXPECT_FALSE(board.is_dirty(kDataAt.frame()));
    board.write(Register::a0, kData.value + 16);
    board.write(Register::a1, 99);
    ASSERT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
    EXPECT_EQ(board.read_u64(kDataAt + 16), 99u);
    EXPECT_EQ(*board.read_u64(entry) & (pte::accessed | pte::dirty), pte::accessed | pte::dirty);
    EXPECT_TRUE(board.is_dirty(kDataAt.frame()));
}

TEST_F(BoardPaging, EveryStoreSinceTheLastLookIsToldOf) {
    map_guest();
    tables.map(kData, kDataAt, kUser);
    begin(SCENARIO_STORE_IN_U);
    board.take_written_frames();
    auto const store = [&](std::uint64_t value) {
        board.write(Register::a0, kData.value);
        board.write(Register::a1, value);
        ASSERT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
    };
    for (std::uint64_t value : {1u, 2u, 3u}) {
        store(value);
        EXPECT_EQ(board.read_u64(kDataAt), value);
        EXPECT_EQ(std::ranges::count(board.take_written_frames(), kDataAt.frame()), 1) << "store " << value;
    }
    // By the next look, nothing can be stored there without a TLB fill.
    board.write(Register::satp, tables.satp());
    board.take_written_frames();
    EXPECT_EQ(std::ranges::count(board.take_written_frames(), kDataAt.frame()), 0);
    store(4);
    EXPECT_EQ(std::ranges::count(board.take_written_frames(), kDataAt.frame()), 1);
}

TEST_F(BoardPaging, AFaultTellsCausePcAndExactAddress) {
    map_guest();
    tables.map(kData, kDataAt, pte::valid | pte::read | pte::user);
    begin(SCENARIO_STORE_IN_U);
    board.write(Register::a0, kData.value + 0x123);
    EXPECT_TRUE(finished(board.run(kPlenty)));
    EXPECT_EQ(board.read_u64(kCauseAt), 15u);
    EXPECT_EQ(VirtAddr{*board.read_u64(kCauseAt + 8)}.page(), kUserPage.page());
    EXPECT_EQ(board.read_u64(kCauseAt + 16), kData.value + 0x123);
}

TEST_F(BoardPaging, AnAccessThatCrossesIntoABadPageFaultsAtThatPage) {
    map_guest();
    tables.map(kData, kDataAt, kUser);
    begin(SCENARIO_LOAD_IN_U);
    board.write(Register::a0, kData.value + kPageBytes - 4);
    EXPECT_TRUE(finished(board.run(kPlenty)));
    EXPECT_EQ(board.read_u64(kCauseAt), 13u);
    EXPECT_EQ(board.read_u64(kCauseAt + 16), kData.value + kPageBytes);
}

TEST_F(BoardPaging, NonCanonicalAddressesFault) {
    map_guest();
    begin(SCENARIO_LOAD_IN_U);
    board.write(Register::a0, 0x8000'0000'0000'0123);
    EXPECT_TRUE(finished(board.run(kPlenty)));
    EXPECT_EQ(board.read_u64(kCauseAt), 13u);
    EXPECT_EQ(board.read_u64(kCauseAt + 16), 0x8000'0000'0000'0123u);
}

TEST_F(BoardPaging, UsersCannotReachSupervisorPages) {
    map_guest();
    begin(SCENARIO_LOAD_IN_U);
    board.write(Register::a0, kRamStart.value);
    EXPECT_TRUE(finished(board.run(kPlenty)));
    EXPECT_EQ(board.read_u64(kCauseAt), 13u);
}

TEST_F(BoardPaging, AFetchFaultTellsTheTarget) {
    map_guest();
    begin(SCENARIO_LOAD_IN_U);
    board.write(Register::pc, 0x5002);
    EXPECT_TRUE(finished(board.run(kPlenty)));
    EXPECT_EQ(board.read_u64(kCauseAt), 12u);
    EXPECT_EQ(board.read_u64(kCauseAt + 8), 0x5002u);
    EXPECT_EQ(board.read_u64(kCauseAt + 16), 0x5002u);
}

TEST_F(BoardPaging, AFaultOfTheKernelItselfIsRemembered) {
    tables.map_range(kRamStart, 0x20000, kSupervisor);
    start(board, SCENARIO_CALL_AT, tables.satp(), 0x7000);
    EXPECT_TRUE(finished(board.run(kPlenty)));
    std::optional<KernelFault> const fault = board.last_kernel_fault();
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->cause, 12u);
    EXPECT_EQ(fault->pc, VirtAddr{0x7000});
    EXPECT_EQ(fault->value, 0x7000u);
    EXPECT_GT(fault->return_address, guest_symbol("call_at_in_s"));
}

TEST_F(BoardPaging, TranslatingFromOutsideChangesNothing) {
    PhysAddr const entry = tables.map(kData, kDataAt, kUser);
    auto const result = board.translate(tables.satp(), kData + 5, Access::store, Privilege::user);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->address, kDataAt + 5);
    EXPECT_EQ(result->pte_at, entry);
    EXPECT_EQ(*board.read_u64(entry) & (pte::accessed | pte::dirty), 0u);
    EXPECT_EQ(board.translate(tables.satp(), kData, Access::store, Privilege::supervisor).error(),
              PageFault::privilege);
}

// The same address leads elsewhere under another table, and the guest has no sfence.vma between the two.
TEST(BoardSatp, AWriteFlushesTranslationsUnlessToldOtherwise) {
    for (bool const flush : {true, false}) {
        SCOPED_TRACE(flush);
        Config config = small_config();
        config.flush_on_satp_write = flush;
        Board board = bare_board(config);
        constexpr std::uint64_t kAll = pte::valid | pte::read | pte::write | pte::execute;
        PageTables one{board, PhysAddr{0x8020'0000}};
        PageTables two{board, PhysAddr{0x8024'0000}};
        for (PageTables* const tables : {&one, &two}) tables->map_range(kRamStart, 0x4000, kAll);
        one.map(VirtAddr{0x1000}, PhysAddr{0x8030'0000}, kAll);
        two.map(VirtAddr{0x1000}, PhysAddr{0x8031'0000}, kAll);
        one.put(PhysAddr{0x8030'0000}, 1);
        one.put(PhysAddr{0x8031'0000}, 2);
        start(board, SCENARIO_SWITCH_SATP, one.satp(), two.satp());
        auto const golden = board.take_golden();
        ASSERT_TRUE(golden);
        Board adopter = bare_board(config);
        ASSERT_TRUE(adopter.adopt(*golden));
        for (Board* const each : {&board, &adopter}) {
            EXPECT_TRUE(finished(each->run(kPlenty)));
            EXPECT_EQ(each->read(Register::t0), 1u);
            EXPECT_EQ(each->read(Register::t1), flush ? 2u : 1u);
        }
        EXPECT_EQ(board.hash(), adopter.hash());
    }
}

}  // namespace
}  // namespace vmcheck::board::test
