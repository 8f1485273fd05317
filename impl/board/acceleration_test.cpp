// Calls that the host does for the guest must leave the same machine behind as the guest's own loops.
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

}  // namespace
}  // namespace vmcheck::board::test
