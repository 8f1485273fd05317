#include "impl/board/sv39.h"

#include <gtest/gtest.h>

namespace vmcheck::board {
namespace {

// Three tables in the first frames of RAM, and one page mapped at kPage.
class Sv39 : public testing::Test {
  protected:
    static constexpr PhysAddr kRoot = kRamStart;
    static constexpr PhysAddr kMiddle = kRamStart + kPageBytes;
    static constexpr PhysAddr kLeaves = kRamStart + 2 * kPageBytes;
    static constexpr PhysAddr kTarget = kRamStart + 5 * kPageBytes;
    static constexpr VirtAddr kPage{0x12'3456'7000 & 0x3f'ffff'ffff};
    static constexpr std::uint64_t kSatp = kSatpModeSv39 | kRoot.frame().value;
    static constexpr std::uint64_t kAll =
        pte::valid | pte::read | pte::write | pte::execute | pte::accessed | pte::dirty;

    Sv39() {
        put_entry(kRoot, 2, kMiddle, pte::valid);
        put_entry(kMiddle, 1, kLeaves, pte::valid);
        put_leaf(kAll);
        memory.clear_dirty();
    }

    static std::uint64_t entry(PhysAddr to, std::uint64_t flags) {
        return (to.frame().value << pte::ppn_shift) | flags;
    }
    static PhysAddr slot(PhysAddr table, unsigned level) {
        return table + 8 * ((kPage.value >> (12 + 9 * level)) & 511);
    }
    void put(PhysAddr at, std::uint64_t value) { ASSERT_TRUE(memory.store(at, value)); }
    void put_entry(PhysAddr table, unsigned level, PhysAddr to, std::uint64_t flags) {
        put(slot(table, level), entry(to, flags));
    }
    void put_leaf(std::uint64_t flags) { put_entry(kLeaves, 0, kTarget, flags); }

    tl::expected<Translation, PageFault> look(Access access, Privilege privilege = Privilege::supervisor,
                                              VirtAddr address = kPage + 0x123) {
        return walk(memory, {kSatp, address, access, privilege, false, false});
    }
    PageFault fault(Access access, Privilege privilege = Privilege::supervisor, VirtAddr address = kPage + 0x123) {
        auto const result = look(access, privilege, address);
        EXPECT_FALSE(result.has_value());
        return result ? PageFault{255} : result.error();
    }

    Memory memory = std::move(*Memory::create(64 * kPageBytes));
};

TEST_F(Sv39, FindsAPageAndSaysWhatItGrants) {
    auto const result = look(Access::load);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->address, kTarget + 0x123);
    EXPECT_EQ(result->pte_at, slot(kLeaves, 0));
    EXPECT_EQ(result->pte, entry(kTarget, kAll));
    EXPECT_EQ(result->level, 0u);
    EXPECT_TRUE(result->readable && result->writable && result->executable);
}

TEST_F(Sv39, IsOffInMachineModeAndInBareMode) {
    WalkRequest request{kSatp, VirtAddr{0xdead'beef}, Access::store, Privilege::machine, false, false};
    EXPECT_EQ(walk(memory, request)->address, PhysAddr{0xdead'beef});
    request.privilege = Privilege::user;
    request.satp = kRoot.frame().value;
    EXPECT_EQ(walk(memory, request)->address, PhysAddr{0xdead'beef});
}

TEST_F(Sv39, FaultsOnOtherModes) {
    WalkRequest const sv48{
        (std::uint64_t{9} << 60) | kRoot.frame().value, kPage, Access::load, Privilege::supervisor, false, false};
    EXPECT_EQ(walk(memory, sv48).error(), PageFault::unsupported_mode);
}

TEST_F(Sv39, FaultsOnNonCanonicalAddresses) {
    EXPECT_EQ(fault(Access::load, Privilege::supervisor, VirtAddr{std::uint64_t{1} << 38}), PageFault::non_canonical);
    EXPECT_EQ(fault(Access::load, Privilege::supervisor, VirtAddr{std::uint64_t{1} << 39}), PageFault::non_canonical);
    EXPECT_EQ(fault(Access::load, Privilege::supervisor, VirtAddr{std::uint64_t{1} << 63}), PageFault::non_canonical);
    EXPECT_EQ(fault(Access::load, Privilege::supervisor, VirtAddr{0xffff'ffbf'ffff'ffff}), PageFault::non_canonical);
    // Canonical at both ends of the range, but not mapped.
    EXPECT_EQ(fault(Access::load, Privilege::supervisor, VirtAddr{0x3f'ffff'ffff}), PageFault::invalid);
    EXPECT_EQ(fault(Access::load, Privilege::supervisor, VirtAddr{0xffff'ffc0'0000'0000}), PageFault::invalid);
}

TEST_F(Sv39, FaultsWhereAnEntryIsNotValidAtAnyLevel) {
    put_leaf(kAll & ~pte::valid);
    EXPECT_EQ(fault(Access::load), PageFault::invalid);
    put_entry(kMiddle, 1, kLeaves, 0);
    EXPECT_EQ(fault(Access::load), PageFault::invalid);
    put_entry(kRoot, 2, kMiddle, 0);
    EXPECT_EQ(fault(Access::load), PageFault::invalid);
}

TEST_F(Sv39, FaultsWhereATableLiesOutsideRam) {
    put_entry(kMiddle, 1, PhysAddr{0x1000'0000}, pte::valid);
    EXPECT_EQ(fault(Access::load), PageFault::table_outside_ram);
    WalkRequest const wild{kSatpModeSv39 | pte::ppn_mask, kPage, Access::load, Privilege::supervisor, false, false};
    EXPECT_EQ(walk(memory, wild).error(), PageFault::table_outside_ram);
}

TEST_F(Sv39, FaultsOnReservedBitsAtAnyLevel) {
    for (unsigned bit = 54; bit < 64; ++bit) {
        put_leaf(kAll | (std::uint64_t{1} << bit));
        EXPECT_EQ(fault(Access::load), PageFault::reserved_bits) << bit;
        put_leaf(kAll);
        put_entry(kMiddle, 1, kLeaves, pte::valid | (std::uint64_t{1} << bit));
        EXPECT_EQ(fault(Access::load), PageFault::reserved_bits) << bit;
        put_entry(kMiddle, 1, kLeaves, pte::valid);
    }
}

TEST_F(Sv39, FaultsOnPointersWithAccessedDirtyOrUserSet) {
    for (std::uint64_t const flag : {pte::accessed, pte::dirty, pte::user}) {
        put_entry(kRoot, 2, kMiddle, pte::valid | flag);
        EXPECT_EQ(fault(Access::load), PageFault::reserved_bits);
    }
    put_entry(kRoot, 2, kMiddle, pte::valid | pte::global);
    EXPECT_TRUE(look(Access::load));
}

TEST_F(Sv39, FaultsOnWritableWithoutReadable) {
    put_leaf(pte::valid | pte::write);
    EXPECT_EQ(fault(Access::store), PageFault::reserved_bits);
    put_leaf(pte::valid | pte::write | pte::execute);
    EXPECT_EQ(fault(Access::fetch), PageFault::reserved_bits);
}

TEST_F(Sv39, FaultsOnAPointerAtTheLastLevel) {
    put_leaf(pte::valid);
    EXPECT_EQ(fault(Access::load), PageFault::no_leaf);
}

TEST_F(Sv39, KeepsUsersAndSupervisorsApart) {
    EXPECT_EQ(fault(Access::load, Privilege::user), PageFault::privilege);
    put_leaf(kAll | pte::user);
    EXPECT_TRUE(look(Access::load, Privilege::user));
    EXPECT_TRUE(look(Access::fetch, Privilege::user));
    EXPECT_EQ(fault(Access::load), PageFault::privilege);
    EXPECT_EQ(fault(Access::fetch), PageFault::privilege);
}

TEST_F(Sv39, SumLetsTheSupervisorLoadAndStoreButNotFetch) {
    put_leaf(kAll | pte::user);
    WalkRequest request{kSatp, kPage, Access::load, Privilege::supervisor, true, false};
    auto const result = walk(memory, request);
    ASSERT_TRUE(result);
    EXPECT_FALSE(result->executable);
    request.access = Access::store;
    EXPECT_TRUE(walk(memory, request));
    request.access = Access::fetch;
    EXPECT_EQ(walk(memory, request).error(), PageFault::privilege);
}

TEST_F(Sv39, MxrMakesExecutablePagesReadable) {
    put_leaf(pte::valid | pte::execute);
    EXPECT_EQ(fault(Access::load), PageFault::permission);
    EXPECT_TRUE(walk(memory, {kSatp, kPage, Access::load, Privilege::supervisor, false, true}));
}

TEST_F(Sv39, ChecksEachPermission) {
    put_leaf(pte::valid | pte::read);
    EXPECT_TRUE(look(Access::load));
    EXPECT_EQ(fault(Access::store), PageFault::permission);
    EXPECT_EQ(fault(Access::fetch), PageFault::permission);
    put_leaf(pte::valid | pte::read | pte::write);
    EXPECT_TRUE(look(Access::store));
    put_leaf(pte::valid | pte::execute);
    EXPECT_TRUE(look(Access::fetch));
}

TEST_F(Sv39, TranslatesSuperpages) {
    PhysAddr const two_mebibytes{0x8020'0000};
    put_entry(kMiddle, 1, two_mebibytes, kAll);
    auto result = look(Access::load);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->level, 1u);
    EXPECT_EQ(result->address.value, two_mebibytes.value + ((kPage.value + 0x123) & 0x1f'ffff));

    PhysAddr const one_gibibyte{0x8000'0000};
    put_entry(kRoot, 2, one_gibibyte, kAll);
    result = look(Access::load);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->level, 2u);
    EXPECT_EQ(result->address.value, one_gibibyte.value + ((kPage.value + 0x123) & 0x3fff'ffff));
}

TEST_F(Sv39, FaultsOnMisalignedSuperpages) {
    put_entry(kMiddle, 1, kTarget, kAll);
    EXPECT_EQ(fault(Access::load), PageFault::misaligned_superpage);
    put_entry(kRoot, 2, PhysAddr{0x8020'0000}, kAll);
    EXPECT_EQ(fault(Access::load), PageFault::misaligned_superpage);
}

TEST_F(Sv39, LookingChangesNothing) {
    put_leaf(kAll & ~(pte::accessed | pte::dirty));
    memory.clear_dirty();
    EXPECT_TRUE(look(Access::store));
    EXPECT_EQ(memory.load<std::uint64_t>(slot(kLeaves, 0)), entry(kTarget, kAll & ~(pte::accessed | pte::dirty)));
    EXPECT_TRUE(memory.dirty_frames().empty());
}

TEST_F(Sv39, TheHartsWalkSetsAccessedAndForStoresDirty) {
    std::uint64_t const fresh = kAll & ~(pte::accessed | pte::dirty);
    put_leaf(fresh);
    memory.clear_dirty();
    WalkRequest request{kSatp, kPage, Access::load, Privilege::supervisor, false, false};
    EXPECT_EQ(walk_and_mark(memory, request)->pte, entry(kTarget, fresh | pte::accessed));
    EXPECT_EQ(memory.load<std::uint64_t>(slot(kLeaves, 0)), entry(kTarget, fresh | pte::accessed));
    ASSERT_EQ(memory.dirty_frames().size(), 1u);
    EXPECT_EQ(memory.dirty_frames()[0], kLeaves.frame());

    request.access = Access::store;
    EXPECT_EQ(walk_and_mark(memory, request)->pte, entry(kTarget, kAll));
    memory.clear_dirty();
    EXPECT_TRUE(walk_and_mark(memory, request));
    EXPECT_TRUE(memory.dirty_frames().empty()) << "nothing left to set";
}

TEST_F(Sv39, AFaultSetsNothing) {
    put_leaf(pte::valid | pte::read);
    memory.clear_dirty();
    EXPECT_FALSE(walk_and_mark(memory, {kSatp, kPage, Access::store, Privilege::supervisor, false, false}));
    EXPECT_TRUE(memory.dirty_frames().empty());
}

}  // namespace
}  // namespace vmcheck::board
