#pragma once
// For tests: a run of the board's test guest, recorded. A timer counts at kTicksAt while user code asks again and
// again.

#include "checker/debug/timeline.h"
#include "impl/board/test_guest.h"

namespace vmcheck::debug {

struct RecordedGuest {
    explicit RecordedGuest(unsigned harts = 1, int scenario = SCENARIO_SSTC_TIMER,
                           Timeline::Limits limits = {2'000, 64u << 20}, board::Parcels each = board::Parcels{5'000})
        : board(board::test::board_with(scenario, config(harts), 1'000, harts)) {
        EXPECT_TRUE(board.take_golden());
        EXPECT_TRUE(board.watch_instructions(nullptr));
        board::Checkpoint const start = board.save();
        board::Recording recording;
        board.record(&recording);
        for (std::uint64_t i = 0; i < 400; ++i) {
            board.run(each);
            board.write(board::Register::a0, i);
            board.mark(board::Request::Kind::order);
            if (i % 4 == 3) board.raise_timer();
            if (harts > 1) board.switch_hart_after(board::Blocks{3 + i});
        }
        board.record(nullptr);
        hash = board.hash();
        auto made = Timeline::make(board, start, std::move(recording), limits);
        EXPECT_TRUE(made) << made.error();
        if (made) timeline = std::move(*made);
    }

    static board::Config config(unsigned harts) {
        board::Config config = board::test::small_config();
        config.harts = harts;
        return config;
    }
    std::uint64_t ticks() const { return *board.read_u64(board::test::kTicksAt); }
    VirtAddr pc() const { return VirtAddr{board.read(timeline->hart(), board::Register::pc)}; }

    board::Board board;
    std::uint64_t hash = 0;
    std::unique_ptr<Timeline> timeline;
};

inline Watch ticks_watch(Watch::Kind kind = Watch::Kind::change) {
    return {kind, VirtAddr{board::test::kTicksAt.value}, board::test::kTicksAt, 8};
}

}  // namespace vmcheck::debug
