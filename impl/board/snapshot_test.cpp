#include "impl/board/snapshot.h"

#include "impl/board/test_guest.h"

#include <sys/stat.h>

#include <set>

namespace vmcheck::board::test {
namespace {

// A board at its first hypercall, golden image taken.
Board golden_board(int scenario, Config config = small_config(), std::uint64_t a2 = 0) {
    Board board = board_with(scenario, std::move(config), a2);
    EXPECT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
    EXPECT_TRUE(board.take_golden());
    return board;
}

void answer(Board& board, std::uint64_t value) {
    board.write(Register::a0, value);
    ASSERT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
}

std::vector<FrameNo> sorted_dirty(Board const& board) {
    std::vector<FrameNo> frames{board.dirty_frames().begin(), board.dirty_frames().end()};
    std::ranges::sort(frames);
    return frames;
}

TEST(Snapshot, RestoringGivesBackExactlyTheGoldenMachine) {
    Board board = golden_board(SCENARIO_SCRIBBLE);
    std::uint64_t const golden = board.hash();
    EXPECT_TRUE(board.dirty_frames().empty());
    for (std::uint64_t i = 1; i <= 3; ++i) {
        answer(board, i);
        EXPECT_NE(board.hash(), golden);
        EXPECT_EQ(board.dirty_frames().size(), 16u);
        EXPECT_EQ(board.console().size(), 1u);
        EXPECT_EQ(board.restore(), 16u);
        EXPECT_EQ(board.hash(), golden);
        EXPECT_TRUE(board.dirty_frames().empty());
        EXPECT_TRUE(board.console().empty());
    }
}

TEST(Snapshot, DirtyFramesAreExactlyThoseThatWereWritten) {
    Board board = golden_board(SCENARIO_SCRIBBLE);
    answer(board, 5);
    std::vector<FrameNo> expected;
    for (std::uint64_t i = 0; i < 16; ++i) expected.push_back((PhysAddr{GUEST_SCRIBBLE_AT} + i * kPageBytes).frame());
    EXPECT_EQ(sorted_dirty(board), expected);
    answer(board, 6);
    EXPECT_EQ(sorted_dirty(board), expected) << "once each";
}

TEST(Snapshot, TheSameRunFollowsEveryRestore) {
    Board board = golden_board(SCENARIO_SSTC_TIMER);
    auto run = [&] {
        board.restore();
        for (std::uint64_t i = 0; i < 10; ++i) {
            if (i % 3 == 0) board.raise_timer();
            answer(board, i);
        }
        return board.hash();
    };
    std::uint64_t const first = run();
    EXPECT_EQ(run(), first);
    EXPECT_EQ(run(), first);
}

TEST(Snapshot, ACheckpointCanBeReturnedToFromAnywhere) {
    Board board = golden_board(SCENARIO_SCRIBBLE);
    std::uint64_t const golden = board.hash();
    answer(board, 1);
    Checkpoint const one = board.save();
    std::uint64_t const at_one = board.hash();
    answer(board, 2);
    Checkpoint const two = board.save();
    std::uint64_t const at_two = board.hash();
    EXPECT_GE(two.bytes(), 16 * kPageBytes);

    board.restore(one);
    EXPECT_EQ(board.hash(), at_one);
    EXPECT_EQ(board.console(), "b");
    answer(board, 2);
    EXPECT_EQ(board.hash(), at_two) << "the same answer leads to the same state";
    board.restore();
    EXPECT_EQ(board.hash(), golden);
    board.restore(two);
    EXPECT_EQ(board.hash(), at_two);
    EXPECT_EQ(board.console(), "bc") << "the console is part of it";
    EXPECT_EQ(board.dirty_frames().size(), 16u);
    board.restore(one);
    EXPECT_EQ(board.hash(), at_one);
}

TEST(Snapshot, WhatIsTriedOutIsUndone) {
    Board board = golden_board(SCENARIO_SCRIBBLE);
    for (std::uint64_t dirty : {0u, 16u}) {
        std::uint64_t const before = board.hash();
        board.begin_trial();
        answer(board, 2);
        answer(board, 3);
        EXPECT_NE(board.hash(), before);
        board.end_trial();
        EXPECT_EQ(board.hash(), before);
        EXPECT_EQ(board.dirty_frames().size(), dirty);
        answer(board, 1);
        EXPECT_EQ(board.restore(), 16u);
        answer(board, 1);
    }
}

// Of three quarters of RAM, which are given back to the host.
TEST(Snapshot, ManyFramesAreUndone) {
    Config config = small_config();
    config.ram_bytes = std::uint64_t{16} << 20;
    Board board = golden_board(SCENARIO_SCRIBBLE, config);
    answer(board, 1);
    Checkpoint const saved = board.save();
    std::uint64_t const at_save = board.hash();
    std::vector<std::byte> const many(3072 * kPageBytes, std::byte{7});
    auto const fill = [&] { ASSERT_TRUE(board.write(kRamStart + (std::uint64_t{4} << 20), many)); };
    fill();
    board.restore(saved);
    EXPECT_EQ(board.hash(), at_save);
    fill();
    Checkpoint const filled = board.save();
    std::uint64_t const at_fill = board.hash();
    EXPECT_LT(filled.bytes(), 1024 * kPageBytes) << "what is one byte again and again is not kept as such";
    EXPECT_EQ(board.restore(), 16u + 3072u);
    board.restore(filled);
    EXPECT_EQ(board.hash(), at_fill);
    board.restore();
    answer(board, 1);
    EXPECT_EQ(board.hash(), at_save);
}

std::uint64_t bytes_in_files(Golden const& golden, Golden const* but_of = nullptr) {
    std::set<int> files;
    for (Piece const& piece : golden.ram.pieces())
        if (piece.file) files.insert(piece.file->number());
    if (but_of)
        for (Piece const& piece : but_of->ram.pieces())
            if (piece.file) files.erase(piece.file->number());
    std::uint64_t blocks = 0;
    for (int const file : files) {
        struct stat found {};
        EXPECT_EQ(fstat(file, &found), 0);
        blocks += static_cast<std::uint64_t>(found.st_blocks);
    }
    return blocks * 512;
}

TEST(Snapshot, ImagesShareWhatIsAlikeAndKeepNoZeros) {
    Config config = small_config();
    config.ram_bytes = std::uint64_t{16} << 20;
    auto const with_junk = [&](std::byte last) {
        Board board = golden_board(SCENARIO_SCRIBBLE, config);
        std::vector<std::byte> junk(std::size_t{4} << 20, std::byte{1});
        for (std::size_t at = 8; at < junk.size(); at += kPageBytes) junk[at] = std::byte{2};  // no frame is plain
        junk.back() = last;
        EXPECT_TRUE(board.write(kRamStart + (std::uint64_t{8} << 20), junk));
        return board;
    };
    Board first = with_junk(std::byte{1}), second = with_junk(std::byte{2});
    std::uint64_t const hash = second.hash();
    auto const one = *first.take_golden();
    auto const two = *second.take_golden(one);
    EXPECT_GE(bytes_in_files(*one), std::uint64_t{4} << 20);
    EXPECT_LE(bytes_in_files(*one), std::uint64_t{6} << 20) << "of 16 MiB";
    EXPECT_LE(bytes_in_files(*two, one.get()), std::uint64_t{1} << 20);
    EXPECT_EQ(second.hash(), hash);
    Board third = bare_board(config);
    ASSERT_TRUE(third.adopt(two));
    EXPECT_EQ(third.hash(), hash);
    answer(third, 3);
    EXPECT_NE(third.hash(), hash);
    third.restore();
    EXPECT_EQ(third.hash(), hash);
}

TEST(Snapshot, FramesWrittenAfterACheckpointAreUndone) {
    Board board = golden_board(SCENARIO_SCRIBBLE);
    Checkpoint const before = board.save();
    std::uint64_t const hash = board.hash();
    answer(board, 1);
    EXPECT_EQ(board.restore(before), 16u);
    EXPECT_EQ(board.hash(), hash);
    EXPECT_TRUE(board.dirty_frames().empty());
}

TEST(Snapshot, AnotherBoardCanStartFromTheGoldenImage) {
    Config config = small_config();
    config.disk_image = std::vector<std::byte>(4096, std::byte{3});
    Board first = board_with(SCENARIO_SCRIBBLE, config);
    ASSERT_TRUE(stopped_by<stop::Hypercall>(first.run(kPlenty)));
    auto const golden = first.take_golden();
    ASSERT_TRUE(golden);

    config.disk_image.clear();
    Board second = bare_board(config);
    ASSERT_TRUE(second.adopt(*golden));
    EXPECT_EQ(second.hash(), first.hash());
    answer(first, 7);
    EXPECT_NE(second.hash(), first.hash()) << "they do not share what they write";
    answer(second, 7);
    EXPECT_EQ(second.hash(), first.hash());
    Checkpoint const seven = first.save();
    second.restore();
    second.restore(seven);
    EXPECT_EQ(second.hash(), first.hash()) << "checkpoints may be passed between boards on the same image";
}

TEST(Snapshot, ABoardThatHasRunCanAdoptToo) {
    Board first = golden_board(SCENARIO_SCRIBBLE);
    auto const golden = first.take_golden();
    Board second = board_with(SCENARIO_MODIFY_CODE);
    ASSERT_TRUE(finished(second.run(kPlenty)));
    ASSERT_TRUE(second.adopt(*golden));
    EXPECT_EQ(second.hash(), first.hash());
    answer(first, 7);
    answer(second, 7);
    EXPECT_EQ(second.hash(), first.hash());
}

TEST(Snapshot, ABoardOfAnotherShapeIsRefused) {
    Board first = golden_board(SCENARIO_SCRIBBLE);
    auto const golden = first.take_golden();
    Config config = small_config();
    config.ram_bytes *= 2;
    EXPECT_FALSE(bare_board(config).adopt(*golden));
    config = small_config();
    config.harts = 2;
    EXPECT_FALSE(bare_board(config).adopt(*golden));
}

TEST(Snapshot, TheImageOutlivesTheBoardThatTookIt) {
    std::shared_ptr<Golden const> golden;
    std::uint64_t hash = 0;
    {
        Board first = golden_board(SCENARIO_SCRIBBLE);
        golden = *first.take_golden();
        hash = first.hash();
    }
    Board second = bare_board();
    ASSERT_TRUE(second.adopt(golden));
    EXPECT_EQ(second.hash(), hash);
    answer(second, 1);
    second.restore();
    EXPECT_EQ(second.hash(), hash);
}

// A user page whose code the host replaces: what was translated from it must not run again.
class RewrittenCode : public testing::Test {
  protected:
    static constexpr PhysAddr kCode{0x8020'0000};

    void put_code(std::uint32_t result) {
        std::uint32_t const code[] = {0x00000513u | (result << 20), 0x00008067u};  // li a0, result; ret
        ASSERT_TRUE(board.write(kCode, std::as_bytes(std::span{code})));
    }
    std::uint64_t call() {
        answer(board, kCode.value);
        return board.read(Register::a0);
    }
    Board board = golden_board(SCENARIO_CALL_USER_CODE);
};

TEST_F(RewrittenCode, ByTheHostRunsAsWritten) {
    for (std::uint32_t i = 1; i <= 5; ++i) {
        put_code(i);
        EXPECT_EQ(call(), i);
        EXPECT_EQ(call(), i);
    }
    EXPECT_EQ(board.counters().invalidations, 4u);
}

TEST_F(RewrittenCode, ByRestoreRunsAsRestored) {
    put_code(1);
    ASSERT_TRUE(board.take_golden());
    EXPECT_EQ(call(), 1u);
    put_code(2);
    EXPECT_EQ(call(), 2u);
    board.restore();
    EXPECT_EQ(call(), 1u);
    std::uint64_t const invalidations = board.counters().invalidations;
    put_code(3);
    board.restore();
    EXPECT_EQ(call(), 1u);
    EXPECT_EQ(board.counters().invalidations, invalidations) << "the bytes were the same when they were next fetched";
}

TEST_F(RewrittenCode, ByACheckpointRunsAsSaved) {
    put_code(1);
    Checkpoint const one = board.save();
    EXPECT_EQ(call(), 1u);
    put_code(2);
    Checkpoint const two = board.save();
    EXPECT_EQ(call(), 2u);
    for (int i = 0; i < 3; ++i) {
        board.restore(one);
        EXPECT_EQ(call(), 1u);
        board.restore(two);
        EXPECT_EQ(call(), 2u);
    }
}

TEST_F(RewrittenCode, InATrialRunsAsBefore) {
    put_code(1);
    EXPECT_EQ(call(), 1u);
    std::size_t const dirty = board.dirty_frames().size();
    std::uint64_t const before = board.hash();
    board.begin_trial();
    EXPECT_EQ(board.hash(), before);
    put_code(2);
    EXPECT_EQ(call(), 2u);
    EXPECT_NE(board.hash(), before);
    board.end_trial();
    EXPECT_EQ(board.hash(), before);
    EXPECT_EQ(board.dirty_frames().size(), dirty);
    EXPECT_EQ(call(), 1u);
}

// What the guest writes to the disk is part of the machine.
TEST(Snapshot, DiskWritesAreUndone) {
    struct WordWrite {
        std::uint64_t address;
        std::uint64_t value;
    };
    constexpr std::uint64_t kDisk = 0x1000'1000;
    constexpr PhysAddr kRings{0x8020'0000};
    Config config = small_config();
    config.disk_image = std::vector<std::byte>(8192);
    Board board = bare_board(config);
    auto put = [&](PhysAddr at, std::vector<std::uint64_t> const& words) {
        ASSERT_TRUE(board.write(at, std::as_bytes(std::span{words})));
    };
    std::vector<WordWrite> const writes = {{kDisk + 0x70, 15},
                                           {kDisk + 0x38, 8},
                                           {kDisk + 0x80, kRings.value},
                                           {kDisk + 0x90, kRings.value + 0x1000},
                                           {kDisk + 0xa0, kRings.value + 0x2000},
                                           {kDisk + 0x44, 1},
                                           {kDisk + 0x50, 0}};
    ASSERT_TRUE(board.write(PhysAddr{0x8030'0000}, std::as_bytes(std::span{writes})));
    put(kRings, {kRings.value + 0x800, 16 | (1ull << 32) | (1ull << 48)});
    put(kRings + 16, {kRings.value + 0x3000, 512 | (1ull << 32) | (2ull << 48)});
    put(kRings + 32, {kRings.value + 0x810, 1 | (2ull << 32)});
    put(kRings + 0x1000, {1ull << 16});
    put(kRings + 0x800, {1, 5});  // write, to sector 5
    put(kRings + 0x3000, {0x1234});
    start(board, SCENARIO_DEVICE_WRITES, 0x8030'0000, writes.size());
    ASSERT_TRUE(board.take_golden());
    std::uint64_t const golden = board.hash();
    ASSERT_TRUE(finished(board.run(kPlenty)));
    EXPECT_EQ(board.counters().disk_requests, 1u);
    EXPECT_EQ(board.counters().disk_errors, 0u);
    Checkpoint const written = board.save();
    std::uint64_t const after = board.hash();
    board.restore();
    EXPECT_EQ(board.hash(), golden);
    board.restore(written);
    EXPECT_EQ(board.hash(), after);
    board.restore();
    ASSERT_TRUE(finished(board.run(kPlenty)));
    EXPECT_EQ(board.hash(), after);
}

}  // namespace
}  // namespace vmcheck::board::test
