#include "checker/repro/repro_c.h"

#include "checker/report/expect.h"
#include "checker/report/pseudo_code.h"
#include "checker/report/sample_testing.h"
#include "checker/report/step_words.h"
#include "checker/report/story.h"
#include "checker/repro/code.h"
#include "checker/run/records.h"
#include "checker/run/runner.h"
#include "checker/run/twin_testing.h"
#include "checker/session/session.h"
#include "impl/base/child.h"
#include "impl/base/files.h"
#include "spec/testing/arbitrary_program.h"
#include "spec/text.h"
#include "spec/walk.h"

#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <tuple>

namespace vmcheck::repro {
namespace {

using namespace report;  // the words
using report::testing::ended;
using report::testing::finding_of;
using report::testing::gave;
using report::testing::made_child;
using report::testing::panicked;
using report::testing::parent_keeps_w;
using spec::AtMost;
using spec::Ends;
using spec::Exactly;
using spec::GoesOn;
using spec::Invariant;
using spec::NewChild;
using spec::PidOf;
using spec::ProcId;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Exactly kFails{spec::kFailed};

std::string source_of(Finding const& finding) {
    auto const source = repro_c(finding);
    return source ? *source : "no source: " + source.error();
}

// Compiles a program as an xv6 tree does, warnings being errors; what the compiler says.
std::string compiler_says(std::string const& source) {
    auto const scratch = base::ScratchDirectory::make("test");
    std::filesystem::path const file = scratch->path() / "repro.c";
    EXPECT_TRUE(base::write_file(file, source));
    auto const ran =
        base::run({.arguments = {VMCHECK_RISCV_GCC, "-fsyntax-only", "-Wall", "-Werror", "-O", "-mcmodel=medany",
                                 "-ffreestanding", "-fno-builtin", "-I" VMCHECK_XV6_HEADERS, file.string()}},
                  {});
    EXPECT_TRUE(ran) << ran.error().message;
    bool const compiles = ran && ran->end == base::RunResult::End::exited && ran->exit_code == 0;
    return compiles ? ran->output : ran->output + "\n" + source;
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
    std::string const source =
        source_of(finding_of(Invariant::results, "vmcheck 1\nprofile cow\np0 fork p1\np1 store rodata 1 = 1\n",
                             {made_child()}, {Ends{}}, gave(0)));
    EXPECT_THAT(source,
                HasSubstr("await(1); store1((char *)rodata, 1);\n  fail(\"p1's store to rodata must kill p1\");"));
    EXPECT_THAT(source, HasSubstr("finish(pid[1], -1, \"p1's store to rodata must kill p1\");"));
    EXPECT_THAT(source, HasSubstr("lines like \"usertrap(): unexpected scause\" before it are normal"));
    EXPECT_EQ(compiler_says(source), "");
}

TEST(ReproC, AWrongKillOfP0IsToldByItsParent) {
    std::string const source = source_of(
        finding_of(Invariant::results, "vmcheck 1\nprofile cow\np0 sp heap\np0 sbrk +1p\np0 store heap 1 = 1\n",
                   {gave(0), gave(0x7000)}, {GoesOn{}}, ended()));
    EXPECT_THAT(source, HasSubstr("store1_with_sp(heap, heap, 1);"));
    EXPECT_THAT(
        source,
        HasSubstr("else if (status != 77 && c != '!') printf(\"FAIL: p0 must survive p0's store to heap\\n\");"));
    EXPECT_EQ(compiler_says(source), "");
}

TEST(ReproC, AChildHasItsParentsStackPointer) {
    std::string const source = source_of(
        finding_of(Invariant::results, "vmcheck 1\nprofile cow\np0 sp data\np0 fork p1\np1 store heap 1 = 1\n",
                   {gave(0), made_child()}, {Ends{}}, gave(0)));
    EXPECT_THAT(source, HasSubstr("store1_with_sp(data, heap, 1);"));
    EXPECT_EQ(compiler_says(source), "");
}

TEST(ReproC, AccessesAndCallsAreMadeWithTheStackPointerThatTheProgramHas) {
    for (auto const& [step, call] :
         {std::pair{"load heap 4", "load4_with_sp(data, heap)"}, std::pair{"touch heap 1", "load1_with_sp(data, heap)"},
          std::pair{"touch heap 3", "touch_with_sp(data, heap, 3)"},
          std::pair{"fstat heap", "call_with_sp(data, SYS_fstat, open(\"/data\", 0), (long)(heap), 0)"},
          std::pair{"wait heap", "call_with_sp(data, SYS_wait, (long)(heap), 0, 0)"},
          std::pair{"open heap", "call_with_sp(data, SYS_open, (long)(heap), 0, 0)"},
          std::pair{"pipe heap", "call_with_sp(data, SYS_pipe, (long)(heap), 0, 0)"},
          std::pair{"pipe_read heap 3", "call_with_sp(data, SYS_read, fds[0], (long)(heap), 3)"},
          std::pair{"pipe_write heap 3", "call_with_sp(data, SYS_write, fds[1], (long)(heap), 3)"},
          std::pair{"file_read heap 3", "call_with_sp(data, SYS_read, open(\"/data\", 0), (long)(heap), 3)"}}) {
        std::string const source = source_of(
            finding_of(Invariant::results, std::string("vmcheck 1\nprofile cow\np0 sp data\np0 ") + step + "\n",
                       {gave(0)}, {kFails}, gave(0)));
        EXPECT_THAT(source, HasSubstr(call));
        EXPECT_EQ(compiler_says(source), "");
    }
}

TEST(ReproC, TheFileToOpenIsMadeWhereverTheStackPointerIs) {
    for (char const* sp : {"", "p0 sp data\n"}) {
        std::string const steps = std::string("vmcheck 1\nprofile cow\n") + sp + "p0 open rodata\n";
        std::vector<spec::Outcome> const earlier(*sp == '\0' ? 0 : 1, gave(0));
        std::string const source =
            source_of(finding_of(Invariant::results, steps, earlier, {spec::SomeDescriptor{}}, gave(spec::kFailed)));
        EXPECT_THAT(source, HasSubstr("int file = open(\"/data\", O_CREATE | O_WRONLY);"));
        EXPECT_EQ(compiler_says(source), "");
    }
}

TEST(ReproC, AStoreIsMadeWithTheStackPointerThatTheProgramHas) {
    std::string const source =
        source_of(finding_of(Invariant::results, "vmcheck 1\nprofile cow\np0 sp data\np0 store bss+0xffb 8 = 7\n",
                             {gave(0)}, {GoesOn{}}, ended()));
    EXPECT_THAT(source, HasSubstr("store8_with_sp(data, guard - 5, 7)"));
    EXPECT_EQ(compiler_says(source), "");
}

TEST(ReproC, TheStackPointerMayBeInTheRealStack) {
    std::string const source =
        source_of(finding_of(Invariant::results, "vmcheck 1\nprofile cow\np0 sp stack-16\np0 store heap 1 = 1\n",
                             {gave(0)}, {Ends{}}, gave(0)));
    EXPECT_THAT(source, HasSubstr("store1_with_sp(stack - 16, heap, 1)"));
    EXPECT_EQ(compiler_says(source), "");
}

TEST(ReproC, AYieldIsASystemCallByItsNumber) {
    std::string const source = source_of(finding_of(Invariant::results, "vmcheck 1\nprofile cow\np0 yield\np0 sbrk 0\n",
                                                    {gave(0)}, {Exactly{0x7000}}, gave(0)));
    EXPECT_THAT(source, HasSubstr("li a7, 13; ecall"));
    EXPECT_EQ(compiler_says(source), "");
}

TEST(ReproC, ResultsOfSbrkAreRelativeToTheHeap) {
    std::string const source =
        source_of(finding_of(Invariant::results, "vmcheck 1\nprofile cow\np0 sbrk +1p\np0 sbrk 0\n", {gave(0x7000)},
                             {Exactly{0x8000}}, gave(0x9000)));
    EXPECT_THAT(source, HasSubstr("long r = (long)sbrk(0); expect(r == (long)(heap + PGSIZE),"));
    EXPECT_EQ(compiler_says(source), "");
}

TEST(ReproC, TheBreakIsTheOneThatAProcessMustHave) {
    std::string const source = source_of(
        finding_of(Invariant::results,
                   "vmcheck 1\nprofile cow\np0 sbrk +2p\np0 fork p1\np1 sbrk -1p\np0 load brk-8 1\np1 load brk 1\n",
                   {gave(0x7000), made_child(), gave(0x9000), gave(0)}, {Ends{}}, gave(0)));
    EXPECT_THAT(source, HasSubstr("load1(heap + 0x1ff8);"));
    EXPECT_THAT(source, HasSubstr("load1(heap + PGSIZE);"));
    EXPECT_THAT(source, Not(HasSubstr("load1(sbrk(0)")));
    EXPECT_EQ(compiler_says(source), "");
}

TEST(ReproC, ResultsAreToldAsTheyAreInThisProgram) {
    EXPECT_THAT(source_of(finding_of(Invariant::results, "vmcheck 1\nprofile cow\np0 sbrk +1p\np0 sbrk 0\n",
                                     {gave(0x7000)}, {Exactly{0x8000}}, gave(0x9000))),
                HasSubstr("p0's sbrk(0) must give heap+1p\""));
    EXPECT_EQ(expected_words({PidOf{ProcId{1}, 2}, kFails}, {spec::kInit, spec::Wait{}}, OwnProgram{}),
              "the pid of p1 or -1");
}

TEST(ReproC, WhoGivesBackItsStackHasAnotherAmongItsVariables) {
    std::string const source = source_of(finding_of(Invariant::results,
                                                    "vmcheck 1\nprofile cow\np0 store stack-8 8 = 1\np0 sbrk -2p\n"
                                                    "p0 fstat guard\np0 load stack-8 1\n",
                                                    {gave(0), gave(0x7000), gave(spec::kFailed)}, {Ends{}}, gave(0)));
    EXPECT_THAT(source, HasSubstr("store8(heap - 8, 1);\n  sbrk(-2*PGSIZE);"));
    EXPECT_THAT(source, HasSubstr("guard = heap - 2*PGSIZE;"));
    EXPECT_THAT(source, HasSubstr("told = argv[1][0]; on_own_stack(p0); }"));
    EXPECT_EQ(compiler_says(source), "");
    EXPECT_THAT(source_of(finding_of(Invariant::conservation, "vmcheck 1\nprofile cow\np0 sbrk -1p\n", {},
                                     {Exactly{0x7000}}, gave(0x7000))),
                HasSubstr("if (argc > 1) on_own_stack(p0);"));
    EXPECT_THAT(source_of(finding_of(Invariant::results, "vmcheck 1\nprofile cow\np0 sbrk -3p\np0 sbrk 0\n",
                                     {gave(0x7000)}, {Exactly{0x4000}}, gave(0x7000))),
                HasSubstr("has its variables"));
}

TEST(ReproC, ItsOwnStackIsNotTakenAway) {
    EXPECT_THAT(
        source_of(finding_of(Invariant::results, "vmcheck 1\nprofile cow\np0 sbrk -9p\n", {}, {kFails}, gave(0x7000))),
        HasSubstr("r == -1"));
    EXPECT_THAT(source_of(finding_of(Invariant::results, "vmcheck 1\nprofile cow\np0 file_read stack-100 200\n", {},
                                     {kFails}, gave(200))),
                HasSubstr("this program's own stack"));
}

TEST(ReproC, AnSbrkBelowZeroGivesNothingBackAndIsBelowZeroInEveryProgram) {
    std::string const source =
        source_of(finding_of(Invariant::results, "vmcheck 1\nprofile cow\np0 sbrk -8p\np0 sbrk 0\n", {gave(0x7000)},
                             {Exactly{0x7000}}, gave(0xfffffffffffff000)));
    EXPECT_THAT(source, HasSubstr("sbrk(-(int)(uint64)(heap + PGSIZE));\n"));
    EXPECT_THAT(source, HasSubstr("long r = (long)sbrk(0); expect(r == (long)(heap),"));
    EXPECT_EQ(compiler_says(source), "");
    std::string const far = source_of(
        finding_of(Invariant::results, "vmcheck 1\nprofile cow\np0 sbrk -0x7fffffff\n", {}, {kFails}, gave(0x7000)));
    EXPECT_THAT(far, HasSubstr("sbrk(-0x7fffffff)"));
}

TEST(ReproC, WhereAddressesMatterTheHeapBeginsAsHighAsInVmchecksProgram) {
    auto const source = [](std::string_view pages) {
        return source_of(finding_of(
            Invariant::results, fmt::format("vmcheck 1\nprofile cow\np0 sbrk +{0}p\np0 pipe_write brk-8 1\n", pages),
            {gave(0x7000)}, {Exactly{1}}, gave(0)));
    };
    EXPECT_THAT(source("506"), HasSubstr("int more = 0x7000 - (int)(uint64)sbrk(0);"));
    EXPECT_EQ(compiler_says(source("506")), "");
    EXPECT_THAT(source("5"), Not(HasSubstr("int more")));
}

TEST(ReproC, PassIsSaidOfWhatTheProcessesTellThemselvesWhateverWaitSays) {
    std::string const two = source_of(finding_of(
        Invariant::results, "vmcheck 1\nprofile cow\np0 fork p1\np0 fork p2\np1 fork p3\np1 store rodata 1 = 1\n",
        {made_child(2), made_child(3), made_child(4)}, {Ends{}}, gave(0)));
    EXPECT_THAT(two, HasSubstr("while (status == 0 && n < 3 && read(ends[0], &c, 1) == 1 && c == '.') n++;"))
        << "p0, p2 and p3 come to their ends, if p1 does as it must";
    EXPECT_THAT(two, HasSubstr("pass(3);")) << "which nobody but p0 can end any more";
    EXPECT_EQ(compiler_says(two), "");
    EXPECT_THAT(source_of(finding_of(Invariant::results, "vmcheck 1\nprofile cow\np0 store rodata 1 = 1\n", {},
                                     {Ends{}}, gave(0))),
                HasSubstr("if (status != 77 && n == 0) printf(\"PASS"))
        << "which says FAIL itself where it lives on";
}

TEST(ReproC, WhatGoesBeyondTheStacksEndIsDoneToTheRealOne) {
    auto const source = [](char const* step) {
        return source_of(finding_of(Invariant::results,
                                    std::string("vmcheck 1\nprofile cow\np0 sbrk +1p\np0 store stack-8 8 = 7\n") + step,
                                    {gave(0x7000), gave(0)}, {Exactly{0}}, gave(spec::kFailed)));
    };
    EXPECT_THAT(source("p0 fstat stack-12\n"), HasSubstr("store8(heap - 8, 7);"));
    EXPECT_THAT(source("p0 fstat brk-0x100c\n"), HasSubstr("(struct stat *)(heap - 12)"));
    EXPECT_THAT(source("p0 fstat stack-24\n"), HasSubstr("store8(room + 4088, 7);"));
    EXPECT_THAT(source("p0 fstat guard+0x1fe0\n"), HasSubstr("(struct stat *)(room + 4064)"));
    EXPECT_EQ(compiler_says(source("p0 fstat stack-12\n")), "");
}

TEST(ReproC, WhoHasEndedHasNoMemoryToLookInto) {
    Finding finding = finding_of(Invariant::dangling, "vmcheck 1\nprofile cow\np0 fork p1\np1 exit 0\np0 sbrk +1p\n",
                                 {made_child(), ended()}, {Exactly{0x7000}}, gave(0x7000));
    finding.divergence.violations.front().process = spec::ProcId{1};
    finding.evidence.place = spec::Address{spec::Anchor::bss, 0};
    EXPECT_THAT(source_of(finding), HasSubstr("p1 has ended"));
}

TEST(ReproC, NeedsNoMoreOpenFilesThanAProcessMayHave) {
    std::string steps = "vmcheck 1\nprofile cow\n";
    for (int i = 0; i < 12; ++i) steps += "p0 fstat bss\n";
    EXPECT_THAT(
        source_of(finding_of(Invariant::results, steps, std::vector(11, gave(0)), {Exactly{0}}, gave(spec::kFailed))),
        HasSubstr("more open files"));
}

TEST(ReproC, AnSbrkThatIsToBeLazyIsACallOfItsOwn) {
    Finding const finding =
        finding_of(Invariant::liveness, "vmcheck 1\nprofile cow\np0 sbrk +1p lazy\np0 sbrk +2p eager\np0 fork p1\n",
                   {gave(0x7000), gave(0x8000)}, {NewChild{ProcId{1}}}, panicked("uvmcopy"));
    EXPECT_THAT(source_of(finding), HasSubstr("  sbrklazy(PGSIZE);\n  sbrk(2*PGSIZE);\n"));
    EXPECT_EQ(compiler_says(source_of(finding)), "");
}

TEST(ReproC, ALeakIsShownByCountingFreeMemory) {
    std::string const source =
        source_of(finding_of(Invariant::conservation, "vmcheck 1\nprofile cow\np0 fork p1\np1 load brk 1\np0 wait\n",
                             {made_child(), ended()}, {PidOf{ProcId{1}, 2}}, gave(2)));
    EXPECT_THAT(source, HasSubstr("int lost = before - free_pages();"));
    EXPECT_THAT(source, HasSubstr("await(1); pass(0); load1(heap);"));
    EXPECT_THAT(source, HasSubstr("await(0); settle(); wait(0);"));
    EXPECT_EQ(compiler_says(source), "");
}

TEST(ReproC, AFewStepsAreShownHoweverManyHelpersTheyNeed) {
    std::string const source = source_of(finding_of(
        Invariant::conservation, "vmcheck 1\nprofile cow\np0 sp data\np0 fork p1\np1 fstat guard\np1 touch heap 2\n",
        {gave(0), made_child(), gave(spec::kFailed)}, {Ends{}}, ended()));
    EXPECT_GT(std::count(source.begin(), source.end(), '\n'), 60);
    EXPECT_THAT(source, HasSubstr("int lost = before - free_pages();"));
    EXPECT_EQ(compiler_says(source), "");
}

TEST(ReproC, WhatComesBackWhenTheProcessEndsIsNotCountedAfterwards) {
    auto const source = [](std::uint64_t result) {
        return source_of(finding_of(Invariant::conservation, "vmcheck 1\nprofile cow\np0 pipe guard\n", {},
                                    {Exactly{result}}, gave(result)));
    };
    EXPECT_THAT(source(spec::kFailed), HasSubstr("may only have been left open"));
    EXPECT_THAT(source(0), HasSubstr("int lost = before - free_pages();"));
}

TEST(ReproC, AFrameFreedTooEarlyIsShownByWhoGetsItNext) {
    Finding finding = parent_keeps_w();
    finding.signature.invariant = finding.divergence.violations.front().invariant = Invariant::counts;
    std::string const source = source_of(finding);
    EXPECT_THAT(source, HasSubstr("grab(); expect(load1(bss) == kept,"));
    EXPECT_EQ(compiler_says(source), "");
}

TEST(ReproC, SaysWhyAUserProgramCannotShowIt) {
    auto const why = [](Invariant invariant, char const* step, spec::Result const& expected,
                        spec::Outcome const& seen) {
        return source_of(
            finding_of(invariant, std::string("vmcheck 1\nprofile cow\n") + step + "\n", {}, {expected}, seen));
    };
    EXPECT_THAT(why(Invariant::containment, "p0 fork p1 !oom 2", NewChild{ProcId{1}}, panicked("x")),
                HasSubstr("a kalloc that fails at a chosen moment"));
    EXPECT_THAT(why(Invariant::liveness, "p0 fork p1 @9", NewChild{ProcId{1}}, panicked("x")),
                HasSubstr("a timer interrupt at a chosen instruction"));
    EXPECT_THAT(why(Invariant::laziness, "p0 fork p1", NewChild{ProcId{1}}, made_child()),
                HasSubstr("only more memory is used"));
    EXPECT_THAT(why(Invariant::results, "p0 load data 8", Exactly{0x61}, gave(0x62)), HasSubstr("vmcheck's own image"));
    EXPECT_THAT(why(Invariant::results, "p0 pipe rodata+0xffc", kFails, gave(0)), HasSubstr("side by side"));
}

TEST(ReproC, MemoryThatMustBeZeroIsReadAfterOthersHaveFilledTheFrames) {
    Finding store = finding_of(Invariant::contents, "vmcheck 1\nprofile cow\np0 sbrk +1p\np0 pipe_write heap 1\n",
                               {gave(0x7000)}, {Exactly{1}}, gave(1));
    store.divergence.violations.front().facts = spec::WrongByte{std::byte{0}, std::byte{0x5a}, {}};
    store.evidence.place = spec::Address{spec::Anchor::heap, 1};
    std::string const touched = source_of(store);
    EXPECT_THAT(touched, HasSubstr("if (fork() == 0) { grab(); exit(0); } wait(0);"));
    EXPECT_THAT(touched,
                HasSubstr("write(fds[1], heap, 1);\n  expect(load1(heap + 1) == 0, \"p0 must read 0 at heap+0x1\");"));
    EXPECT_EQ(compiler_says(touched), "");
    std::string const loaded =
        source_of(finding_of(Invariant::results, "vmcheck 1\nprofile cow\np0 sbrk +1p\np0 load heap 1\n",
                             {gave(0x7000)}, {Exactly{0}}, gave(5)));
    EXPECT_THAT(loaded, HasSubstr("grab(); exit(0);"));
    EXPECT_EQ(compiler_says(loaded), "");
}

TEST(ReproC, OfWhatTheKernelCopiedInOnlyTheZerosAroundItAreKnown) {
    auto const source = [](char const* steps, std::vector<spec::Outcome> const& earlier, unsigned char byte) {
        Finding finding = finding_of(Invariant::contents, std::string("vmcheck 1\nprofile cow\n") + steps, earlier,
                                     {Exactly{1}}, gave(1));
        finding.divergence.violations.front().facts = spec::WrongByte{std::byte{byte}, std::byte{0x5a}, {}};
        finding.evidence.place = spec::Address{spec::Anchor::heap, 1};
        return source_of(finding);
    };
    char const* const from_file = "p0 sbrk +1p\np0 file_read heap 1\n";
    EXPECT_THAT(source(from_file, {gave(0x7000)}, 0), HasSubstr("expect(load1(heap + 1) == 0,"));
    EXPECT_EQ(compiler_says(source(from_file, {gave(0x7000)}, 0)), "");
    EXPECT_THAT(source(from_file, {gave(0x7000)}, 0x2f), HasSubstr("vmcheck's own image"));
    EXPECT_THAT(source("p0 sbrk +1p\np0 pipe_write text 1\np0 pipe_read heap 1\n", {gave(0x7000), gave(1)}, 0),
                HasSubstr("vmcheck's own image"));
}

// p0's own step, and the byte of its memory that is wrong afterwards.
Finding wrong_byte(char const* step, std::vector<spec::Result> expected, spec::Address place, unsigned char byte) {
    std::uint64_t const count =
        std::holds_alternative<Exactly>(expected.front()) ? std::get<Exactly>(expected.front()).value : 2;
    Finding finding = finding_of(Invariant::contents, std::string("vmcheck 1\nprofile cow\np0 fork p1\n") + step,
                                 {made_child()}, std::move(expected), gave(count));
    finding.divergence.violations.front().facts = spec::WrongByte{std::byte{byte}, std::byte{0x5a}, {}};
    finding.evidence.place = place;
    return finding;
}

TEST(ReproC, WhatASystemCallCopiesInIsKnownWhereItIsTheSameEverywhere) {
    using Results = std::vector<spec::Result>;
    for (auto const& [step, expected, offset, byte, check] :
         {std::tuple{"p0 fstat data\n", Results{Exactly{0}}, 8, 0x02,
                     "expect(load1(data + 8) == 2, \"p0 must read 2 at data+0x8\")"},
          std::tuple{"p0 pipe data\n", Results{Exactly{0}}, 0, 0x04,
                     "expect(load1(data) > 2 && load1(data) < 16, \"p0 must read a descriptor at data\")"},
          std::tuple{"p0 pipe data\n", Results{Exactly{0}}, 5, 0x00, "expect(load1(data + 5) == 0,"},
          std::tuple{"p0 file_read stack-9 4\n", Results{Exactly{4}}, -8, 0x64,
                     "expect(load1(room + 4088) == rodata[1],"},
          std::tuple{"p0 wait data\n", Results{PidOf{ProcId{1}, 2}}, 0, 0x07, "expect(load1(data) == 7,"},
          std::tuple{"p0 pipe data\n", Results{Exactly{0}}, 9, 0x6c,
                     "expect(load1(data + 9) == kept, \"p0's data+0x9 must be unchanged\")"},
          std::tuple{"p0 fstat data\n", Results{Exactly{0}}, 4, 0x13, "vmcheck's own image"},
          std::tuple{"p0 fstat data\n", Results{Exactly{0}, kFails}, 0, 0x01, "vmcheck's own image"},
          std::tuple{"p0 file_read data 9\n", Results{Exactly{9}}, 1, 0x64, "vmcheck's own image"}}) {
        spec::Anchor const anchor = offset < 0 ? spec::Anchor::stack : spec::Anchor::data;
        std::string const source =
            source_of(wrong_byte(step, expected, {anchor, offset}, static_cast<unsigned char>(byte)));
        EXPECT_THAT(source, HasSubstr(check)) << step;
        if (source.find("no source") == std::string::npos) {
            EXPECT_EQ(compiler_says(source), "");
        }
    }
}

TEST(ReproC, WhatIsNotKnownIsShownByThatOfAProcessThatDidNothing) {
    Finding finding = wrong_byte("p0 fstat data\n", {Exactly{0}}, {spec::Anchor::data, 4}, 0x13);
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

TEST(ReproC, AnExecWithBadArgumentsComesBack) {
    auto const of = [](std::string const& step, std::vector<spec::Result> expected) {
        return source_of(finding_of(Invariant::results, "vmcheck 1\nprofile cow\n" + step, {}, std::move(expected),
                                    report::testing::panicked("remap")));
    };
    EXPECT_THAT(of("p0 exec guard\n", {kFails}), HasSubstr("exec(\"echo\", (char **)(guard))"));
    EXPECT_THAT(of("p0 exec data+0x100\n", {spec::Restarts{}}), HasSubstr("no source: it goes on after an exec"));
    EXPECT_THAT(of("p0 exec large\n", {spec::Restarts{}}), HasSubstr("no source: it executes a program"));
}

TEST(ReproC, SaysWhereThereIsNoFileToRead) {
    std::string const source = source_of(
        finding_of(Invariant::results, "vmcheck 1\nprofile cow\np0 file_read guard 1\n", {}, {kFails}, gave(1)));
    EXPECT_THAT(source, HasSubstr("{ printf(\"cannot be shown: there is no /data\\n\"); exit(77); }\n"));
    EXPECT_EQ(compiler_says(source), "");
}

// The finding of a program on the toy kernel with a defect, made as a session makes one: run, confirmed, with its
// records.
Finding real_finding(std::string_view program, spec::testing::PlantedDefect defect) {
    spec::Program const parsed = spec::parse(program).value();
    auto kernel = session::start(
        [&]() -> tl::expected<std::unique_ptr<Target>, BootError> {
            return std::make_unique<run::Twin>(parsed.profile, defect);
        },
        1);
    run::Counts counts;
    run::Run run = run::run_program(kernel->machines.first(), kernel->look.reference, parsed, {.close = false}, counts);
    if (!run.divergence) {
        ADD_FAILURE() << "nothing is wrong with\n" << program;
        return {};
    }
    auto finding = session::make_finding(*kernel, {.run = std::move(run)}, {.shrink = false});
    return finding ? std::move(*finding) : Finding{};
}

TEST(RealFinding, NamesTheMistakeAndWhatIsExpected) {
    Finding const finding = real_finding("vmcheck 1\nprofile cow lazy\np0 fstat rodata\n",
                                         spec::testing::PlantedDefect::copyout_ignores_rights);
    ASSERT_TRUE(is_solid(finding));
    EXPECT_EQ(story_of(finding), "p0's fstat into rodata succeeded where copyout must refuse the address.");
    EXPECT_EQ(pseudo_code(finding).back().remark, "must be: -1; is: 0");
    EXPECT_THAT(source_of(finding), HasSubstr("expect(r == -1, \"p0's fstat into rodata must give -1\")"));
}

constexpr std::string_view kGrandchild = "vmcheck 1\nprofile cow lazy\np0 fork p1\np1 fork p2\np2 exit 0\n";

TEST(ReproC, AGrandchildThatWasWaitedForIsNoOrphan) {
    Finding const finding = real_finding(std::string(kGrandchild) +
                                             "p1 wait\np1 exit 7\np0 wait bss\np0 fork p3\n"
                                             "p3 store 0x40000000 1 = 1\n",
                                         spec::testing::PlantedDefect::wild_store_survives);
    ASSERT_EQ(finding.records.size(), 8U);
    EXPECT_EQ(seen_words(finding.records[3]), "pid 3");
    std::string const source = source_of(finding);
    EXPECT_THAT(source, HasSubstr("p3's store to 0x40000000 must kill p3"));
    EXPECT_EQ(compiler_says(source), "");
}

TEST(ReproC, OrphansAreNotWaitedForByAProgramThatIsNotTheFirst) {
    Finding const finding = real_finding(std::string(kGrandchild) +
                                             "p1 exit 0\np0 wait\np0 wait\np0 fork p3\n"
                                             "p3 store 0x40000000 1 = 1\n",
                                         spec::testing::PlantedDefect::wild_store_survives);
    ASSERT_EQ(finding.records.size(), 8U);
    EXPECT_THAT(source_of(finding), HasSubstr("orphans go to the first process"));
}

TEST(ReproC, OfTwoChildrenWithOneNameInTheTableAfterAnotherTheOneThatWasNotWaitedForIsAnOrphan) {
    std::string const program =
        "vmcheck 1\nprofile cow\np0 fork p1\np1 fork p2\np1 fork p3\np1 wait\np1 exit 0\np0 wait\n";
    // p3 has ended as well, but p1 has waited for p2 alone.
    EXPECT_THAT(source_of(finding_of(Invariant::results, program,
                                     {made_child(2), made_child(3), made_child(4), gave(3), ended()},
                                     {PidOf{ProcId{1}, 2}}, gave(spec::kFailed))),
                HasSubstr("orphans go to the first process"));
}

TEST(ReproC, AProcessThatIsKilledIsGone) {
    spec::Outcome const killed_p1{.what = spec::Returned{0}, .ended_others = {ProcId{1}}};
    std::string const source =
        source_of(finding_of(Invariant::results, "vmcheck 1\nprofile cow\np0 fork p1\np0 kill p1\np0 load brk 1\n",
                             {made_child(), killed_p1}, {Ends{}}, gave(0)));
    EXPECT_THAT(source, HasSubstr("kill(pid[1]); settle();"));
    EXPECT_THAT(source, Not(HasSubstr("p1 must survive")));
    EXPECT_EQ(compiler_says(source), "");
}

TEST(ReproC, AKillThatSparesItsTargetIsShownByTheTargetsEnd) {
    Finding const finding = real_finding("vmcheck 1\nprofile cow lazy\np0 fork p1\np0 kill p1\n",
                                         spec::testing::PlantedDefect::kill_spares);
    ASSERT_EQ(finding.records.size(), 2U);
    EXPECT_FALSE(is_among(finding.records[1].expected, *finding.records[1].seen));
    std::string const source = source_of(finding);
    EXPECT_THAT(source, HasSubstr("pass(1); finish(pid[1], -1, \"p1 must be killed\");"));
    EXPECT_EQ(compiler_says(source), "");
}

TEST(ReproC, WhatRunsIntoTheGuardPageDoesSoInEveryProgram) {
    std::string const source =
        source_of(finding_of(Invariant::results, "vmcheck 1\nprofile cow\np0 pipe bss+0xffc\n", {}, {kFails}, gave(0)));
    EXPECT_THAT(source, HasSubstr("pipe((int *)(guard - 4))"));
    EXPECT_EQ(compiler_says(source), "");
}

TEST(ReproC, AddressesAreModuloTwoToThe64) {
    std::string const farthest = "vmcheck 1\nprofile cow\np0 load guard-9223372036854775808 1\n";
    std::string const source = source_of(finding_of(Invariant::results, farthest, {}, {Ends{}}, gave(0)));
    EXPECT_THAT(source, HasSubstr("load1(heap + 0x7fffffffffffe000L)"));
    EXPECT_EQ(compiler_says(source), "");
}

TEST(Expect, IsAConditionInC) {
    auto const condition = [](std::vector<spec::Result> const& results) {
        return repro_condition(results, std::nullopt).text;
    };
    EXPECT_EQ(condition({kFails, AtMost{5}}), "r == -1 || (r >= 0 && r <= 5)");
    EXPECT_EQ(condition({kFails, AtMost{0}}), "r == -1 || r == 0");
    EXPECT_EQ(condition({PidOf{ProcId{1}, 2}, kFails}), "r == pid[1] || r == -1");
    EXPECT_EQ(condition({Exactly{7}, kFails, AtMost{6}}), "r == 7 || r == -1 || (r >= 0 && r <= 6)");
    EXPECT_EQ(condition({spec::SomeDescriptor{}}), "r >= 0");
    EXPECT_EQ(condition({spec::EndsOther{ProcId{1}}}), "r == 0");
    EXPECT_EQ(condition({GoesOn{}, Ends{}}), "") << "nothing to compare";
    EXPECT_EQ(repro_condition({Exactly{0x8000}, kFails}, VirtAddr{0x7000}).text,
              "r == (long)(heap + PGSIZE) || r == -1");
}

TEST(Expect, TellsWhatIsAllowed) {
    std::vector<spec::Result> const zero_or_failed{kFails, AtMost{0}};
    EXPECT_TRUE(is_among(zero_or_failed, gave(spec::kFailed)));
    EXPECT_FALSE(is_among(zero_or_failed, gave(1)));
    EXPECT_FALSE(is_among({GoesOn{}}, ended()));
    EXPECT_FALSE(is_among({GoesOn{}}, panicked("remap")));
    EXPECT_TRUE(is_among({NewChild{ProcId{1}}}, made_child()));
    EXPECT_FALSE(is_among({Exactly{0x2a}}, gave(0x2b)));
    EXPECT_FALSE(is_among({PidOf{ProcId{1}, 2}}, gave(3)));
    EXPECT_FALSE(is_among({}, gave(0))) << "it depends";
    EXPECT_TRUE(must_be_killed({Ends{}}, {spec::kInit, spec::Load{}}));
    EXPECT_FALSE(must_be_killed({Ends{}}, {spec::kInit, spec::Exit{}}));
    EXPECT_FALSE(must_be_killed({GoesOn{}, Ends{}}, {spec::kInit, spec::Store{}}));
}

// The record that a run makes of `outcome` at the last of the steps.
run::StepRecord record_at_end(std::string_view steps, spec::Outcome const& outcome) {
    spec::Program const program = spec::parse("vmcheck 1\nprofile cow\n" + std::string(steps)).value();
    auto const all = std::span(program.steps);
    auto const before = spec::walk(spec::World::initial(spec::testing::shared_setting(program.profile)),
                                   all.first(all.size() - 1), [](auto const&, auto const&) { return true; });
    return run::record_of(before.world, all.back(), &outcome);
}

TEST(Expect, OfRealRecordsTheRightOutcomeIsAmongTheResultsAndAnExtraDeathIsNot) {
    spec::Outcome loaded = gave(0);
    auto record = record_at_end("p0 fork p1\np0 fork p2\np1 load bss 8\n", loaded);
    EXPECT_TRUE(is_among(record.expected, *record.seen)) << expected_words(record);
    loaded.ended_others = {ProcId{2}};
    record = record_at_end("p0 fork p1\np0 fork p2\np1 load bss 8\n", loaded);
    EXPECT_EQ(seen_words(record), "0, p2 killed");
    EXPECT_FALSE(is_among(record.expected, *record.seen));

    spec::Outcome killed{.what = spec::Returned{0}, .ended_others = {ProcId{1}}};
    record = record_at_end("p0 fork p1\np0 kill p1\n", killed);
    EXPECT_TRUE(is_among(record.expected, *record.seen));
    killed.ended_others.clear();
    record = record_at_end("p0 fork p1\np0 kill p1\n", killed);
    EXPECT_FALSE(is_among(record.expected, *record.seen));
}

TEST(Expect, OfRealRecordsAPidWithoutAChildIsNotAllowed) {
    auto const childless = record_at_end("p0 fork p1\n", gave(5));
    EXPECT_EQ(seen_words(childless), "pid 5, but no child");
    EXPECT_FALSE(is_among(childless.expected, *childless.seen));
    auto const forked = record_at_end("p0 fork p1\n", made_child(5));
    EXPECT_TRUE(is_among(forked.expected, *forked.seen));
}

TEST(Expect, TheReportSaysWhatOfSuchAnOutcomeIsWrong) {
    spec::Outcome const seen{.what = spec::Returned{0}, .ended_others = {ProcId{2}}};
    Finding finding = finding_of(Invariant::results, "vmcheck 1\nprofile cow\np0 fork p1\np0 fork p2\np1 load bss 8\n",
                                 {made_child(2), made_child(3)}, {Exactly{0}}, seen);
    EXPECT_EQ(pseudo_code(finding).back().remark, "must be: 0; is: 0, p2 killed");
    EXPECT_THAT(source_of(finding), HasSubstr("p2 must survive")) << "its program tells as well";
}

// A finding about any program at all: its steps need not make sense, the C must be C all the same.
Finding any_finding(spec::Program program) {
    if (program.steps.empty()) program.steps.push_back({spec::kInit, spec::Load{{spec::Anchor::heap, 0}, 1}, {}});
    for (spec::Step& step : program.steps) step.faults = {};
    Finding finding = parent_keeps_w();
    finding.signature = {static_cast<Invariant>(*rc::gen::inRange(1, 11)), program.steps.back().action.index()};
    finding.divergence.violations.front().invariant = finding.signature.invariant;
    finding.divergence.violations.front().facts = spec::FreeListBroken{*report::testing::any_bytes()};
    finding.divergence.at = {static_cast<std::uint32_t>(program.steps.size() - 1)};
    finding.records.clear();
    for (spec::Step const& step : program.steps) {
        auto const* fork = std::get_if<spec::Fork>(&step.action);
        spec::Outcome const seen =
            fork ? made_child() : *rc::gen::element(gave(0), gave(spec::kFailed), gave(0x2a), ended());
        auto const expected = *rc::gen::elementOf(
            std::vector<std::vector<spec::Result>>{{GoesOn{}}, {kFails, AtMost{0}}, {Ends{}}, {NewChild{ProcId{1}}}});
        finding.records.push_back({step, expected, seen});
    }
    finding.program = std::move(program);
    return finding;
}

RC_GTEST_PROP(ReproCProperty, AProgramIsShortAndAReasonIsPartOfASentence, ()) {
    auto const source = repro_c(any_finding(*spec::testing::arbitrary_program()));
    if (source) {
        std::string_view const own = std::string_view(*source).substr(source->find("\nvoid p"));
        RC_ASSERT(static_cast<std::size_t>(std::count(own.begin(), own.end(), '\n')) < kReproLinesMax);
    } else {
        RC_ASSERT(!source.error().empty());
        RC_ASSERT(source.error().back() != '.');
    }
}

// A few steps of two processes, near where the regions start.
spec::Program short_program() {
    spec::Program program;
    program.steps = {{spec::kInit, spec::Fork{ProcId{1}}, {}}, {spec::kInit, spec::Kill{ProcId{1}}, {}}};
    program.steps.resize(*rc::gen::inRange<std::size_t>(1, 3));
    for (std::uint32_t i = *rc::gen::inRange(1U, 4U); i > 0; --i) {
        spec::Step step{ProcId{*rc::gen::inRange(0U, 2U)}, *spec::testing::arbitrary_action(), {}};
        spec::for_each_address(step.action, [](spec::Address& at, spec::Access, std::uint64_t) {
            at.offset = *rc::gen::element<std::int64_t>(0, 8, 100, 4096, -8, -4096);
        });
        std::visit(
            []<class Kind>(Kind& kind) {
                if constexpr (requires { kind.pages; }) kind.pages %= 8;
                if constexpr (requires { kind.bytes; }) kind.bytes %= 4097;
            },
            step.action);
        if (auto* fork = std::get_if<spec::Fork>(&step.action)) fork->child = ProcId{i + 1};
        program.steps.push_back(step);
    }
    return program;
}

// What is used and not given, the compiler does not know.
RC_GTEST_PROP(ReproCProperty, AProgramIsGivenWhatItUses, ()) {
    Finding finding = any_finding(short_program());
    finding.evidence.heap_start = VirtAddr{0x7000};
    // Not each step has a result that could be compared.
    bool const is_sbrk = std::holds_alternative<spec::Sbrk>(finding.program.steps.back().action);
    finding.records.back().expected = {is_sbrk ? spec::Result{Exactly{0x9000}} : spec::Result{Ends{}}};
    auto const source = repro_c(finding);
    RC_CLASSIFY(source.has_value());
    if (source) RC_ASSERT(compiler_says(*source) == "");
}

}  // namespace
}  // namespace vmcheck::repro
