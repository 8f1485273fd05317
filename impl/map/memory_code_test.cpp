#include "impl/map/memory_code.h"

#include "impl/map/fixtures_testing.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>

namespace vmcheck::map {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::fixture;
using ::testing::IsSupersetOf;
using testing::map_of;
using ::testing::Not;

std::vector<std::string> about_memory(std::vector<CodeFunction> const& functions) {
    std::vector<std::string> names;
    for (CodeFunction const& each : functions)
        if (each.about_memory) names.push_back(each.name);
    return names;
}

CodeFunction named(std::vector<CodeFunction> const& functions, std::string const& name) {
    auto const at = std::ranges::find(functions, name, &CodeFunction::name);
    return at == functions.end() ? CodeFunction{} : *at;
}

// The line of a fixture with that remark.
unsigned line_of(std::string const& file, std::string const& remark) {
    std::ifstream source(std::string(VMCHECK_MAP_SOURCES "/") + file);
    std::string text;
    for (unsigned number = 1; std::getline(source, text); ++number)
        if (text.ends_with("// " + remark)) return number;
    return 0;
}

class MemoryCode : public ::testing::Test {
  protected:
    std::vector<CodeFunction> const functions = functions_of(fixture("memory"), map_of("memory"));
};

TEST_F(MemoryCode, IsTheAllocatorsFileAndTheWalkersAndNamedFunctionsAndTheirHelpers) {
    // In order of file and line. log_it is called by memory code, but calls none, and idle is neither.
    EXPECT_THAT(about_memory(functions),
                ElementsAre("cow_copy", "fork", "kalloc", "panic", "walk", "uvmcopy", "_start"));
    EXPECT_FALSE(named(functions, "idle").lines.empty());
}

TEST_F(MemoryCode, IsWhatTheMapFileSaysWhereItSaysSomething) {
    MapNames names;
    names.memory_files = {};
    names.memory_functions = {"idle"};
    auto const others = about_memory(functions_of(fixture("memory"), map_of("memory", names)));
    EXPECT_THAT(others, Not(::testing::Contains("fork"))) << "which is xv6's";
    EXPECT_THAT(others, IsSupersetOf({"idle", "kalloc"})) << "the allocator has its own key";
}

TEST_F(MemoryCode, HasItsLines) {
    CodeFunction const helper = named(functions, "cow_copy");
    EXPECT_THAT(helper.file, ::testing::EndsWith("memory_cow.c"));
    unsigned const line = line_of("memory_cow.c", "the helper's line");
    ASSERT_NE(line, 0U);
    EXPECT_NE(std::ranges::find(helper.lines, line, &CodeLine::number), helper.lines.end());
    CodeFunction const allocator = named(functions, "kalloc");
    EXPECT_NE(std::ranges::find(allocator.lines, line_of("memory_vm.c", "kalloc's line"), &CodeLine::number),
              allocator.lines.end());
    for (CodeFunction const& each : functions)
        for (CodeLine const& of_it : each.lines)
            EXPECT_TRUE(!of_it.code.empty() && of_it.code.front().from < of_it.code.front().to) << each.name;
}

TEST_F(MemoryCode, KnowsLinesThatCanOnlyPanic) {
    std::vector<unsigned> panics;
    for (CodeLine const& line : named(functions, "uvmcopy").lines)
        if (line.only_panics) panics.push_back(line.number);
    EXPECT_THAT(panics, ElementsAre(line_of("memory_vm.c", "only panics")));
    for (CodeLine const& line : named(functions, "walk").lines)
        EXPECT_FALSE(line.only_panics) << line.number << ": what decides about it runs in every kernel";
}

TEST(MemoryCodeWithoutDebugInformation, IsKnownByName) {
    auto const functions = functions_of(fixture("memory_no_debug"), map_of("memory_no_debug"));
    auto names = about_memory(functions);
    std::ranges::sort(names);
    EXPECT_THAT(names, ElementsAre("fork", "kalloc", "walk"));
    EXPECT_TRUE(
        std::ranges::all_of(functions, [](auto const& each) { return each.lines.empty() && !each.code.empty(); }));
}

TEST(MemoryCodeOfAStrippedKernel, IsNotKnown) {
    EXPECT_TRUE(functions_of(fixture("xv6_stripped"), map_of("xv6_stripped")).empty());
}

}  // namespace
}  // namespace vmcheck::map
