#include "impl/map/variable_path.h"

#include "impl/map/fixtures_testing.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

namespace vmcheck::map {
namespace {

using testing::fixture;
using ::testing::HasSubstr;

class VariablePath : public ::testing::Test {
  protected:
    Place find(std::string const& path) {
        auto const place = find_variable(debug_, path);
        EXPECT_TRUE(place) << path << ": " << place.error().reason;
        return place.value_or(Place{});
    }
    std::string reason(std::string const& path) {
        auto const place = find_variable(debug_, path);
        EXPECT_FALSE(place) << path;
        return place ? std::string() : place.error().reason;
    }
    std::uint64_t symbol(std::string const& name) { return testing::address_of(image_, name); }
    void use(std::string const& name) {
        image_ = fixture(name);
        debug_ = read_debug_info(image_);
    }

    elf::KernelImage image_ = fixture("xv6");
    DebugInfo debug_ = read_debug_info(image_);
};

TEST_F(VariablePath, FindsAMember) {
    Place const place = find("kmem.freelist");
    EXPECT_EQ(place.address.value, symbol("kmem") + 24);
    EXPECT_EQ(place.bytes, 8U);
    EXPECT_EQ(place.count, 1U);
    EXPECT_FALSE(place.is_array);
    EXPECT_EQ(debug_.types[place.type].kind, Type::Kind::kPointer);
}

TEST_F(VariablePath, FindsAMemberOfAMember) {
    EXPECT_EQ(find("kmem.lock.name").address.value, symbol("kmem") + 8);
}

TEST_F(VariablePath, FindsTheMemberOfEachElement) {
    use("xv6_per_hart");
    Place const place = find("kmem.freelist");
    EXPECT_EQ(place.address.value, symbol("kmem") + 24);
    EXPECT_EQ(place.count, 8U);
    EXPECT_EQ(place.stride, 40U);
    EXPECT_TRUE(place.is_array);
}

TEST_F(VariablePath, UnfoldsArrays) {
    Place const place = find("locked_counts.counts");
    EXPECT_EQ(place.address.value, symbol("locked_counts") + 24);
    EXPECT_EQ(place.count, 32768U);
    EXPECT_EQ(place.stride, 1U);
    EXPECT_EQ(place.bytes, 1U);
}

TEST_F(VariablePath, TakesArraysOfArraysForOne) {
    Place const place = find("square_counts");
    EXPECT_EQ(place.count, 32768U);
    EXPECT_EQ(place.stride, 2U);
}

TEST_F(VariablePath, FindsAnIntegerInAnArrayOfStructures) {
    Place const place = find("frame_table.references");
    EXPECT_EQ(place.count, 32768U);
    EXPECT_EQ(place.stride, 32U);
    EXPECT_EQ(place.bytes, 4U);
}

TEST_F(VariablePath, FollowsOnePointer) {
    Place const place = find("dynamic_frames.references");
    EXPECT_TRUE(place.behind_pointer);
    EXPECT_EQ(place.address.value, symbol("dynamic_frames"));
    EXPECT_EQ(place.offset_behind_pointer, 0U);
    EXPECT_EQ(place.stride, 32U);
    EXPECT_EQ(place.bytes, 4U);
    EXPECT_EQ(place.count, 0U);
    EXPECT_EQ(find("dynamic_frames.lock.name").offset_behind_pointer, 16U);
    EXPECT_THAT(reason("cpus.proc.pid"), HasSubstr("pointer"));
    EXPECT_THAT(reason("dynamic_frames.lock.cpu.proc"), HasSubstr("second pointer"));
}

TEST_F(VariablePath, SaysWhatIsMissing) {
    EXPECT_THAT(reason("kmen.freelist"), HasSubstr("no global variable kmen"));
    EXPECT_THAT(reason("kmem.freelst"), HasSubstr("no member freelst"));
    EXPECT_THAT(reason("proc.killed"), HasSubstr("bit-field"));
    EXPECT_THAT(reason("proc.name"), HasSubstr("array inside an array"));
    EXPECT_THAT(reason(""), HasSubstr("no global variable"));
    EXPECT_THAT(reason("kmem."), HasSubstr("no member"));
}

TEST_F(VariablePath, RefusesToChooseBetweenNamesakes) {
    use("namesakes");
    EXPECT_THAT(reason("counter"), HasSubstr("namesakes_two.c"));
    EXPECT_THAT(reason("only_declared.size"), HasSubstr("no member size in shape"));
}

TEST_F(VariablePath, UnderstandsCpp) {
    use("namespaced");
    EXPECT_EQ(find("kernel::frames.free_head").address.value, symbol("_ZN6kernel6framesE") + 8);
    EXPECT_EQ(find("kernel::frames.references").count, 32768U);
    EXPECT_EQ(find("kernel::inner::shared").bytes, 8U);
    EXPECT_THAT(reason("frames.free_head"), HasSubstr("kernel::frames is meant"));
    EXPECT_THAT(reason("ames"), ::testing::Not(HasSubstr("meant")));
}

TEST_F(VariablePath, LooksThroughWrappers) {
    use("namespaced");
    Place const borrowed = find("kernel::frames.counters.borrowed");
    EXPECT_EQ(borrowed.count, 32768U);
    EXPECT_EQ(borrowed.stride, 4U);
    EXPECT_EQ(borrowed.bytes, 2U);
    EXPECT_EQ(borrowed.address.value, symbol("_ZN6kernel6framesE") + 16 + 65536 + 2);
    EXPECT_EQ(find("kernel::frames.counters.elements_.borrowed").address, borrowed.address);
    Place const behind = find("kernel::inner::pool.counters.borrowed");
    EXPECT_TRUE(behind.behind_pointer);
    EXPECT_EQ(behind.offset_behind_pointer, 16U + 65536 + 2);
}

TEST_F(VariablePath, FindsMembersInBasesAndAnonymousMembers) {
    use("namespaced");
    Place const table = find("kernel::Process::table");
    ASSERT_TRUE(table.is_array);
    EXPECT_EQ(table.count, 16U);
    auto const member = [&](std::string const& path) {
        auto const place = find_member(debug_, table.type, path);
        EXPECT_TRUE(place) << path;
        return place.value_or(MemberPlace{});
    };
    EXPECT_EQ(member("id").offset, 0U);
    EXPECT_EQ(member("space.name").offset, 16U);
    EXPECT_EQ(member("space.table").offset, 24U);  // wrappers around the number
    EXPECT_EQ(member("space.table").bytes, 8U);
    EXPECT_EQ(debug_.types[member("space.table.root_").type].kind, Type::Kind::kInteger);
    EXPECT_EQ(member("space.table.root_.value").offset, 24U);
    EXPECT_EQ(member("space.end").offset, 32U);
    EXPECT_EQ(member("life").offset, 40U);
    EXPECT_EQ(member("life").bytes, 1U);
    EXPECT_FALSE(find_member(debug_, table.type, "space.root"));
}

}  // namespace
}  // namespace vmcheck::map
