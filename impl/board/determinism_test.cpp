// The same program from the same state is the same run: on the same board, on another, and with several harts.
#include "impl/board/test_guest.h"

#include <functional>
#include <thread>

namespace vmcheck::board::test {
namespace {

struct Run {
    std::string console;
    Parcels elapsed;
    std::uint64_t blocks = 0;
    std::uint64_t traps = 0;
    std::uint64_t hash = 0;
    friend bool operator==(Run const&, Run const&) = default;
};

Run run(int scenario, Config const& config, Parcels budget) {
    Board board = board_with(scenario, config);
    for (std::uint64_t i = 0; i < 20; ++i) {
        if (!std::holds_alternative<stop::Hypercall>(board.run(budget))) break;
        board.write(Register::a0, i);
        if (i % 4 == 3) board.raise_timer();
    }
    return {std::string{board.console()}, board.elapsed(), board.counters().blocks, board.counters().traps,
            board.hash()};
}

TEST(Determinism, TwoBoardsGiveTheSameRun) {
    for (int const scenario : {SCENARIO_SSTC_TIMER, SCENARIO_CLINT_TIMER, SCENARIO_SCRIBBLE, SCENARIO_WAIT_FOR_TIMER,
                               SCENARIO_MEMORY_CALLS, SCENARIO_MODIFY_CODE}) {
        EXPECT_EQ(run(scenario, small_config(), Parcels{50'000}), run(scenario, small_config(), Parcels{50'000}))
            << scenario;
    }
}

TEST(Determinism, TheSameRunCountsTheSameEdgesWhateverRanBefore) {
    Board board = board_with(SCENARIO_SCRIBBLE);
    ASSERT_TRUE(board.take_golden());
    auto const edges = [&board](std::uint64_t first) {
        std::vector<std::uint8_t> counters(1024);
        board.restore();
        board.count_edges(counters);
        for (std::uint64_t i = 0; i < 4; ++i) {
            EXPECT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
            board.write(Register::a0, first + i);
        }
        board.count_edges({});
        EXPECT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
        return counters;
    };
    std::vector<std::uint8_t> const once = edges(0);
    EXPECT_GT(std::ranges::count_if(once, [](std::uint8_t each) { return each > 0; }), 4);
    edges(7);
    EXPECT_EQ(edges(0), once);
}

TEST(Determinism, CuttingARunIntoPiecesDoesNotChangeIt) {
    auto run_in_pieces = [](std::uint64_t piece) {
        Board board = board_with(SCENARIO_SSTC_TIMER);
        EXPECT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
        board.write(Register::pc, guest_symbol("loop_in_m").value);
        std::uint64_t const start = board.elapsed().value;
        while (board.elapsed().value - start < 1'000'000) {
            std::uint64_t const left = 1'000'000 - (board.elapsed().value - start);
            board.run(Parcels{std::min(piece, left)});
        }
        return board.hash();
    };
    std::uint64_t const whole = run_in_pieces(1'000'000);
    EXPECT_EQ(run_in_pieces(100'000), whole);
    EXPECT_EQ(run_in_pieces(777), whole);
}

TEST(Determinism, BoardsInSeveralThreadsDoNotDisturbEachOther) {
    Board first = board_with(SCENARIO_SCRIBBLE);
    ASSERT_TRUE(stopped_by<stop::Hypercall>(first.run(kPlenty)));
    auto const golden = first.take_golden();
    ASSERT_TRUE(golden);
    auto work = [&golden](std::uint64_t& hash) {
        Board board = bare_board();
        ASSERT_TRUE(board.adopt(*golden));
        for (std::uint64_t i = 0; i < 200; ++i) {
            board.restore();
            for (std::uint64_t step = 0; step < 5; ++step) {
                ASSERT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
                board.write(Register::a0, i + step);
            }
        }
        hash = board.hash();
    };
    std::array<std::uint64_t, 3> hashes{};
    {
        std::vector<std::jthread> threads;
        threads.reserve(hashes.size());
        for (std::uint64_t& hash : hashes) threads.emplace_back(work, std::ref(hash));
    }
    EXPECT_EQ(hashes[0], hashes[1]);
    EXPECT_EQ(hashes[0], hashes[2]);
}

TEST(Determinism, SeveralHartsTakeTurnsInTheSameWay) {
    for (std::uint64_t const slice : {50u, 1000u}) {
        Config config = small_config();
        config.harts = 3;
        config.hart_slice = Blocks{slice};
        EXPECT_EQ(run(SCENARIO_READ_HART, config, Parcels{50'000}), run(SCENARIO_READ_HART, config, Parcels{50'000}));
    }
}

}  // namespace
}  // namespace vmcheck::board::test
