#include "checker/repro/repro_c.h"

#include "checker/report/sample_testing.h"
#include "checker/repro/expect.h"
#include "spec/testing/arbitrary_program.h"

#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <tuple>

namespace vmcheck::report {
namespace {

using spec::Invariant;
using testing::finding_of;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::parent_keeps_w;

std::string source_of(Finding const& finding) {
    auto const source = repro_c(finding);
    return source ? *source : "no source: " + source.error();
}

// Compiles a program as an xv6 tree does, warnings being errors; what the compiler says.
std::string compiler_says(std::string const& source) {
    std::filesystem::path const file =
        std::filesystem::temp_directory_path() / ("vmcheck-repro-" + std::to_string(::getpid()) + ".c");
    std::ofstream(file) << source;
    std::string const command =
        std::string(VMCHECK_RISCV_GCC) +
        " -fsyntax-only -Wall -Werror -O -mcmodel=medany -ffreestanding -fno-builtin -I" VMCHECK_XV6_HEADERS " " +
        file.string() + " 2>&1";
    std::string said;
    std::FILE* const pipe = ::popen(command.c_str(), "r");
    std::array<char, 512> block{};
    while (std::size_t const count = std::fread(block.data(), 1, block.size(), pipe)) said.append(block.data(), count);
    int const status = ::pclose(pipe);
    std::filesystem::remove(file);
    return status == 0 ? said : said + "\n" + source;
}

TEST(ReproC, IsolationIsShownByAStoreInOneProcessAndALoadInTheOther) {
    std::string const source = source_of(parent_keeps_w());
    EXPECT_THAT(source, HasSubstr("await(1); kept = load1(bss); pass(0);"));
    EXPECT_THAT(source, HasSubstr("await(0); store1(bss, load1(bss) + 1); pass(1);"));
    EXPECT_THAT(source, HasSubstr("expect(load1(bss) == kept, \"p1's bss must be unchanged\")"));
    EXPECT_THAT(source, HasSubstr("printf(\"PASS\\n\")"));
    EXPECT_THAT(source, Not(HasSubstr("usertrap(): unexpected scause")));
    EXPECT_EQ(compiler_says(source), "");
}

TEST(ReproC, AWildStoreIsShownByTheChildsStatus) {
    std::string const source = source_of(finding_of(
        Invariant::results, "vmcheck 1\nprofile cow\np0 fork p1\np1 store rodata 1 = 1\n", {"p1"}, "killed", "ok"));
    EXPECT_THAT(source, HasSubstr("await(1); store1((char *)rodata, 1);\n  exit(0);"));
    EXPECT_THAT(source, HasSubstr("finish(pid[1], -1, \"p1's store to rodata must kill p1\");"));
    EXPECT_THAT(source, HasSubstr("lines like \"usertrap(): unexpected scause\" before it are normal"));
    EXPECT_EQ(compiler_says(source), "");
}

TEST(ReproC, AWrongKillOfP0IsToldByItsParent) {
    std::string const source = source_of(
        finding_of(Invariant::results, "vmcheck 1\nprofile cow\np0 sp heap\np0 sbrk +1p\np0 store heap 1 = 1\n",
                   {"ok", "0x7000"}, "ok", "killed"));
    EXPECT_THAT(source, HasSubstr("store1_with_sp(heap, heap, 1);"));
    EXPECT_THAT(source, HasSubstr("else if (status != 77) printf(\"FAIL: p0 must survive p0's store to heap\\n\");"));
    EXPECT_EQ(compiler_says(source), "");
}

TEST(ReproC, AChildHasItsParentsStackPointer) {
    std::string const source = source_of(
        finding_of(Invariant::results, "vmcheck 1\nprofile cow\np0 sp data\np0 fork p1\np1 store heap 1 = 1\n",
                   {"ok", "p1"}, "killed", "ok"));
    EXPECT_THAT(source, HasSubstr("store1_with_sp(data, heap, 1);"));
    EXPECT_EQ(compiler_says(source), "");
}

TEST(ReproC, AccessesAndCallsAreMadeWithTheStackPointerThatTheProgramHas) {
    for (auto const& [step, call] :
         {std::pair{"load heap 4", "load4_with_sp(data, heap)"},
          std::pair{"store bss+0xffb 8 = 7", "store8_with_sp(data, guard - 5, 7)"},
          std::pair{"touch heap 1", "load1_with_sp(data, heap)"},
          std::pair{"touch heap 3", "touch_with_sp(data, heap, 3)"},
          std::pair{"fstat heap", "call_with_sp(data, SYS_fstat, open(\"/data\", 0), (long)(heap), 0)"},
          std::pair{"wait heap", "call_with_sp(data, SYS_wait, (long)(heap), 0, 0)"},
          std::pair{"open heap", "call_with_sp(data, SYS_open, (long)(heap), 0, 0)"},
          std::pair{"pipe heap", "call_with_sp(data, SYS_pipe, (long)(heap), 0, 0)"},
          std::pair{"pipe_read heap 3", "call_with_sp(data, SYS_read, fds[0], (long)(heap), 3)"},
          std::pair{"pipe_write heap 3", "call_with_sp(data, SYS_write, fds[1], (long)(heap), 3)"},
          std::pair{"file_read heap 3", "call_with_sp(data, SYS_read, open(\"/data\", 0), (long)(heap), 3)"}}) {
        std::string const source = source_of(
            finding_of(Invariant::results, std::string("vmcheck 1\nprofile cow\np0 sp data\np0 ") + step + "\n", {"ok"},
                       "-1", "0"));
        EXPECT_THAT(source, HasSubstr(call));
        EXPECT_EQ(compiler_says(source), "");
    }
}

TEST(ReproC, ResultsOfSbrkAreRelativeToTheHeap) {
    std::string const source = source_of(finding_of(
        Invariant::results, "vmcheck 1\nprofile cow\np0 sbrk +1p\np0 sbrk 0\n", {"0x7000"}, "0x8000", "0x9000"));
    EXPECT_THAT(source, HasSubstr("long r = (long)sbrk(0); expect(r == (long)(heap + PGSIZE),"));
    EXPECT_EQ(compiler_says(source), "");
}

TEST(ReproC, TheBreakIsTheOneThatAProcessMustHave) {
    std::string const source = source_of(
        finding_of(Invariant::results,
                   "vmcheck 1\nprofile cow\np0 sbrk +2p\np0 fork p1\np1 sbrk -1p\np0 load brk-8 1\np1 load brk 1\n",
                   {"0x7000", "p1", "0x9000", "0x0"}, "killed", "0x0"));
    EXPECT_THAT(source, HasSubstr("load1(heap + 0x1ff8);"));
    EXPECT_THAT(source, HasSubstr("load1(heap + PGSIZE);"));
    EXPECT_THAT(source, Not(HasSubstr("load1(sbrk(0)")));
    EXPECT_EQ(compiler_says(source), "");
}

TEST(ReproC, ResultsAreToldAsTheyAreInThisProgram) {
    EXPECT_THAT(source_of(finding_of(Invariant::results, "vmcheck 1\nprofile cow\np0 sbrk +1p\np0 sbrk 0\n", {"0x7000"},
                                     "0x8000", "0x9000")),
                HasSubstr("p0's sbrk(0) must give heap+1p\""));
    EXPECT_EQ(in_own_words("pid 2 (p1) or -1", std::nullopt), "the pid of p1 or -1");
}

TEST(ReproC, ItsOwnStackIsNotTakenAway) {
    EXPECT_THAT(source_of(finding_of(Invariant::results, "vmcheck 1\nprofile cow\np0 sbrk -1p\np0 sbrk 0\n", {"0x7000"},
                                     "0x6000", "0x7000")),
                HasSubstr("has its own stack"));
    EXPECT_THAT(source_of(finding_of(Invariant::results, "vmcheck 1\nprofile cow\np0 sbrk -9p\n", {}, "-1", "0x7000")),
                HasSubstr("r == -1"));
    EXPECT_THAT(source_of(finding_of(Invariant::results, "vmcheck 1\nprofile cow\np0 file_read stack-100 200\n", {},
                                     "-1", "200")),
                HasSubstr("this program's own stack"));
}

TEST(ReproC, WhatGoesBeyondTheStacksEndIsDoneToTheRealOne) {
    auto const source = [](char const* step) {
        return source_of(finding_of(Invariant::results,
                                    std::string("vmcheck 1\nprofile cow\np0 sbrk +1p\np0 store stack-8 8 = 7\n") + step,
                                    {"0x7000", "ok"}, "0", "-1"));
    };
    EXPECT_THAT(source("p0 fstat stack-12\n"), HasSubstr("store8(heap - 8, 7);"));
    EXPECT_THAT(source("p0 fstat brk-0x100c\n"), HasSubstr("(struct stat *)(heap - 12)"));
    EXPECT_THAT(source("p0 fstat stack-24\n"), HasSubstr("store8(room + 4088, 7);"));
    EXPECT_THAT(source("p0 fstat guard+0x1fe0\n"), HasSubstr("(struct stat *)(room + 4064)"));
    EXPECT_EQ(compiler_says(source("p0 fstat stack-12\n")), "");
}

TEST(ReproC, WhoHasEndedHasNoMemoryToLookInto) {
    Finding finding = finding_of(Invariant::dangling, "vmcheck 1\nprofile cow\np0 fork p1\np1 exit 0\np0 sbrk +1p\n",
                                 {"p1", "ended"}, "0x7000", "0x7000");
    finding.divergence.violations.front().process = spec::ProcId{1};
    finding.evidence.place = spec::Address{spec::Anchor::bss, 0};
    EXPECT_THAT(source_of(finding), HasSubstr("p1 has ended"));
}

TEST(ReproC, NeedsNoMoreOpenFilesThanAProcessMayHave) {
    std::string steps = "vmcheck 1\nprofile cow\n";
    for (int i = 0; i < 12; ++i) steps += "p0 fstat bss\n";
    EXPECT_THAT(source_of(finding_of(Invariant::results, steps, std::vector<std::string>(11, "0"), "0", "-1")),
                HasSubstr("more open files"));
}

TEST(ReproC, WhereSbrkTakesAModeItIsToldWhatTheProfilePromises) {
    Finding finding =
        finding_of(Invariant::liveness, "vmcheck 1\nprofile cow\np0 sbrk +1p\np0 sbrk +2p eager\np0 fork p1\n",
                   {"0x7000", "0x8000"}, "p1", "panic: uvmcopy");
    EXPECT_THAT(source_of(finding), HasSubstr("  sbrk(PGSIZE);\n  sbrk(2*PGSIZE);\n"));
    finding.evidence.sbrk_by_profile_is_lazy = true;
    EXPECT_THAT(source_of(finding), HasSubstr("  sbrklazy(PGSIZE);\n  sbrk(2*PGSIZE);\n"));
    EXPECT_EQ(compiler_says(source_of(finding)), "");
}

TEST(ReproC, ALeakIsShownByCountingFreeMemory) {
    std::string const source =
        source_of(finding_of(Invariant::conservation, "vmcheck 1\nprofile cow\np0 fork p1\np1 load brk 1\np0 wait\n",
                             {"p1", "killed"}, "pid 2 (p1)", "pid 2"));
    EXPECT_THAT(source, HasSubstr("int lost = before - free_pages();"));
    EXPECT_THAT(source, HasSubstr("await(1); pass(0); load1(heap);"));
    EXPECT_THAT(source, HasSubstr("await(0); settle(); wait(0);"));
    EXPECT_EQ(compiler_says(source), "");
}

TEST(ReproC, WhatComesBackWhenTheProcessEndsIsNotCountedAfterwards) {
    auto const source = [](char const* result) {
        return source_of(
            finding_of(Invariant::conservation, "vmcheck 1\nprofile cow\np0 pipe guard\n", {}, result, result));
    };
    EXPECT_THAT(source("-1"), HasSubstr("may only have been left open"));
    EXPECT_THAT(source("0"), HasSubstr("int lost = before - free_pages();"));
}

TEST(ReproC, AFrameFreedTooEarlyIsShownByWhoGetsItNext) {
    Finding finding = parent_keeps_w();
    finding.signature.invariant = finding.divergence.violations.front().invariant = Invariant::counts;
    std::string const source = source_of(finding);
    EXPECT_THAT(source, HasSubstr("grab(); expect(load1(bss) == kept,"));
    EXPECT_EQ(compiler_says(source), "");
}

TEST(ReproC, SaysWhyAUserProgramCannotShowIt) {
    auto const why = [](Invariant invariant, char const* step, char const* expected, char const* seen) {
        return source_of(
            finding_of(invariant, std::string("vmcheck 1\nprofile cow\n") + step + "\n", {}, expected, seen));
    };
    EXPECT_THAT(why(Invariant::containment, "p0 fork p1 !oom 2", "p1", "panic: x"),
                HasSubstr("a kalloc that fails at a chosen moment"));
    EXPECT_THAT(why(Invariant::liveness, "p0 fork p1 @9", "p1", "panic: x"),
                HasSubstr("a timer interrupt at a chosen instruction"));
    EXPECT_THAT(why(Invariant::laziness, "p0 fork p1", "p1", "p1"), HasSubstr("only more memory is used"));
    EXPECT_THAT(why(Invariant::results, "p0 load data 8", "0x61", "0x62"), HasSubstr("vmcheck's own image"));
    EXPECT_THAT(why(Invariant::results, "p0 pipe rodata+0xffc", "-1", "0"), HasSubstr("side by side"));
}

TEST(ReproC, MemoryThatMustBeZeroIsReadAfterOthersHaveFilledTheFrames) {
    Finding store = finding_of(Invariant::contents, "vmcheck 1\nprofile cow\np0 sbrk +1p\np0 pipe_write heap 1\n",
                               {"0x7000"}, "1", "1");
    store.divergence.violations.front().expected = "byte 0x00";
    store.evidence.place = spec::Address{spec::Anchor::heap, 1};
    std::string const touched = source_of(store);
    EXPECT_THAT(touched, HasSubstr("if (fork() == 0) { grab(); exit(0); } wait(0);"));
    EXPECT_THAT(touched,
                HasSubstr("write(fds[1], heap, 1);\n  expect(load1(heap + 1) == 0, \"p0 must read 0 at heap+0x1\");"));
    EXPECT_EQ(compiler_says(touched), "");
    std::string const loaded = source_of(
        finding_of(Invariant::results, "vmcheck 1\nprofile cow\np0 sbrk +1p\np0 load heap 1\n", {"0x7000"}, "0", "5"));
    EXPECT_THAT(loaded, HasSubstr("grab(); exit(0);"));
    EXPECT_EQ(compiler_says(loaded), "");
}

TEST(ReproC, OfWhatTheKernelCopiedInOnlyTheZerosAroundItAreKnown) {
    auto const source = [](char const* steps, char const* byte) {
        Finding finding =
            finding_of(Invariant::contents, std::string("vmcheck 1\nprofile cow\n") + steps, {"0x7000", "1"}, "1", "1");
        finding.divergence.violations.front().expected = byte;
        finding.evidence.place = spec::Address{spec::Anchor::heap, 1};
        return source_of(finding);
    };
    char const* const from_file = "p0 sbrk +1p\np0 file_read heap 1\n";
    EXPECT_THAT(source(from_file, "byte 0x00"), HasSubstr("expect(load1(heap + 1) == 0,"));
    EXPECT_EQ(compiler_says(source(from_file, "byte 0x00")), "");
    EXPECT_THAT(source(from_file, "byte 0x2f"), HasSubstr("vmcheck's own image"));
    EXPECT_THAT(source("p0 sbrk +1p\np0 pipe_write text 1\np0 pipe_read heap 1\n", "byte 0x00"),
                HasSubstr("vmcheck's own image"));
}

// p0's own step, and the byte of its memory that is wrong afterwards.
Finding wrong_byte(char const* step, char const* expected, spec::Address place, char const* byte) {
    Finding finding = finding_of(Invariant::contents, std::string("vmcheck 1\nprofile cow\np0 fork p1\n") + step,
                                 {"p1"}, expected, expected);
    finding.divergence.violations.front().expected = byte;
    finding.evidence.place = place;
    return finding;
}

TEST(ReproC, WhatASystemCallCopiesInIsKnownWhereItIsTheSameEverywhere) {
    for (auto const& [step, expected, offset, byte, check] :
         {std::tuple{"p0 fstat data\n", "0", 8, "byte 0x02",
                     "expect(load1(data + 8) == 2, \"p0 must read 2 at data+0x8\")"},
          std::tuple{"p0 pipe data\n", "0", 0, "byte 0x04",
                     "expect(load1(data) > 2 && load1(data) < 16, \"p0 must read a descriptor at data\")"},
          std::tuple{"p0 pipe data\n", "0", 5, "byte 0x00", "expect(load1(data + 5) == 0,"},
          std::tuple{"p0 file_read stack-9 4\n", "4", -8, "byte 0x64", "expect(load1(room + 4088) == rodata[1],"},
          std::tuple{"p0 wait data\n", "pid 2 (p1)", 0, "byte 0x07", "expect(load1(data) == 7,"},
          std::tuple{"p0 pipe data\n", "0", 9, "byte 0x6c",
                     "expect(load1(data + 9) == kept, \"p0's data+0x9 must be unchanged\")"},
          std::tuple{"p0 fstat data\n", "0", 4, "byte 0x13", "vmcheck's own image"},
          std::tuple{"p0 fstat data\n", "0 or -1", 0, "byte 0x01", "vmcheck's own image"},
          std::tuple{"p0 file_read data 9\n", "9", 1, "byte 0x64", "vmcheck's own image"}}) {
        spec::Anchor const anchor = offset < 0 ? spec::Anchor::stack : spec::Anchor::data;
        std::string const source = source_of(wrong_byte(step, expected, {anchor, offset}, byte));
        EXPECT_THAT(source, HasSubstr(check)) << step;
        if (source.find("no source") == std::string::npos) {
            EXPECT_EQ(compiler_says(source), "");
        }
    }
}

TEST(ReproC, WhatIsNotKnownIsShownByThatOfAProcessThatDidNothing) {
    Finding finding = wrong_byte("p0 fstat data\n", "0", {spec::Anchor::data, 4}, "byte 0x13");
    spec::Violation other = finding.divergence.violations.front();
    finding.divergence.violations.front().process = spec::kInit;
    finding.divergence.violations.front().address = VirtAddr{0x3004};
    other.process = spec::ProcId{1};
    other.address = VirtAddr{0x3006};
    finding.divergence.violations.push_back(other);
    std::string const source = source_of(finding);
    EXPECT_THAT(source, HasSubstr("expect(load1(data + 6) == kept, \"p1's data+0x6 must be unchanged\")"));
    EXPECT_EQ(compiler_says(source), "");
}

TEST(ReproC, SaysWhereThereIsNoFileToRead) {
    std::string const source =
        source_of(finding_of(Invariant::results, "vmcheck 1\nprofile cow\np0 file_read guard 1\n", {}, "-1", "1"));
    EXPECT_THAT(source, HasSubstr("{ printf(\"cannot be shown: there is no /data\\n\"); exit(77); }\n"));
    EXPECT_EQ(compiler_says(source), "");
}

TEST(ReproC, OrphansAreNotWaitedForByAProgramThatIsNotTheFirst) {
    std::string const program = "vmcheck 1\nprofile cow\np0 fork p1\np1 fork p2\np2 exit 0\n";
    EXPECT_THAT(source_of(finding_of(Invariant::results, program + "p1 exit 0\np0 wait\np0 wait\n",
                                     {"p1", "p2", "ended", "ended", "pid 2 (p1)"}, "pid 3 (p2)", "-1")),
                HasSubstr("orphans go to the first process"));
    std::string const reaped = source_of(finding_of(Invariant::results, program + "p1 wait\np1 exit 0\np0 wait\n",
                                                    {"p1", "p2", "ended", "pid 3 (p2)", "ended"}, "pid 2 (p1)", "-1"));
    EXPECT_THAT(reaped, HasSubstr("wait(0)"));
    EXPECT_EQ(compiler_says(reaped), "");
}

TEST(ReproC, WhatRunsIntoTheGuardPageDoesSoInEveryProgram) {
    std::string const source =
        source_of(finding_of(Invariant::results, "vmcheck 1\nprofile cow\np0 pipe bss+0xffc\n", {}, "-1", "0"));
    EXPECT_THAT(source, HasSubstr("pipe((int *)(guard - 4))"));
    EXPECT_EQ(compiler_says(source), "");
}

TEST(ReproC, AddressesAreModuloTwoToThe64) {
    std::string const farthest = "vmcheck 1\nprofile cow\np0 load guard-9223372036854775808 1\n";
    std::string const source = source_of(finding_of(Invariant::results, farthest, {}, "killed", "0"));
    EXPECT_THAT(source, HasSubstr("load1(heap + 0x7fffffffffffe000L)"));
    EXPECT_EQ(compiler_says(source), "");
}

TEST(ReproExpect, ReadsTheWordsOfTheReport) {
    EXPECT_TRUE(parse_expectation("killed").must_die());
    EXPECT_FALSE(parse_expectation("ok or killed").must_die());
    EXPECT_EQ(c_condition(parse_expectation("-1 or at most 5"), std::nullopt), "r == -1 || r <= 5");
    EXPECT_EQ(c_condition(parse_expectation("pid 2 (p1) or -1"), std::nullopt), "r > 0 || r == -1");
    EXPECT_EQ(c_condition(parse_expectation("7 or -1 or less"), std::nullopt), "r == 7 || r == -1 || r <= 7");
    EXPECT_EQ(c_condition(parse_expectation("0x8000 or -1"), 0x7000), "r == (long)(heap + PGSIZE) || r == -1");
    EXPECT_EQ(c_condition(parse_expectation("a descriptor"), std::nullopt), "r >= 0");
}

TEST(ReproExpect, TellsWhatIsAllowed) {
    EXPECT_TRUE(allows(parse_expectation("-1 or 0"), "-1"));
    EXPECT_FALSE(allows(parse_expectation("-1 or 0"), "1"));
    EXPECT_FALSE(allows(parse_expectation("ok"), "killed"));
    EXPECT_FALSE(allows(parse_expectation("ok"), "panic: remap"));
    EXPECT_TRUE(allows(parse_expectation("p1"), "p1"));
    EXPECT_TRUE(allows(parse_expectation("0, p1 killed"), "0"));
    EXPECT_FALSE(allows(parse_expectation("0x2a"), "0x2b"));
}

// A finding about any program at all: its steps need not make sense, the C must be C all the same.
Finding any_finding() {
    spec::Program program = *spec::testing::arbitrary_program();
    if (program.steps.empty()) program.steps.push_back({spec::kInit, spec::Load{{spec::Anchor::heap, 0}, 1}, {}});
    for (spec::Step& step : program.steps) step.faults = {};
    Finding finding = parent_keeps_w();
    finding.signature = {static_cast<Invariant>(*rc::gen::inRange(1, 11)), program.steps.back().action.index()};
    finding.divergence.violations.front().invariant = finding.signature.invariant;
    finding.divergence.violations.front().story = *testing::any_bytes();
    finding.divergence.at = {static_cast<std::uint32_t>(program.steps.size() - 1)};
    finding.records.clear();
    for (spec::Step const& step : program.steps) {
        auto const* fork = std::get_if<spec::Fork>(&step.action);
        std::string const seen = fork ? "p" + std::to_string(fork->child.value)
                                      : *rc::gen::element<std::string>("ok", "-1", "killed", "0x2a");
        finding.records.push_back(
            {step, *rc::gen::element<std::string>("ok", "-1 or 0", "killed", "p1", "0x8000 or -1"), seen});
    }
    finding.program = std::move(program);
    return finding;
}

RC_GTEST_PROP(ReproCProperty, AProgramIsShortAndAReasonIsPartOfASentence, ()) {
    auto const source = repro_c(any_finding());
    if (source) {
        RC_ASSERT(static_cast<std::size_t>(std::count(source->begin(), source->end(), '\n')) < kReproLinesMax);
    } else {
        RC_ASSERT(!source.error().empty());
        RC_ASSERT(source.error().back() != '.');
    }
}

}  // namespace
}  // namespace vmcheck::report
