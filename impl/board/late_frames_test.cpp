#include "impl/board/late_frames.h"

#include "impl/board/snapshot.h"
#include "impl/board/test_guest.h"

#include <sys/mman.h>

#include <array>

namespace vmcheck::board::test {
namespace {

using Page = std::array<std::byte, kPageBytes>;

constexpr std::byte kJunk{5};

TEST(PlainFrame, IsAPointerAndOneByteAgainAndAgain) {
    Page page;
    PlainFrame{0x8765'4321, kJunk}.write_to(page);
    EXPECT_EQ(page[0], std::byte{0x21});
    EXPECT_EQ(page[8], kJunk);
    auto const found = PlainFrame::of(page);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->pointer, 0x8765'4321u);
    EXPECT_EQ(found->filling, kJunk);
    for (std::size_t other : {std::size_t{8}, std::size_t{9}, kPageBytes / 2, kPageBytes - 1}) {
        Page changed = page;
        changed[other] = std::byte{6};
        EXPECT_FALSE(PlainFrame::of(changed)) << other;
    }
}

// A free list: each frame in the upper three quarters of RAM points to the next.
constexpr std::uint64_t kRam = std::uint64_t{16} << 20, kFree = kRam / 4 * 3 / kPageBytes;
PhysAddr free_frame(std::uint64_t number) {
    return kRamStart + kRam / 4 + number * kPageBytes;
}

Config config() {
    Config config;
    config.ram_bytes = kRam;
    return config;
}

// With a free list, and the frames that the guest writes to plain as well.
Board board_with_free_list() {
    Board board = board_with(SCENARIO_SCRIBBLE, config());
    EXPECT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
    auto const put = [&](PhysAddr at, std::uint64_t pointer) {
        Page page;
        PlainFrame{pointer, kJunk}.write_to(page);
        EXPECT_TRUE(board.write(at, page));
    };
    for (std::uint64_t i = 0; i < kFree; ++i) put(free_frame(i), free_frame(i + 1).value);
    for (std::uint64_t i = 0; i < 64; ++i) put(PhysAddr{GUEST_SCRIBBLE_AT} + i * kPageBytes, i);
    return board;
}

std::size_t pages_of_host(Board const& board) {
    std::vector<unsigned char> there(board.pages().size() / kPageBytes);
    EXPECT_EQ(mincore(const_cast<std::byte*>(board.pages().data()), board.pages().size(), there.data()), 0);
    return static_cast<std::size_t>(std::ranges::count_if(there, [](unsigned char each) { return (each & 1) != 0; }));
}

std::vector<std::byte> copy_of(std::span<std::byte const> bytes) {
    return {bytes.begin(), bytes.end()};
}

class Late : public testing::Test {
  protected:
    // The same, where nothing has ever been late.
    Board plainly = board_with_free_list();
    Board board = board_with_free_list();
    void SetUp() override { ASSERT_TRUE(board.take_golden()); }
    static void answer(Board& board, std::uint64_t value) {
        board.write(Register::a0, value);
        ASSERT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
    }
    void expect_the_same() const {
        EXPECT_EQ(board.hash(), plainly.hash());
        EXPECT_TRUE(std::ranges::equal(board.ram(), plainly.ram()));
    }
};

TEST_F(Late, FramesTakeNoMemoryUntilSomebodyLooks) {
    EXPECT_EQ(board.hash(), plainly.hash()) << "which leaves them as they are";
    std::size_t const before = pages_of_host(board);
    EXPECT_LT(before, kFree);
    EXPECT_EQ(board.read_u64(free_frame(7)), free_frame(8).value);
    EXPECT_EQ(pages_of_host(board), before + 1);
    expect_the_same();
    EXPECT_GE(pages_of_host(board), before + kFree) << "all of them were looked at";
}

TEST_F(Late, FramesAreThereForEachWayToLook) {
    EXPECT_EQ(board.read_u8(free_frame(0) + 100), 5);
    EXPECT_EQ(board.read_u64(free_frame(1) + kPageBytes - 4), free_frame(3).value << 32 | 0x0505'0505) << "across two";
    EXPECT_EQ((*board.frame(free_frame(4).frame()))[8], kJunk);
    EXPECT_EQ(board.bytes(free_frame(5) + kPageBytes - 1, 2)[0], kJunk);
    EXPECT_EQ(board.bytes(free_frame(5) + kPageBytes - 1, 2)[1], std::byte(free_frame(7).value & 0xff));
    expect_the_same();
}

TEST_F(Late, FramesAreWrittenOutBeforeTheGuestOrTheHostStoresToThem) {
    for (std::uint64_t value : {1u, 2u}) {
        answer(board, value);
        answer(plainly, value);
        std::array const byte{std::byte{9}};
        ASSERT_TRUE(board.write(free_frame(value) + 77, byte));
        ASSERT_TRUE(plainly.write(free_frame(value) + 77, byte));
        expect_the_same();
    }
}

TEST_F(Late, FramesAreTheImagesAfterRestore) {
    std::vector<std::byte> const golden = copy_of(plainly.ram());
    auto const after = [&](std::size_t frames) {
        std::vector<std::byte> const many(frames * kPageBytes, std::byte{7});
        answer(board, 3);
        ASSERT_TRUE(board.write(free_frame(3), many));
        EXPECT_EQ(board.restore(), 16 + frames);
        EXPECT_EQ(board.hash(), plainly.hash());
        EXPECT_TRUE(std::ranges::equal(board.ram(), golden));
    };
    after(1);
    after(3000);
    after(1);
}

TEST_F(Late, FramesAreTheCheckpointsAfterItsRestore) {
    answer(board, 1);
    answer(plainly, 1);
    Checkpoint const one = board.save();
    answer(board, 2);
    ASSERT_TRUE(board.write(free_frame(3), std::array{std::byte{1}}));
    board.restore(one);
    expect_the_same();
    board.restore();
    board.restore(one);
    expect_the_same();
}

TEST_F(Late, FramesAreAsTheyWereAfterATrial) {
    board.begin_trial();
    answer(board, 2);
    ASSERT_TRUE(board.write(free_frame(3), std::array{std::byte{1}}));
    board.end_trial();
    EXPECT_EQ(board.hash(), plainly.hash());
    expect_the_same();
}

TEST_F(Late, FramesAreInTheNextImageToo) {
    answer(board, 1);
    answer(plainly, 1);
    auto const next = board.take_golden();
    ASSERT_TRUE(next);
    Board third = bare_board(config());
    ASSERT_TRUE(third.adopt(*next));
    EXPECT_LT(pages_of_host(third), kFree);
    EXPECT_EQ(third.hash(), plainly.hash());
    answer(third, 2);
    answer(plainly, 2);
    EXPECT_TRUE(std::ranges::equal(third.ram(), plainly.ram()));
    third.restore();
    answer(third, 2);
    EXPECT_TRUE(std::ranges::equal(third.ram(), plainly.ram()));
}

// A page whose code the guest has executed is put back as plain: it is not to be run as it was.
TEST(LateCode, IsTranslatedAnew) {
    constexpr PhysAddr kCode{0x8020'0000};
    Board board = board_with(SCENARIO_CALL_USER_CODE);
    ASSERT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
    // `ret` and then zeros: a plain frame that can be called.
    Page page;
    PlainFrame{0x0000'8067, std::byte{0}}.write_to(page);
    for (std::uint64_t i = 0; i < 128; ++i) ASSERT_TRUE(board.write(kCode + i * kPageBytes, page));
    ASSERT_TRUE(board.take_golden());
    auto const call = [&] {
        board.write(Register::a0, kCode.value);
        EXPECT_TRUE(stopped_by<stop::Hypercall>(board.run(kPlenty)));
        return board.read(Register::a0);
    };
    EXPECT_EQ(call(), kCode.value);
    for (int i = 0; i < 2; ++i) {
        std::array<std::uint32_t, 2> const other{0x00700513, 0x0000'8067};  // li a0, 7; ret
        ASSERT_TRUE(board.write(kCode, std::as_bytes(std::span{other})));
        EXPECT_EQ(call(), 7u);
        board.restore();
        EXPECT_EQ(call(), kCode.value);
    }
}

}  // namespace
}  // namespace vmcheck::board::test
