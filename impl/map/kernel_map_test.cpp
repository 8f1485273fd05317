#include "impl/map/kernel_map.h"

#include "impl/map/fixtures_testing.h"
#include "impl/map/system_calls.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

#include <algorithm>

namespace vmcheck::map {
namespace {

using testing::address_of;
using ::testing::ElementsAre;
using testing::fixture;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::map_of;
using ::testing::Pair;
using ::testing::SizeIs;

std::vector<std::string> names(std::vector<ReferenceCounts> const& counts) {
    std::vector<std::string> all;
    std::ranges::transform(counts, std::back_inserter(all), &ReferenceCounts::name);
    return all;
}

ReferenceCounts candidate(KernelMap const& map, std::string const& name) {
    auto const found = std::ranges::find(map.candidates, name, &ReferenceCounts::name);
    if (found != map.candidates.end()) return *found;
    ADD_FAILURE() << "no candidate " << name;
    return {};
}

TEST(SystemCallsOfXv6, AreThoseOfItsOwnTable) {
    for (char const* name : {"xv6", "xv6_no_debug"})
        EXPECT_THAT(system_calls(fixture(name)), ElementsAre(Pair("fork", 7U), Pair("mmap", 40U)));
    for (char const* name : {"xv6_stripped", "namespaced"}) EXPECT_THAT(system_calls(fixture(name)), IsEmpty());
}

TEST(KernelMapOfXv6, FindsFunctions) {
    auto const image = fixture("xv6");
    auto const map = map_of("xv6");
    EXPECT_EQ(map.allocate.value().value, address_of(image, "kalloc"));
    EXPECT_EQ(map.panic.value().value, address_of(image, "panic"));
    EXPECT_EQ(map.memset.value().value, address_of(image, "memset"));
    EXPECT_EQ(map.memmove.value().value, address_of(image, "memmove"));
}

TEST(KernelMapOfXv6, FindsTheFreeList) {
    auto const map = map_of("xv6");
    ASSERT_TRUE(map.free_list) << map.free_list.error().reason;
    EXPECT_THAT(map.free_list->heads, ElementsAre(PhysAddr{address_of(fixture("xv6"), "kmem") + 24}));
    EXPECT_FALSE(map.free_list->guessed);
}

TEST(KernelMapOfXv6, FindsAFreeListForEachHart) {
    auto const map = map_of("xv6_per_hart");
    ASSERT_TRUE(map.free_list) << map.free_list.error().reason;
    ASSERT_THAT(map.free_list->heads, SizeIs(8));
    EXPECT_EQ(map.free_list->heads[7].value, address_of(fixture("xv6_per_hart"), "kmem") + std::uint64_t{7} * 40 + 24);
}

TEST(KernelMapOfXv6, FindsAFreeListThatWasRenamed) {
    auto const map = map_of("xv6_renamed");
    ASSERT_TRUE(map.free_list) << map.free_list.error().reason;
    EXPECT_EQ(map.free_list->name, "allocator.free_frames");
    EXPECT_THAT(map.free_list->heads, ElementsAre(PhysAddr{address_of(fixture("xv6_renamed"), "allocator") + 32}));
}

TEST(KernelMapOfXv6, FindsTheProcessTable) {
    auto const map = map_of("xv6");
    ASSERT_TRUE(map.processes) << map.processes.error().reason;
    ProcessTable const& table = *map.processes;
    EXPECT_EQ(table.base.value, address_of(fixture("xv6"), "proc"));
    EXPECT_EQ(table.count, 64U);
    EXPECT_EQ(table.stride, 80U);
    EXPECT_EQ(table.state.offset, 24U);
    EXPECT_EQ(table.state.bytes, 4U);
    EXPECT_EQ(table.state_unused, 0U);
    EXPECT_EQ(table.state_zombie, 5U);
    EXPECT_EQ(table.pid.offset, 44U);
    EXPECT_TRUE(table.pid.is_signed);
    ASSERT_TRUE(table.brk);
    EXPECT_EQ(table.brk->offset, 48U);
    EXPECT_EQ(table.root.offset, 56U);
}

TEST(KernelMapOfXv6, AsksForStatesThatAreMacros) {
    EXPECT_THAT(map_of("xv6_plain_states").processes.error().reason, HasSubstr("no enumerator UNUSED"));
    MapNames names;
    names.process_state_unused = "0";
    names.process_state_zombie = "5";
    auto const map = map_of("xv6_plain_states", names);
    ASSERT_TRUE(map.processes) << map.processes.error().reason;
    EXPECT_EQ(map.processes->state_zombie, 5U);
}

TEST(KernelMapOfXv6, ListsEveryArrayThatCouldCountFrames) {
    auto const map = map_of("xv6");
    EXPECT_FALSE(map.reference_counts);
    auto found = names(map.candidates);
    std::ranges::sort(found);
    EXPECT_THAT(found, ElementsAre("byte_counts", "dynamic_counts", "frame_table.lock.locked", "frame_table.references",
                                   "hart_counts", "int_counts", "locked_counts.counts", "pair_counts", "short_counts",
                                   "square_counts", "wide_counts"));
}

TEST(KernelMapOfXv6, DescribesEachCandidate) {
    auto const image = fixture("xv6");
    auto const map = map_of("xv6");
    auto const ints = candidate(map, "int_counts");
    EXPECT_EQ(ints.base.value, address_of(image, "int_counts"));
    EXPECT_EQ(ints.element_bytes, 4U);
    EXPECT_EQ(ints.stride, 4U);
    EXPECT_EQ(ints.count, 32768U);
    EXPECT_TRUE(ints.is_signed);
    EXPECT_EQ(ints.index_base, std::nullopt);
    auto const shorts = candidate(map, "short_counts");
    EXPECT_EQ(shorts.element_bytes, 2U);
    EXPECT_EQ(shorts.count, 0x88000U);
    EXPECT_TRUE(shorts.is_signed);
    EXPECT_FALSE(candidate(map, "byte_counts").is_signed);
    EXPECT_EQ(candidate(map, "wide_counts").element_bytes, 8U);
    EXPECT_EQ(candidate(map, "locked_counts.counts").base.value, address_of(image, "locked_counts") + 24);
    EXPECT_EQ(candidate(map, "frame_table.references").stride, 32U);
    for (char const* one : {"int_counts", "square_counts", "pair_counts", "frame_table.references"})
        EXPECT_EQ(candidate(map, one).arrays, 1U) << one;
    EXPECT_EQ(candidate(map, "hart_counts").arrays, 8U);
    EXPECT_EQ(candidate(map, "hart_counts").count, 32768U);
    auto const pointer = map.candidates.back();
    EXPECT_EQ(pointer.name, "dynamic_counts");
    EXPECT_TRUE(pointer.behind_pointer);
    EXPECT_EQ(pointer.base.value, address_of(image, "dynamic_counts"));
    EXPECT_EQ(pointer.count, 0U);
    EXPECT_EQ(pointer.element_bytes, 4U);
}

TEST(KernelMap, TakesExactlyTheReferenceCountsThatAreNamed) {
    MapNames wanted;
    wanted.reference_counts = "frame_table.references";
    wanted.reference_base_is_ram = true;
    auto const map = map_of("xv6", wanted);
    ASSERT_TRUE(map.reference_counts) << map.reference_counts.error().reason;
    EXPECT_EQ(map.reference_counts->stride, 32U);
    EXPECT_EQ(map.reference_counts->index_base, IndexBase::kRam);
    EXPECT_THAT(map.candidates, IsEmpty());

    wanted.reference_counts = "dynamic_frames.references";
    EXPECT_TRUE(map_of("xv6", wanted).reference_counts.value().behind_pointer);
    wanted.reference_counts = "dynamic_counts";
    EXPECT_TRUE(map_of("xv6", wanted).reference_counts.value().behind_pointer);
    wanted.reference_counts = "calls";
    EXPECT_THAT(map_of("xv6", wanted).reference_counts.error().reason, HasSubstr("not an array"));
    wanted.reference_counts = "cpus.proc";
    EXPECT_THAT(map_of("xv6", wanted).reference_counts.error().reason, HasSubstr("integers"));
}

TEST(KernelMap, UnderstandsAKernelInCpp) {
    MapNames names;
    names.allocate = "kernel::frame_allocate";
    names.panic = "kernel::Boot::halt";
    names.free_list = "kernel::frames.free_head";
    names.reference_counts = "kernel::frames.references";
    names.processes = "kernel::Process::table";
    names.process_pid = "id";
    names.process_state = "life";
    names.process_state_unused = "kernel::Life::unused";
    names.process_state_zombie = "zombie";
    names.process_root = "space.table.root_";
    names.process_break = "space.end";
    auto const image = fixture("namespaced");
    auto const map = map_of("namespaced", names);
    EXPECT_EQ(map.allocate.value().value, address_of(image, "_ZN6kernel14frame_allocateEv"));
    ASSERT_TRUE(map.free_list) << map.free_list.error().reason;
    ASSERT_TRUE(map.reference_counts) << map.reference_counts.error().reason;
    ASSERT_TRUE(map.processes) << map.processes.error().reason;
    EXPECT_EQ(map.processes->state_zombie, 200U);
    EXPECT_EQ(map.processes->state.bytes, 1U);
    EXPECT_EQ(map.processes->root.offset, 24U);
    EXPECT_EQ(map.processes->brk.value().offset, 32U);
    EXPECT_EQ(map.reference_counts->element_bytes, 2U);
    EXPECT_THAT(map.memmove.error().reason, HasSubstr("no function memmove"));
}

TEST(KernelMap, RefusesToChooseBetweenOverloads) {
    MapNames names;
    names.panic = "kernel::stop";
    EXPECT_THAT(map_of("namespaced", names).panic.error().reason, HasSubstr("several functions kernel::stop"));
    names.panic = "_ZN6kernel4stopEi";
    EXPECT_TRUE(map_of("namespaced", names).panic);
}

TEST(KernelMap, GuessesWhatItCanWithoutDebugInformation) {
    auto const map = map_of("xv6_no_debug");
    EXPECT_TRUE(map.allocate);
    ASSERT_TRUE(map.free_list) << map.free_list.error().reason;
    EXPECT_TRUE(map.free_list->guessed);
    EXPECT_THAT(map.free_list->heads, ElementsAre(PhysAddr{address_of(fixture("xv6_no_debug"), "kmem") + 24}));
    EXPECT_THAT(map.processes.error().reason, HasSubstr("-g"));
    EXPECT_TRUE(candidate(map, "int_counts").guessed);
    EXPECT_EQ(candidate(map, "int_counts").element_bytes, 4U);
    EXPECT_EQ(candidate(map, "short_counts").count, 0x88000U);
    EXPECT_TRUE(map.lines.empty());
}

TEST(KernelMap, SaysWhatIsMissingInAStrippedKernel) {
    auto const map = map_of("xv6_stripped");
    EXPECT_THAT(map.allocate.error().reason, HasSubstr("no symbols"));
    EXPECT_FALSE(map.free_list);
    EXPECT_FALSE(map.processes);
    EXPECT_THAT(map.candidates, IsEmpty());
    ASSERT_NE(map.debug, nullptr);
}

}  // namespace
}  // namespace vmcheck::map
