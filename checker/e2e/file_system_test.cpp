// The kernel's file system, seen from outside: filetest runs on the board, and what lies on the disk is checked, in the
// end and wherever the machine might have stopped.

#include "checker/e2e/command.h"
#include "impl/board/board.h"
#include "impl/elf/kernel_image.h"
#include "impl/image/check_image.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

#include <cstring>
#include <optional>

namespace vmcheck::e2e {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;

using Bytes = std::vector<std::byte>;

Bytes filetest_disk() {
    std::string const disk = read(VMCHECK_FILETEST_IMAGE);
    Bytes bytes(disk.size());
    std::memcpy(bytes.data(), disk.data(), disk.size());
    return bytes;
}

class FileSystem : public testing::Test {
  protected:
    // A machine with this disk, about to boot.
    void begin(Bytes disk) {
        auto const image = elf::KernelImage::load(VMCHECK_KERNELS "/cow-lazy/kernel", elf::kDefaultRam);
        ASSERT_TRUE(image.has_value()) << image.error().message;
        board::Config config;
        config.disk_image = std::move(disk);
        config.memset_at = image->find_symbol("memset")->address;
        config.memmove_at = image->find_symbol("memmove")->address;
        auto created = board::Board::create(config);
        ASSERT_TRUE(created.has_value()) << created.error().message;
        board.emplace(std::move(*created));
        for (elf::Segment const& segment : image->segments()) board->write(segment.physical, segment.bytes);
        board->reset(*image->to_physical(image->entry()));
    }

    // Runs on until the console says `text`; calls look() after each slice of `parcels`.
    template <class Look>
    void run_until(std::string_view text, std::uint64_t parcels, Look look) {
        constexpr std::uint64_t kParcelsMax = std::uint64_t{4} << 30;
        for (std::uint64_t spent = 0; board->console().find(text) == std::string_view::npos; spent += parcels) {
            ASSERT_LT(spent, kParcelsMax) << board->console();
            board->run(board::Parcels{parcels});
            look();
        }
    }

    std::optional<board::Board> board;
};

constexpr std::uint64_t kSlice = std::uint64_t{1} << 22;

TEST_F(FileSystem, PassesItsTestsAndLeavesTheDiskAsItWas) {
    begin(filetest_disk());
    run_until("filetest: ", kSlice, [] {});
    EXPECT_THAT(std::string(board->console()), HasSubstr("filetest: "));
    EXPECT_THAT(std::string(board->console()), testing::Not(HasSubstr("FAIL")));
    auto const before = image::check_image(filetest_disk()).value();
    auto const after = image::check_image(board->disk_contents()).value();
    EXPECT_THAT(after.faults, IsEmpty());
    EXPECT_EQ(after.orphans, 0U);
    // All that the tests made is gone; the root directory has grown, and keeps its blocks.
    EXPECT_EQ(after.free_inodes, before.free_inodes);
    EXPECT_LE(after.free_blocks, before.free_blocks);
    EXPECT_GE(after.free_blocks + 8, before.free_blocks);
}

// What the log is for. An odd slice, so that the machine is met at ever other places.
TEST_F(FileSystem, IsInOrderWhereverTheMachineStops) {
    begin(filetest_disk());
    unsigned looks = 0;
    unsigned amid_commit = 0;
    std::optional<Bytes> with_log;
    std::optional<Bytes> with_orphan;
    run_until("so does one without inodes", 99'991, [&] {
        Bytes disk = board->disk_contents();
        auto const check = image::check_image(disk);
        ASSERT_TRUE(check.has_value()) << check.error().message;
        ASSERT_THAT(check->faults, IsEmpty()) << "after slice " << looks;
        ++looks;
        if (check->logged_blocks > 0) ++amid_commit;
        if (check->orphans > 0)
            with_orphan = std::move(disk);
        else if (check->logged_blocks > 0)
            with_log = std::move(disk);
    });
    RecordProperty("looks", static_cast<int>(looks));
    RecordProperty("amid_commit", static_cast<int>(amid_commit));
    // Else this test has seen nothing of what it is about.
    EXPECT_GT(amid_commit, 10U) << "of " << looks;
    ASSERT_TRUE(with_log.has_value());
    ASSERT_TRUE(with_orphan.has_value());

    for (Bytes const& disk : {*with_log, *with_orphan}) {
        auto const before = image::check_image(disk).value();
        begin(disk);
        run_until("at every border of its blocks", kSlice, [] {});
        auto const after = image::check_image(board->disk_contents()).value();
        EXPECT_THAT(after.faults, IsEmpty());
        EXPECT_EQ(after.orphans, 0U);
        // The next test may have begun, which has one file.
        EXPECT_GE(after.free_inodes + 1, before.free_inodes + before.orphans);
        EXPECT_THAT(std::string(board->console()), ContainsRegex("pass  a file holds what was written"));
    }
}

TEST_F(FileSystem, ADamagedLogIsRefused) {
    Bytes disk = filetest_disk();
    std::uint32_t const blocks = 31;  // the log has room for 30
    std::memcpy(&disk[std::size_t{2} * image::kBlockBytes], &blocks, sizeof blocks);
    begin(std::move(disk));
    run_until("panic: ", kSlice, [] {});
    EXPECT_THAT(std::string(board->console()), HasSubstr("the log is damaged"));
}

}  // namespace
}  // namespace vmcheck::e2e
