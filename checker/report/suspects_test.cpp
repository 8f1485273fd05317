// Where to look: the functions and lines that a finding names.

#include "checker/report/suspects.h"

#include "checker/finding/finding.h"
#include "checker/report/sample_testing.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

namespace vmcheck::report {
namespace {

using spec::Invariant;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::gave;
using testing::kWildStore;
using testing::made_child;
using ::testing::Not;

std::vector<std::string> names(std::vector<Suspect> const& suspects) {
    std::vector<std::string> all;
    all.reserve(suspects.size());
    for (Suspect const& suspect : suspects) all.push_back(suspect.place.function);
    return all;
}

std::vector<std::string> names(std::vector<CodePlace> const& places) {
    std::vector<std::string> all;
    all.reserve(places.size());
    for (CodePlace const& place : places) all.push_back(place.function);
    return all;
}

TEST(Suspects, NamesTheFunctionsThatMatterAndLeavesOutTheNoise) {
    Suspects const suspects = suspects_in(testing::parent_keeps_w());
    EXPECT_THAT(names(suspects.at), ElementsAre("uvmcopy", "fork"));
    EXPECT_THAT(names(suspects.ran),
                ElementsAre("usertrap", "syscall", "sys_fork", "fork", "kalloc", "uvmcopy", "walk", "mappages"));
    EXPECT_EQ(to_string(suspects.at[0].place), "uvmcopy, kernel/vm.c:318");
}

TEST(Suspects, NamesWhoWroteItAndThenWhatRunsWhereProgramsFail) {
    Finding finding = testing::parent_keeps_w();
    Evidence& evidence = finding.evidence;
    evidence.written = {LastAccess::Of::entry,
                        {0},
                        {{"memset", "kernel/string.c", 9},
                         {"mappages", "kernel/vm.c", 171},
                         {"uvmcopy", "kernel/vm.c", 320},
                         {"fork", "kernel/proc.c", 290}}};
    evidence.spectrum = {.failing = 2,
                         .passing = 3,
                         .lines = {{{"acquire", "kernel/spinlock.c", 30}, 2, 0},
                                   {{"allocproc", "kernel/proc.c", 120}, 2, 0},
                                   {{"fork", "kernel/proc.c", 295}, 2, 0},
                                   {{"growproc", "kernel/proc.c", 260}, 2, 3}}};
    evidence.source = {{"kernel/vm.c", 320, "if(mappages(new, i, PGSIZE, pa, flags) != 0)"}};
    Suspects const suspects = suspects_in(finding);
    EXPECT_THAT(names(suspects.at), ElementsAre("uvmcopy", "fork", "allocproc"));
    EXPECT_EQ(suspects.at[0].place.line, 320U);
    EXPECT_EQ(why_suspected(finding, suspects.at[0]), "last changed the PTE, in step 1");
    EXPECT_EQ(why_suspected(finding, suspects.at[1]),
              "ran in all 2 variants of the program that fail the same way, and in none of 3 that pass");
    EXPECT_EQ(source_text(finding, suspects.at[0].place), "if(mappages(new, i, PGSIZE, pa, flags) != 0)");
    EXPECT_EQ(source_text(finding, suspects.at[1].place), "");
    evidence.written->of = LastAccess::Of::byte;
    EXPECT_THAT(names(suspects_in(finding).at), ElementsAre("mappages", "fork", "uvmcopy")) << "whoever wrote a byte";
    evidence.written.reset();
    evidence.spectrum.lines[1].passing = 2;
    EXPECT_EQ(names(suspects_in(finding).at).at(1), "allocproc");
    EXPECT_EQ(why_suspected(finding, suspects_in(finding).at[1]),
              "ran in all 2 variants of the program that fail the same way, and in 2 of 3 that pass");
    evidence.spectrum.lines[1].passing = 3;
    EXPECT_THAT(names(suspects_in(finding).at), Not(Contains("allocproc")))
        << "what all run tells nobody where to look";
    EXPECT_THAT(names(suspects_in(finding).at), Not(Contains("growproc")));
    evidence.spectrum.lines = {evidence.spectrum.lines[1]};
    EXPECT_EQ(names(suspects_in(finding).at).front(), "uvmcopy") << "rather what is there for it";
}

// What a step before wrote was right as long as that step was the last.
TEST(Suspects, WhoWroteItInAStepBeforeComesAfterWhatRanInTheStepThatOughtToChangeIt) {
    Finding finding = testing::parent_keeps_w();
    finding.divergence.at = {1};
    finding.evidence.written = {LastAccess::Of::entry, {0}, {{"uvmalloc", "kernel/vm.c", 230}}};
    finding.evidence.spectrum = {.failing = 2,
                                 .passing = 3,
                                 .lines = {{{"uvmcopy", "kernel/vm.c", 320}, 2, 0},
                                           {{"fork", "kernel/proc.c", 295}, 2, 1},
                                           {{"allocproc", "kernel/proc.c", 120}, 2, 2}}};
    EXPECT_THAT(names(suspects_in(finding).at), ElementsAre("uvmcopy", "fork", "uvmalloc"));
    finding.evidence.written->at = {1};
    EXPECT_THAT(names(suspects_in(finding).at), ElementsAre("uvmalloc", "uvmcopy", "fork"));
}

TEST(Suspects, BeginWithThePlaceWhereAnotherProcessGotItsTurn) {
    Finding finding = testing::parent_keeps_w();
    Deed deed;
    deed.stop = Deed::Stop{.at = VirtAddr{0x80001000},
                           .places = {{"intr_off", "kernel/riscv.h", 300},
                                      {"interrupts_enabled", "csr.h", 4},
                                      {"kfree", "kernel/kalloc.c", 60},
                                      {"cowfault", "kernel/trap.c", 50}}};
    finding.evidence.played.deeds = {Deed{}, deed};
    Suspects suspects = suspects_in(finding);
    ASSERT_FALSE(suspects.at.empty());
    EXPECT_EQ(to_string(suspects.at[0].place), "cowfault, kernel/trap.c:50");
    EXPECT_EQ(why_suspected(finding, suspects.at[0]), "here another process got its turn");
    finding.signature.invariant = Invariant::counts;
    EXPECT_EQ(to_string(suspects_in(finding).at[0].place), "kfree, kernel/kalloc.c:60") << "of frames, within it";
    finding.evidence.written = {LastAccess::Of::entry, {0}, {}};
    EXPECT_EQ(suspects_in(finding).at.size(), 3U) << "where nobody knows whose code it was";
}

TEST(Suspects, OfADeadKernelWhoAskedForIt) {
    Finding finding = testing::finding_of(Invariant::liveness, kWildStore, {made_child()}, {spec::Ends{}},
                                          testing::panicked("kfree"));
    finding.evidence.trace.functions = {{"uvmunmap", "kernel/vm.c", 180}, {"kfree", "kernel/kalloc.c", 50}};
    finding.evidence.trace.last = CodePlace{"kfree", "kernel/kalloc.c", 55};
    finding.evidence.died_by = {{"kfree", "kernel/kalloc.c", 55}, {"uvmunmap", "kernel/vm.c", 193}};
    EXPECT_THAT(names(suspects_in(finding).at), ElementsAre("kfree", "uvmunmap"));
    EXPECT_EQ(suspects_in(finding).at[1].place.line, 193U);
    EXPECT_EQ(place_label(suspects_in(finding), 0), "Died in");
    finding.evidence.spectrum = {.failing = 2, .passing = 3, .lines = {{{"filedup", "kernel/file.c", 49}, 2, 3}}};
    EXPECT_THAT(names(suspects_in(finding).at), Not(Contains("filedup"))) << "what all run says nothing beside that";
}

TEST(Spectrum, IsOchiais) {
    Spectrum const spectrum{.failing = 4, .passing = 9, .lines = {}};
    EXPECT_EQ(suspiciousness(spectrum, {{}, 4, 0}), 1.0);
    EXPECT_EQ(suspiciousness(spectrum, {{}, 1, 3}), 0.25);
    EXPECT_EQ(suspiciousness({}, {}), 0.0);
}

TEST(Suspects, BeginsWhereTheKernelDied) {
    Finding finding =
        testing::finding_of(Invariant::liveness, kWildStore, {made_child()}, {spec::Ends{}}, testing::panicked("cow"));
    finding.evidence.trace.functions = {{"usertrap", "kernel/trap.c", 40}, {"panic", "kernel/printf.c", 1}};
    finding.evidence.trace.last = CodePlace{"kernel::(anonymous namespace)::handle", "trap.cpp", 127};
    Suspects const suspects = suspects_in(finding);
    EXPECT_THAT(names(suspects.at), ElementsAre("handle", "usertrap"));
    EXPECT_EQ(place_label(suspects, 0), "Look at");
    EXPECT_EQ(why_suspected(finding, suspects.at[0]), "the kernel died here");
    EXPECT_EQ(place_label(suspects, 1), "");
    EXPECT_EQ(place_to_mark(finding)->function, "handle");
    finding.evidence.trace.last = CodePlace{"memmove", "kernel/string.c", 50};
    EXPECT_THAT(names(suspects_in(finding).at), ElementsAre("memmove", "usertrap")) << "which does what it is told";
    EXPECT_EQ(place_label(suspects_in(finding), 0), "Died in");
    EXPECT_EQ(place_label(suspects_in(finding), 1), "Look at");
    EXPECT_EQ(place_to_mark(finding)->function, "usertrap");
    std::get<spec::WrongAnswer>(finding.divergence.violations.front().facts).mistake = spec::Mistake::init_killed;
    EXPECT_THAT(names(suspects_in(finding).at), ElementsAre("usertrap")) << "who killed it, not where init ends";
    EXPECT_EQ(place_label(suspects_in(finding), 0), "Look at");
}

Finding that_ran(Invariant invariant, std::string_view step,
                 std::vector<std::pair<char const*, char const*>> const& ran, spec::Outcome const& seen = gave(0)) {
    Finding finding = testing::finding_of(invariant, "vmcheck 1\nprofile cow\n" + std::string(step) + "\n", {},
                                          {spec::Exactly{spec::kFailed}}, seen);
    for (auto const& [function, file] : ran) finding.evidence.trace.functions.push_back({function, file, 1});
    return finding;
}

// A step that loses a frame, of which two programs like it fail and three pass.
Finding that_loses_a_frame() {
    Finding finding = testing::parent_keeps_w();
    finding.signature.invariant = Invariant::conservation;
    finding.divergence.at = {0};
    finding.evidence.spectrum = {.failing = 2, .passing = 3, .lines = {{{"fork", "kernel/proc.c", 295}, 2, 0}}};
    return finding;
}

TEST(Suspects, OfALostFrameWhoLetItsLastEntryGo) {
    Finding finding = that_loses_a_frame();
    Evidence& evidence = finding.evidence;
    evidence.written = {
        LastAccess::Of::entry_of_lost,
        {0},
        {{"mappages", "kernel/vm.c", 171}, {"cowfault", "kernel/trap.c", 50}, {"usertrap", "kernel/trap.c", 70}},
        spec::ProcId{1}};
    evidence.raised = {
        LastAccess::Of::count_of_lost, {0}, {{"kfree", "kernel/kalloc.c", 60}, {"exec", "kernel/exec.c", 9}}};
    EXPECT_THAT(names(suspects_in(finding).at), ElementsAre("cowfault", "fork", "exec"));
    EXPECT_EQ(why_suspected(finding, suspects_in(finding).at[0]),
              "took the frame that is lost out of p1's page table, in step 1");
    EXPECT_EQ(why_suspected(finding, suspects_in(finding).at[2]),
              "last raised the count of the frame that is lost, in step 1");
    evidence.raised.reset();
    EXPECT_THAT(names(suspects_in(finding).at), ElementsAre("cowfault", "fork", "usertrap"));
    EXPECT_EQ(why_suspected(finding, suspects_in(finding).at[2]), "the call that led there");
    evidence.written = {LastAccess::Of::table_of_lost,
                        {0},
                        {{"kfree", "kernel/kalloc.c", 60}, {"freewalk", "kernel/vm.c", 280}},
                        spec::ProcId{1}};
    EXPECT_EQ(names(suspects_in(finding).at).front(), "freewalk");
    EXPECT_EQ(why_suspected(finding, suspects_in(finding).at[0]),
              "gave back p1's page table, but not a frame of it, in step 1");
    evidence.written = {
        LastAccess::Of::content_of_lost,
        {0},
        {{"memset", "kernel/string.c", 9}, {"kalloc", "kernel/kalloc.c", 80}, {"pipealloc", "kernel/pipe.c", 30}}};
    EXPECT_EQ(names(suspects_in(finding).at).front(), "pipealloc");
    EXPECT_EQ(why_suspected(finding, suspects_in(finding).at[0]), "last filled the frame that is lost, in step 1");
}

TEST(Suspects, OfACountThatChangedBetweenTwoHartsTheOneThatChangedIt) {
    Finding finding = that_loses_a_frame();
    finding.evidence.written = {
        LastAccess::Of::count_of_lost, {0}, {{"kfree", "kernel/kalloc.c", 73}, {"cowfault", "kernel/trap.c", 50}}};
    EXPECT_EQ(names(suspects_in(finding).at).front(), "cowfault");
    finding.program.steps.back().faults.meanwhile = true;
    EXPECT_EQ(names(suspects_in(finding).at).front(), "kfree");
}

TEST(Suspects, WhoLookedAtTheEntryAndLetItPass) {
    Finding finding = that_loses_a_frame();
    finding.evidence.read = {LastAccess::Of::entry,
                             {0},
                             {{"walkaddr", "kernel/vm.c", 100}, {"copyout", "kernel/vm.c", 390}},
                             spec::ProcId{0}};
    EXPECT_EQ(names(suspects_in(finding).at).front(), "copyout") << "which right is asked for is no matter of walkaddr";
    EXPECT_EQ(why_suspected(finding, suspects_in(finding).at[0]), "the first to look at p0's PTE, in this step");
}

TEST(Suspects, TheCallerWhereProgramsThatPassRunWhatWroteAsWell) {
    Finding finding = that_loses_a_frame();
    finding.evidence.written = {
        LastAccess::Of::entry, {0}, {{"uvmalloc", "kernel/vm.c", 230}, {"vmfault", "kernel/vm.c", 450}}};
    auto& lines = finding.evidence.spectrum.lines;
    lines = {{{"vmfault", "kernel/vm.c", 449}, 2, 0}, {{"uvmalloc", "kernel/vm.c", 228}, 2, 2}};
    EXPECT_EQ(to_string(suspects_in(finding).at[0].place), "vmfault, kernel/vm.c:450");
    lines[1].passing = 0;
    EXPECT_EQ(names(suspects_in(finding).at).front(), "uvmalloc");
}

TEST(Suspects, OfASleeperThatOughtToEndWhereItSleeps) {
    Finding finding =
        that_ran(Invariant::liveness, "p0 kill p1",
                 {{"usertrap", "kernel/trap.c"}, {"piperead", "kernel/pipe.c"}, {"kkill", "kernel/proc.c"}});
    std::get<spec::WrongAnswer>(finding.divergence.violations.front().facts).mistake =
        spec::Mistake::sleeper_sleeps_on_after_kill;
    EXPECT_THAT(names(suspects_in(finding).at), ElementsAre("piperead", "kkill"));
}

TEST(Suspects, TheStudentsOwnFunctionsComeBeforeThoseThatXv6Has) {
    EXPECT_THAT(names(suspects_in(that_ran(Invariant::contents, "p0 fork p1",
                                           {{"usertrap", "kernel/trap.c"},
                                            {"r_sstatus", "kernel/riscv.h"},
                                            {"sys_fork", "kernel/sysproc.c"},
                                            {"fork", "kernel/proc.c"},
                                            {"enqueue", "kernel/proc.c"},
                                            {"uvmcopy", "kernel/vm.c"},
                                            {"incref", "kernel/kalloc.c"}}))
                          .at),
                ElementsAre("incref", "enqueue", "uvmcopy"))
        << "of the labs' files first";
}

TEST(Suspects, WhatOnlyTheAllocatorRunsIsNamedWhereFramesAreWrong) {
    for (Invariant invariant : {Invariant::results, Invariant::counts}) {
        Finding finding =
            that_ran(invariant, "p0 pipe heap", {{"incref", "kernel/kalloc.c"}, {"copyout", "kernel/vm.c"}});
        finding.evidence.trace.of_allocator = {"incref"};
        EXPECT_EQ(suspects_in(finding).at.front().place.function,
                  invariant == Invariant::counts ? "incref" : "copyout");
    }
}

TEST(Suspects, OfACopyAreThoseOfItsOwnWayAndOfItsCall) {
    // Opening the file is vmcheck's own doing.
    std::vector<std::pair<char const*, char const*>> const opened{
        {"usertrap", "kernel/trap.c"},    {"argaddr", "kernel/syscall.c"},  {"copyinstr", "kernel/vm.c"},
        {"sys_open", "kernel/sysfile.c"}, {"sys_read", "kernel/sysfile.c"}, {"fileread", "kernel/file.c"}};
    EXPECT_THAT(names(suspects_in(that_ran(Invariant::results, "p0 file_read heap 8", opened)).at),
                ElementsAre("fileread", "argaddr", "sys_read"));
    EXPECT_THAT(names(suspects_in(that_ran(Invariant::results, "p0 open heap", opened)).at), ElementsAre("copyinstr"));
    auto copied = opened;
    copied.insert(copied.end(), {{"readi", "kernel/fs.c"}, {"copyout", "kernel/vm.c"}, {"walkaddr", "kernel/vm.c"}});
    Finding finding = that_ran(Invariant::results, "p0 file_read heap 8", copied);
    EXPECT_THAT(names(suspects_in(finding).at), ElementsAre("copyout", "walkaddr"));
    std::get<spec::WrongAnswer>(finding.divergence.violations.front().facts).mistake =
        spec::Mistake::other_count_than_there_was;
    EXPECT_THAT(names(suspects_in(finding).at), ElementsAre("fileread", "readi", "argaddr"));
}

TEST(Suspects, AnErrorPathBeginsWhereTheFrameIsMissing) {
    Finding finding =
        that_ran(Invariant::conservation, "p0 sbrk +2p",
                 {{"sys_sbrk", "kernel/sysproc.c"}, {"growproc", "kernel/proc.c"}, {"uvmalloc", "kernel/vm.c"}});
    EXPECT_THAT(names(suspects_in(finding).at), ElementsAre("sys_sbrk", "growproc", "uvmalloc"));
    Finding copy =
        that_ran(Invariant::contents, "p0 pipe heap", {{"copyout", "kernel/vm.c"}, {"vmfault", "kernel/vm.c"}});
    EXPECT_THAT(names(suspects_in(copy).at), ElementsAre("vmfault", "copyout")) << "who made the page";
    finding.evidence.failed_allocations = {{{0}, {"uvmalloc", "kernel/vm.c", 240}}};
    EXPECT_THAT(names(suspects_in(finding).at), ElementsAre("uvmalloc", "sys_sbrk", "growproc"));
    EXPECT_EQ(suspects_in(finding).at[0].place.line, 240U);
    finding.evidence.failed_allocations = {{{0}, {"walk", "kernel/vm.c", 84}}};
    EXPECT_THAT(names(suspects_in(finding).at), ElementsAre("sys_sbrk", "growproc", "uvmalloc")) << "everybody's";
}

TEST(Suspects, ALoopIsNotBlamedOnWhatEverybodyUses) {
    spec::Outcome circles;
    circles.what = spec::Stuck{.why = spec::Stuck::Why::circles, .where = "pop_off (kernel/spinlock.c:91)"};
    Finding finding = that_ran(
        Invariant::liveness, "p0 sbrk +2p",
        {{"pop_off", "kernel/spinlock.c"}, {"mycpu", "kernel/proc.c"}, {"uvmdealloc", "kernel/vm.c"}}, circles);
    finding.evidence.trace.last = CodePlace{"pop_off", "kernel/spinlock.c", 91};
    EXPECT_THAT(names(suspects_in(finding).at), ElementsAre("uvmdealloc"));
    EXPECT_EQ(place_label(suspects_in(finding), 0), "Look at") << "it has not died";
    finding.evidence.trace.last = CodePlace{"growproc", "kernel/proc.c", 91};
    EXPECT_THAT(names(suspects_in(finding).at), ElementsAre("growproc", "uvmdealloc"));
}

}  // namespace
}  // namespace vmcheck::report
