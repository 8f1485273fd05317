// Calls that the host does for the guest must leave the same machine behind as the guest's own loops.
#include "impl/board/assembler.h"
#include "impl/board/test_guest.h"

namespace vmcheck::board::test {
namespace {

Config accelerated() {
    Config config = small_config();
    config.memset_at = guest_symbol("guest_memset");
    config.memmove_at = guest_symbol("guest_memmove");
    return config;
}

// All of RAM, and which frames are dirty, after the scenario's calls.
struct FinalState {
    std::vector<std::byte> memory;
    std::vector<FrameNo> dirty;
    Counters counters;
};

FinalState run_calls(Config config, bool paging) {
    Board board = bare_board(std::move(config));
    PageTables tables{board, PhysAddr{0x8020'0000}};
    tables.map_range(kRamStart, 0x200000, pte::valid | pte::read | pte::write | pte::execute);
    start(board, SCENARIO_MEMORY_CALLS, paging ? tables.satp() : 0);
    EXPECT_TRUE(board.take_golden());
    EXPECT_TRUE(finished(board.run(kPlenty)));
    FinalState state{{board.ram().begin(), board.ram().end()},
                     {board.dirty_frames().begin(), board.dirty_frames().end()},
                     board.counters()};
    std::ranges::sort(state.dirty);
    return state;
}

class Acceleration : public testing::TestWithParam<bool> {};

TEST_P(Acceleration, LeavesTheSameBytesAndTheSameDirtyFrames) {
    FinalState const off = run_calls(small_config(), GetParam());
    FinalState const on = run_calls(accelerated(), GetParam());
    EXPECT_EQ(off.counters.accelerated_calls, 0u);
    EXPECT_GT(on.counters.accelerated_calls, 100u);
    EXPECT_LT(on.counters.blocks, off.counters.blocks / 10);
    EXPECT_TRUE(on.memory == off.memory) << "page tables with their A and D bits included";
    EXPECT_EQ(on.dirty, off.dirty);
}

INSTANTIATE_TEST_SUITE_P(Translation, Acceleration, testing::Bool(),
                         [](auto const& test) { return test.param ? "sv39" : "bare"; });

TEST(Acceleration, LeavesToTheGuestWhatIsNotPlainMemory) {
    // memset of a page that is not mapped: the guest must fault by itself, at the right address.
    Board board = bare_board(accelerated());
    PageTables tables{board, PhysAddr{0x8020'0000}};
    tables.map_range(kRamStart, 0x20000, pte::valid | pte::read | pte::write | pte::execute);
    start(board, SCENARIO_MEMORY_CALLS, tables.satp());
    EXPECT_TRUE(finished(board.run(kPlenty)));
    ASSERT_TRUE(board.last_kernel_fault());
    EXPECT_EQ(board.last_kernel_fault()->cause, 15u);
    EXPECT_EQ(board.last_kernel_fault()->value, std::uint64_t{GUEST_BUFFERS_AT} + 3);
    EXPECT_EQ(board.counters().accelerated_calls, 0u);
}

TEST(Acceleration, OverlappingMemcpyIsLeftToTheGuest) {
    Config config = small_config();
    config.memcpy_at = guest_symbol("guest_memcpy");  // the same code as memmove, which is called with overlap
    FinalState const off = run_calls(small_config(), false);
    FinalState const on = run_calls(config, false);
    EXPECT_GT(on.counters.accelerated_calls, 0u);
    EXPECT_TRUE(on.memory == off.memory);
}

// A loop over a table of eight elements of 64 bytes, which counts its turns in t0 and adds up the states in a0.
class Scan : public testing::Test {
  protected:
    static constexpr PhysAddr kTable{0x8000'1000};
    static constexpr std::uint64_t kStride = 64, kElements = 8, kState = 24;
    static constexpr unsigned kT0 = 5, kS1 = 9, kA5 = 15, kS2 = 18;

    board::TableScan::Idle idle{.compared = 0, .if_equal = true};
    std::uint64_t loop_ends_at = kElements;

    // Elements whose state, or lock, is not 0.
    std::uint64_t turns(std::vector<std::uint64_t> const& used, std::vector<std::uint64_t> const& locked = {},
                        bool skips = true, bool known = true) {
        using namespace assembler;
        std::array const code{addi(kT0, kT0, 1),       lw(kA5, kS1, kState),   0x00f5'0533u /* add a0,a0,a5 */,
                              addi(kS1, kS1, kStride), bne_back(kS1, kS2, 16), loop};
        Config config = small_config();
        if (known)
            config.scans = {{.at = VirtAddr{kRamStart.value},
                             .element = kS1,
                             .end = kS2,
                             .first = kTable,
                             .stride = kStride,
                             .count = kElements,
                             .state_offset = kState,
                             .idle = idle}};
        board.emplace(bare_board(std::move(config)));
        board->write(kRamStart, std::as_bytes(std::span(code)));
        std::uint32_t const one = 1;
        for (std::uint64_t i : used) board->write(kTable + i * kStride + kState, std::as_bytes(std::span(&one, 1)));
        for (std::uint64_t i : locked) board->write(kTable + i * kStride, std::as_bytes(std::span(&one, 1)));
        board->reset(kRamStart);
        board->pass_over_idle(skips);
        board->write(Register::x9, kTable.value);
        board->write(Register::x18, (kTable + loop_ends_at * kStride).value);
        board->write(Register::t0, 0);
        board->run(Parcels{2000});
        EXPECT_EQ(board->read(Register::a0), used.size()) << "each that is used was looked at";
        EXPECT_EQ(board->read(Register::x9), board->read(Register::x18)) << "and the loop ended where it ends";
        return board->read(Register::t0);
    }

    std::optional<Board> board;
};

TEST_F(Scan, PassesOverWhatIsUnused) {
    EXPECT_EQ(turns({0, 3}), 4u) << "0, the last before 3, 3, the last";
    EXPECT_EQ(board->counters().passed_over, 1u + 3u);
    EXPECT_EQ(turns({}), 1u);
    EXPECT_EQ(turns({0, 1, 2, 3, 4, 5, 6, 7}), 8u);
    EXPECT_EQ(turns({7}), 2u);
}

TEST_F(Scan, IsTheSameWhenItIsDoneAgain) {
    for (bool skips : {true, false}) {
        turns({0, 3});
        EXPECT_TRUE(board->take_golden());
        Checkpoint const start = board->save();
        Recording recording;
        board->record(&recording);
        board->pass_over_idle(skips);
        board->write(Register::x9, kTable.value);
        board->write(Register::pc, kRamStart.value);
        board->write(Register::t0, 0);
        board->run(Parcels{2000});
        board->record(nullptr);
        std::uint64_t const end = board->hash();
        EXPECT_EQ(board->read(Register::t0), skips ? 4u : kElements);
        board->pass_over_idle(!skips);
        board->restore(start);
        for (Request const& request : recording.requests) request.again(*board);
        EXPECT_EQ(board->hash(), end);
    }
}

TEST_F(Scan, StopsAtALockThatIsHeld) {
    EXPECT_EQ(turns({0}, {4}), 4u) << "0, 3, 4, 7";
}

TEST_F(Scan, IsLeftToALoopThatEndsBeforeTheTable) {
    loop_ends_at = 3;
    EXPECT_EQ(turns({0}), 3u);
}

TEST_F(Scan, LooksAtEachSlotWhereItMust) {
    EXPECT_EQ(turns({0, 3}, {}, false), kElements);
    EXPECT_EQ(turns({0, 3}, {}, true, false), kElements);
}

// What is left of 2,000 parcels goes into blocks of two, at the end.
TEST_F(Scan, CostsTimeSoThatBudgetsHold) {
    turns({});
    EXPECT_LT(2 * board->counters().blocks + 16 * (kElements - 1), 2020u);
}

TEST_F(Scan, IsDoneInTrialsWhateverIsCountedOtherwise) {
    turns({}, {}, false);
    EXPECT_TRUE(board->take_golden());
    board->begin_trial();
    board->write(Register::x9, kTable.value);
    board->write(Register::pc, kRamStart.value);
    board->write(Register::t0, 0);
    board->run(Parcels{2000});
    EXPECT_EQ(board->read(Register::t0), 1u);
    board->end_trial();
    EXPECT_EQ(board->read(Register::t0), kElements);
}

TEST_F(Scan, PassesOverAllStatesThatTheLoopDoesNothingAbout) {
    constexpr unsigned kZeroToo = 6;  // t1: 0 from reset on
    idle = {.compared = kZeroToo, .if_equal = true};
    EXPECT_EQ(turns({0, 3}), 4u);
    idle.if_equal = false;
    EXPECT_EQ(turns({}), kElements) << "it acts on each";
}

// A loop over words from s1 to s2, which counts its turns in t0 and adds up the words in a0.
class Words : public testing::Test {
  protected:
    static constexpr PhysAddr kWords{0x8000'1f00};  // 32 words before the end of the page
    static constexpr unsigned kT0 = 5, kS1 = 9, kA5 = 15, kS2 = 18, kS3 = 19;

    // Of so many words, those that are not 0.
    std::uint64_t turns(std::uint64_t count, std::vector<std::uint64_t> const& set) {
        using namespace assembler;
        std::array const code{addi(kT0, kT0, 1), ld(kA5, kS1),           0x00f5'0533u /* add a0,a0,a5 */,
                              addi(kS1, kS1, 8), bne_back(kS1, kS2, 16), loop};
        Config config = small_config();
        config.word_scans = {
            {.at = VirtAddr{kRamStart.value}, .element = kS1, .end = kS2, .not_zero = std::bitset<32>{1u << kS3}}};
        board.emplace(bare_board(std::move(config)));
        board->write(kRamStart, std::as_bytes(std::span(code)));
        std::uint64_t const one = 1;
        for (std::uint64_t i : set) board->write(kWords + i * 8, std::as_bytes(std::span(&one, 1)));
        board->reset(kRamStart);
        board->pass_over_idle(skips);
        board->write(Register::x9, kWords.value + misplaced);
        board->write(Register::x18, kWords.value + misplaced + count * 8);
        board->write(Register::x19, differs);
        board->write(Register::t0, 0);
        board->run(Parcels{2000});
        EXPECT_EQ(board->read(Register::x9), board->read(Register::x18)) << "the loop ended where it ends";
        EXPECT_EQ(board->read(Register::a0), set.size()) << "each that is not 0 was looked at";
        return board->read(Register::t0);
    }

    std::optional<Board> board;
    bool skips = true;
    std::uint64_t differs = 1, misplaced = 0;
};

TEST_F(Words, PassesOverZeros) {
    EXPECT_EQ(turns(8, {0, 3}), 4u) << "0, the last before 3, 3, the last";
    EXPECT_EQ(board->counters().passed_over, 1u + 3u);
    EXPECT_EQ(turns(8, {}), 1u);
    EXPECT_EQ(turns(8, {7}), 2u);
    EXPECT_EQ(turns(1, {}), 1u);
    EXPECT_EQ(turns(2, {0, 1}), 2u);
}

TEST_F(Words, CostTimeSoThatBudgetsHold) {
    turns(32, {});
    EXPECT_LT(2 * board->counters().blocks + 2u * 31u, 2020u);
}

TEST_F(Words, GoesAPageAtATime) {
    EXPECT_EQ(turns(40, {}), 2u);
    EXPECT_EQ(turns(40, {31, 32}), 4u) << "the last before 31, 31, 32, the last";
}

TEST_F(Words, LooksAtEachWhereItMust) {
    differs = 0;
    EXPECT_EQ(turns(8, {3}), 8u) << "what the word is compared with is 0 now";
    differs = 1;
    skips = false;
    EXPECT_EQ(turns(8, {3}), 8u);
    skips = true;
    misplaced = 4;
    EXPECT_EQ(turns(8, {}), 8u) << "no words";
}

TEST_F(Words, AreMemoryAndNothingElse) {
    // A device, and beyond the end: the guest reads by itself, and faults where it must.
    for (std::uint64_t at : {0x1000'0000 - kWords.value, 0x9000'0000 - kWords.value}) {
        turns(1, {});
        board->reset(kRamStart);
        board->write(Register::x9, kWords.value + at);
        board->write(Register::x18, kWords.value + at + 64);
        board->run(Parcels{2000});
        EXPECT_EQ(board->counters().passed_over, 0u);
    }
}

}  // namespace
}  // namespace vmcheck::board::test
