#include "impl/board/block_cache.h"

#include <gtest/gtest.h>

namespace vmcheck::board {
namespace {

constexpr std::uint64_t kPc = 0x8000'1000, kPhysical = 0x1000;
constexpr std::uint32_t kSupervisor = 1, kUser = 0, kUsual = 0xff00'0000, kStoredTo = 0x0004'0000;

BlockCache::Block block_at(std::uint64_t pc, std::uint16_t bytes = 8) {
    return {.pc = pc,
            .cs_base = 0,
            .flags = kSupervisor,
            .bytes = bytes,
            .instructions = 2,
            .how = kUsual,
            .trace = 0,
            .code = nullptr};
}

bool has(BlockCache& cache, std::uint64_t pc, std::uint32_t flags = kSupervisor) {
    return cache.entry(pc, flags).is_of(pc, flags);
}

TEST(BlockCache, HoldsABlockUntilTheFlushAndThenRemembersIt) {
    BlockCache cache;
    BlockCache::Block const block = block_at(kPc);
    EXPECT_FALSE(has(cache, kPc));
    cache.remember(block, kPhysical);
    ASSERT_TRUE(has(cache, kPc));
    BlockCache::Entry& entry = cache.entry(kPc, kSupervisor);
    EXPECT_EQ(entry.block, &block);
    EXPECT_EQ(entry.physical, kPhysical);
    EXPECT_TRUE(cache.holds(entry));
    cache.note_flush();
    EXPECT_TRUE(has(cache, kPc));
    EXPECT_FALSE(cache.holds(entry));
    cache.hold(entry);
    EXPECT_TRUE(cache.holds(entry));
}

TEST(BlockCache, TellsModesAndAddressesApart) {
    BlockCache cache;
    BlockCache::Block const block = block_at(kPc);
    cache.remember(block, kPhysical);
    EXPECT_FALSE(has(cache, kPc, kUser));
    // Some of them share its entry.
    for (std::uint64_t offset = 2; offset < std::uint64_t{1} << 20; offset += 2) ASSERT_FALSE(has(cache, kPc + offset));
}

TEST(BlockCache, ABlockThatWasStoredToIsNone) {
    BlockCache cache;
    BlockCache::Block block = block_at(kPc);
    cache.remember(block, kPhysical);
    EXPECT_TRUE(block.is_as(kUsual));
    block.how |= kStoredTo;
    EXPECT_FALSE(has(cache, kPc));
    EXPECT_FALSE(block.is_as(kUsual));
}

TEST(BlockCache, ABlockInTwoPagesIsNotKept) {
    BlockCache cache;
    BlockCache::Block const within = block_at(kPc + 0xff8), across = block_at(kPc + 0x1ffc);
    cache.remember(within, kPhysical);
    cache.remember(across, kPhysical);
    EXPECT_TRUE(has(cache, within.pc));
    EXPECT_FALSE(has(cache, across.pc));
}

TEST(BlockCache, ForgetsAll) {
    BlockCache cache;
    BlockCache::Block const block = block_at(kPc);
    cache.remember(block, kPhysical);
    cache.clear();
    EXPECT_FALSE(has(cache, kPc));
}

}  // namespace
}  // namespace vmcheck::board
