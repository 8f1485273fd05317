#include "impl/map/debug_info.h"

#include "impl/map/fixtures_testing.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

#include <algorithm>

namespace vmcheck::map {
namespace {

using ::testing::Contains;
using testing::fixture;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> variable_names(DebugInfo const& debug) {
    std::vector<std::string> names;
    std::ranges::transform(debug.variables, std::back_inserter(names), &Variable::name);
    return names;
}

// The same program under each way of writing debug information.
class EveryDwarf : public ::testing::TestWithParam<char const*> {};

TEST_P(EveryDwarf, TellsVariablesAndTypes) {
    auto const image = fixture(GetParam());
    auto const debug = read_debug_info(image);
    EXPECT_EQ(debug.note, "");
    auto const proc = std::ranges::find(debug.variables, "proc", &Variable::name);
    ASSERT_NE(proc, debug.variables.end());
    EXPECT_EQ(proc->address.value, testing::address_of(image, "proc"));
    Type const& table = debug.types[proc->type];
    ASSERT_EQ(table.kind, Type::Kind::kArray);
    EXPECT_EQ(table.count, 64U);
    Type const& element = debug.types[table.target];
    ASSERT_EQ(element.kind, Type::Kind::kStructure);
    EXPECT_EQ(element.name, "proc");
    EXPECT_EQ(table.bytes, 64 * element.bytes);
    auto const state = std::ranges::find(element.members, "state", &Member::name);
    ASSERT_NE(state, element.members.end());
    EXPECT_EQ(debug.types[state->type].kind, Type::Kind::kEnumeration);
    EXPECT_EQ(debug.types[state->type].enumerators.size(), 6U);
    auto const killed = std::ranges::find(element.members, "killed", &Member::name);
    ASSERT_NE(killed, element.members.end());
    EXPECT_TRUE(killed->is_bit_field);
    EXPECT_FALSE(debug.lines.empty());
}

INSTANTIATE_TEST_SUITE_P(Dwarf, EveryDwarf, ::testing::Values("xv6", "xv6_dwarf2", "xv6_dwarf4", "xv6_compressed"));

TEST(DebugInfo, NamesStaticVariablesOfFunctionsAfterTheFunction) {
    EXPECT_THAT(variable_names(read_debug_info(fixture("xv6"))), Contains("kalloc::allocations"));
}

TEST(DebugInfo, QualifiesNamesOfCpp) {
    auto const names = variable_names(read_debug_info(fixture("namespaced")));
    EXPECT_THAT(names, Contains("kernel::frames"));
    EXPECT_THAT(names, Contains("kernel::Process::table"));
    EXPECT_THAT(names, Contains("kernel::Process::started"));
    EXPECT_THAT(names, Contains("kernel::inner::shared"));
    EXPECT_THAT(names, Contains("kernel::hidden"));
}

TEST(DebugInfo, ReadsEnumeratorsOfEverySign) {
    auto const debug = read_debug_info(fixture("namespaced"));
    auto const value = [&](std::string_view name) {
        auto const found = std::ranges::find(debug.enumerators, name, &Enumerator::name);
        return found == debug.enumerators.end() ? std::int64_t{12345} : found->value;
    };
    EXPECT_EQ(value("kernel::Life::zombie"), 200);
    EXPECT_EQ(value("kernel::Odd::negative"), -2);
    EXPECT_EQ(value("running"), 7);
}

TEST(DebugInfo, TakesTheSizeOfAnArrayFromItsDefinition) {
    auto const debug = read_debug_info(fixture("namesakes"));
    auto const unsized = std::ranges::find(debug.variables, "unsized", &Variable::name);
    ASSERT_NE(unsized, debug.variables.end());
    EXPECT_EQ(debug.types[unsized->type].count, 6U);
}

TEST(DebugInfo, SaysThatThereIsNone) {
    auto const debug = read_debug_info(fixture("xv6_no_debug"));
    EXPECT_THAT(debug.variables, IsEmpty());
    EXPECT_THAT(debug.note, HasSubstr("-g"));
    EXPECT_EQ(debug.types.size(), 1U);
}

}  // namespace
}  // namespace vmcheck::map
