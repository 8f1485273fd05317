#include "impl/map/map_file.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace vmcheck::map {
namespace {

using ::testing::HasSubstr;

MapNames names_in(std::string const& text) {
    auto const names = parse_map(text, "kernel.map");
    EXPECT_TRUE(names) << names.error().sentence();
    return names.value_or(MapNames{});
}

std::string error_in(std::string const& text) {
    auto const names = parse_map(text, "kernel.map");
    EXPECT_FALSE(names) << text;
    return names ? std::string() : names.error().sentence();
}

TEST(MapFile, KeepsTheNamesOfXv6WhereNothingIsSaid) {
    MapNames expected;
    expected.source = "kernel.map";
    EXPECT_EQ(names_in("vmcheck-map 1\n"), expected);
    EXPECT_EQ(names_in("# why\r\n\r\n  vmcheck-map\t1 # version\r\n# end"), expected);
}

TEST(MapFile, TakesEveryKey) {
    auto const names = names_in(R"(vmcheck-map 1
allocate             kernel::frame_allocate
panic                _ZN6kernel5panicEPKc.isra.0
memset               set_bytes   # ours
memmove              move_bytes
free-list            kernel::frames.free_head
reference-counts     kernel::frames.references
reference-base       zero
processes            kernel::Process::table
process-pid          id
process-state        life
process-state-unused kernel::Life::unused
process-state-zombie 200
process-root         space.table_.root_
process-break        space.end
memory-file          kernel::walk
memory-file          user_trap
memory-function      kernel::fork
)");
    EXPECT_EQ(names.allocate, "kernel::frame_allocate");
    EXPECT_EQ(names.panic, "_ZN6kernel5panicEPKc.isra.0");
    EXPECT_EQ(names.memset, "set_bytes");
    EXPECT_EQ(names.memmove, "move_bytes");
    EXPECT_EQ(names.free_list, "kernel::frames.free_head");
    EXPECT_EQ(names.reference_counts, "kernel::frames.references");
    EXPECT_EQ(names.reference_base_is_ram, false);
    EXPECT_EQ(names.processes, "kernel::Process::table");
    EXPECT_EQ(names.process_pid, "id");
    EXPECT_EQ(names.process_state, "life");
    EXPECT_EQ(names.process_state_unused, "kernel::Life::unused");
    EXPECT_EQ(names.process_state_zombie, "200");
    EXPECT_EQ(names.process_root, "space.table_.root_");
    EXPECT_EQ(names.process_break, "space.end");
    EXPECT_EQ(names.memory_files, (std::vector<std::string>{"kernel::walk", "user_trap"}));
    EXPECT_EQ(names.memory_functions, std::vector<std::string>{"kernel::fork"});
    EXPECT_TRUE(names_in("vmcheck-map 1\nmemory-file f").memory_functions.empty()) << "none of xv6's";
}

TEST(MapFile, SaysWhereAndWhatItExpected) {
    EXPECT_EQ(error_in(""), "kernel.map:1:1: expected \"vmcheck-map 1\", but the file ends.");
    EXPECT_EQ(error_in("\n  allocate x\n"), "kernel.map:2:3: expected \"vmcheck-map 1\", found \"allocate\".");
    EXPECT_THAT(error_in("vmcheck-map 2\n"), HasSubstr("kernel.map:1:13: expected version 1"));
    EXPECT_THAT(error_in("vmcheck-map 1 2\n"), HasSubstr("nothing else"));
    EXPECT_EQ(error_in("vmcheck-map 1\nfree-lst kmem.freelist\n"),
              "kernel.map:2:1: unknown key \"free-lst\"; is free-list meant?");
    EXPECT_THAT(error_in("vmcheck-map 1\nxyzzy y\n"), HasSubstr("unknown key \"xyzzy\"; the keys are listed"));
    EXPECT_THAT(error_in("vmcheck-map 1\npanic\n"), HasSubstr("kernel.map:2:6: expected a function"));
    EXPECT_THAT(error_in("vmcheck-map 1\npanic a b\n"), HasSubstr("kernel.map:2:9: expected the end of the line"));
    EXPECT_THAT(error_in("vmcheck-map 1\npanic a\npanic b\n"), HasSubstr("kernel.map:3:1: panic is given a second"));
}

TEST(MapFile, RefusesValuesOfTheWrongShape) {
    EXPECT_THAT(error_in("vmcheck-map 1\nreference-base 4\n"), HasSubstr("expected ram or zero, found \"4\""));
    EXPECT_THAT(error_in("vmcheck-map 1\nfree-list kmem->freelist\n"),
                HasSubstr("kernel.map:2:15: expected a variable"));
    EXPECT_THAT(error_in("vmcheck-map 1\nfree-list kmem.\n"), HasSubstr("expected a variable"));
    EXPECT_THAT(error_in("vmcheck-map 1\nfree-list a.b::c\n"), HasSubstr("kernel.map:2:14: expected"));
    EXPECT_THAT(error_in("vmcheck-map 1\nprocess-pid a::b\n"), HasSubstr("expected a member"));
    EXPECT_THAT(error_in("vmcheck-map 1\npanic f(int)\n"), HasSubstr("kernel.map:2:8: expected a function"));
    EXPECT_THAT(error_in("vmcheck-map 1\nprocess-state-zombie 5x\n"), HasSubstr("expected an enumerator or a number"));
}

TEST(MapFile, ShowsStrangeBytesReadably) {
    EXPECT_THAT(error_in(std::string("\0\x1b[31m", 6)), HasSubstr("found \"\\x00\\x1b[31m\""));
}

TEST(NamesFor, PrefersTheGivenFileThenTheOneBesideTheKernel) {
    auto const directory = std::filesystem::temp_directory_path() / ("vmcheck_map_" + std::to_string(::getpid()));
    std::filesystem::create_directories(directory);
    auto const kernel = directory / "kernel";
    auto const write = [](std::filesystem::path const& path, std::string const& allocate) {
        std::ofstream(path) << "vmcheck-map 1\nallocate " << allocate << "\n";
    };
    EXPECT_EQ(names_for(kernel, std::nullopt), MapNames{});
    write(directory / "kernel.map", "beside");
    EXPECT_EQ(names_for(kernel, std::nullopt)->allocate, "beside");
    write(directory / "other", "given");
    EXPECT_EQ(names_for(kernel, directory / "other")->allocate, "given");
    EXPECT_THAT(names_for(kernel, directory / "none").error().message, HasSubstr("no such file"));
    std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace vmcheck::map
