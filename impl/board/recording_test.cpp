// A recording is the same run again, on boards with one hart and with several; and a board that tells of its
// instructions stops before any of them.
#include "impl/board/test_guest.h"

namespace vmcheck::board::test {
namespace {

class Counter final : public InstructionWatcher {
  public:
    bool stops_before(HartIndex, VirtAddr pc) override {
        last = pc;
        return count++ == stop_at;
    }
    std::uint64_t count = 0;
    std::uint64_t stop_at = ~std::uint64_t{0};
    VirtAddr last;
};

// What a debugger does: a run is recorded, and done again.
struct Recorded {
    Recorded(int scenario, unsigned harts)
        : board(board_with(scenario, [harts] {
              Config config = small_config();
              config.harts = harts;
              return config;
          }())) {
        EXPECT_TRUE(board.take_golden());
        EXPECT_TRUE(board.watch_instructions(&counter));
        Checkpoint const here = board.save();
        board.record(&recording);
        for (std::uint64_t i = 0; i < 20; ++i) {
            Stop const stop = board.run(Parcels{20'000});
            if (std::holds_alternative<stop::Idle>(stop) || std::holds_alternative<stop::MachineTrap>(stop)) break;
            board.write(Register::a0, i);
            if (i % 4 == 3) board.raise_timer();
            if (board.harts() > 1) board.switch_hart_after(Blocks{7 + i});
        }
        board.record(nullptr);
        start.emplace(here);
    }

    // Everything again, or up to where the counter stops it.
    void again() {
        board.restore(*start);
        counter.count = 0;
        for (Request const& request : recording.requests) {
            request.again(board);
            if (counter.count > counter.stop_at) return;
            EXPECT_EQ(board.elapsed(), request.elapsed);
        }
    }

    Counter counter;
    Recording recording;
    Board board;
    std::optional<Checkpoint> start;
};

TEST(Recording, DoneAgainComesToTheSameState) {
    for (auto const& [scenario, harts] : {std::pair{SCENARIO_SSTC_TIMER, 1U},
                                          {SCENARIO_CLINT_TIMER, 1U},
                                          {SCENARIO_SCRIBBLE, 1U},
                                          {SCENARIO_MODIFY_CODE, 1U},
                                          {SCENARIO_HYPERCALLS, 3U}}) {
        Recorded recorded(scenario, harts);
        std::uint64_t const end = recorded.board.hash(), instructions = recorded.counter.count;
        EXPECT_GT(instructions, 0U) << scenario;
        for (int i = 0; i < 2; ++i) {
            recorded.again();
            EXPECT_EQ(recorded.board.hash(), end) << scenario;
            EXPECT_EQ(recorded.counter.count, instructions) << scenario;
        }
    }
}

TEST(Recording, StopsBeforeAnyInstruction) {
    Recorded recorded(SCENARIO_CLINT_TIMER, 1);
    std::uint64_t const end = recorded.board.hash(), instructions = recorded.counter.count;
    for (std::uint64_t at = 0; at < instructions; at += instructions / 17 + 1) {
        recorded.counter.stop_at = at;
        recorded.again();
        EXPECT_EQ(recorded.board.read(Register::pc), recorded.counter.last.value) << at;
        std::uint64_t const before = recorded.board.hash();
        recorded.again();
        EXPECT_EQ(recorded.board.hash(), before) << at;
    }
    recorded.counter.stop_at = ~std::uint64_t{0};
    recorded.again();
    EXPECT_EQ(recorded.board.hash(), end);
}

TEST(Recording, WhatWasGoneBackFromDidNotHappen) {
    Recorded recorded(SCENARIO_SSTC_TIMER, 1);
    Board& board = recorded.board;
    board.restore(*recorded.start);
    Recording recording;
    board.record(&recording);
    board.run(Parcels{20'000});
    Checkpoint const here = board.save();
    board.run(Parcels{20'000});
    board.restore(here);
    board.write(Register::a0, 5);
    board.record(nullptr);
    EXPECT_EQ(std::ranges::count(recording.requests, Request::Kind::run, &Request::kind), 1);
    std::uint64_t const end = board.hash();
    board.restore(*recorded.start);
    for (Request const& request : recording.requests) request.again(board);
    EXPECT_EQ(board.hash(), end);
}

TEST(Recording, ToTellOfInstructionsChangesNothing) {
    auto const ran = [](bool told) {
        Board board = board_with(SCENARIO_SSTC_TIMER);
        Counter counter;
        if (told) {
            EXPECT_TRUE(board.watch_instructions(&counter));
        }
        for (int i = 0; i < 8; ++i) board.run(Parcels{5'000});
        return std::pair{board.hash(), board.counters().blocks};
    };
    EXPECT_EQ(ran(true), ran(false));
}

}  // namespace
}  // namespace vmcheck::board::test
