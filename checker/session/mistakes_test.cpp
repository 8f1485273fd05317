// Which findings are told as one.

#include "checker/session/mistakes.h"

#include "checker/report/sample_testing.h"
#include "checker/report/suspects.h"
#include "spec/testing/test_setting.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

#include <set>

namespace vmcheck::session {
namespace {

using ::testing::SizeIs;

class Mistakes : public ::testing::Test {
  protected:
    // A finding at the program's last step, in these circumstances, that ran these functions.
    Finding& found(std::string_view steps, run::Family family, std::vector<std::string> const& ran,
                   std::vector<FailedAllocation> failed = {}) {
        Finding finding = report::testing::finding_of(
            spec::Invariant::contents, "vmcheck 1\nprofile cow lazy\n" + std::string(steps),
            std::vector<spec::Outcome>(static_cast<std::size_t>(std::count(steps.begin(), steps.end(), '\n') - 1),
                                       report::testing::gave(0)),
            {}, report::testing::gave(0));
        finding.family = std::move(family);
        for (std::string const& function : ran) {
            bool const of_calls = function.starts_with("arg") || function.starts_with("file");
            finding.evidence.trace.functions.push_back({function, of_calls ? "kernel/file.c" : "kernel/vm.c", 1});
        }
        finding.evidence.trace.of_allocator = {"next_frame"};
        finding.evidence.failed_allocations = std::move(failed);
        add(std::move(finding), {counts, setting}, findings);
        return findings.back();
    }

    run::Counts counts = [] {
        run::Counts many;
        many.kinds.fill(1000);
        return many;
    }();
    std::shared_ptr<spec::Setting const> setting =
        spec::testing::shared_setting({spec::ForkPolicy::cow, spec::SbrkPolicy::lazy});
    std::vector<Finding> findings;
};

spec::Grounds both(spec::Ground one, spec::Ground other) {
    spec::Grounds grounds = one;
    grounds.add(other);
    return grounds;
}

using run::Symptom;
using spec::Ground;
using spec::Way;

TEST_F(Mistakes, OneFunctionThatDecidesForFaultsAndCopiesIsOne) {
    found("p0 fork p1\np1 store guard 1 = 1\n", {Symptom::no_end, Way::fault, {.grounds = Ground::no_user}},
          {"usertrap", "cowfault"});
    found("p0 fstat guard\n", {Symptom::accepted, Way::copyout, {.grounds = Ground::no_user}},
          {"usertrap", "syscall", "copyout", "cowfault"});
    ASSERT_THAT(findings, SizeIs(1));
    EXPECT_EQ(findings[0].program.steps.size(), 1U) << "the shorter one is shown";
    EXPECT_THAT(findings[0].also, SizeIs(1));
    EXPECT_EQ(findings[0].seen, 6U);
}

TEST_F(Mistakes, WhereTheOthersSayToLookIsKeptIfItIsAnotherLine) {
    auto const dies_at = [&](std::string_view steps, unsigned line) {
        Finding finding =
            report::testing::finding_of(spec::Invariant::liveness, "vmcheck 1\nprofile cow lazy\n" + std::string(steps),
                                        {}, {}, report::testing::panicked("usertrap"));
        finding.family = {Symptom::no_end, Way::fault, {.grounds = Ground::no_user}};
        CodePlace const place{"usertrap", "kernel/trap.c", line};
        finding.evidence.trace.functions = {place};
        finding.evidence.trace.last = place;
        finding.evidence.died_by = {place};
        add(std::move(finding), {counts, setting}, findings);
    };
    dies_at("p0 store guard 1 = 1\n", 80);
    dies_at("p0 store brk+4095 1 = 1\n", 77);
    dies_at("p0 store brk+4094 1 = 1\n", 77);
    dies_at("p0 store brk+4093 1 = 1\n", 80);
    ASSERT_THAT(findings, SizeIs(1));
    ASSERT_THAT(findings[0].also_at, SizeIs(1)) << "once, and not its own";
    std::set<unsigned> const lines{report::place_to_mark(findings[0])->line, findings[0].also_at[0].line};
    EXPECT_THAT(lines, ::testing::ElementsAre(77U, 80U));
}

TEST_F(Mistakes, ARightTooManyBringsNothingElseAbout) {
    auto const rights = [&](spec::WrongRights::What what) {
        findings.clear();
        Finding gained = report::testing::finding_of(spec::Invariant::rights,
                                                     "vmcheck 1\nprofile cow lazy\np0 sbrk +1p\np0 fstat heap\n",
                                                     {report::testing::gave(0)}, {}, report::testing::gave(0));
        gained.divergence.violations.front().facts = spec::WrongRights{what, {}, {}};
        gained.family = {Symptom::wrong_rights, Way::copyout, {.grounds = Ground::reserved}};
        gained.evidence.trace.functions = {{"walkaddr_lazy", "kernel/vm.c", 1}};
        add(std::move(gained), {counts, setting}, findings);
        found("p0 sbrk +1p\np0 pipe heap\n", {Symptom::died, Way::copyout, {.grounds = Ground::reserved}},
              {"walkaddr_lazy"});
        return findings.size();
    };
    EXPECT_EQ(rights(spec::WrongRights::What::gained_execute), 2U);
    EXPECT_EQ(rights(spec::WrongRights::What::user_lost), 1U) << "who cannot use the page faults again";
}

TEST_F(Mistakes, TwoThatDecideAreTwo) {
    found("p0 fork p1\np1 store text 1 = 1\n", {Symptom::accepted, Way::fault, {.grounds = Ground::read_only}},
          {"usertrap", "cowfault", "kalloc", "walk"});
    found("p0 fstat text\n", {Symptom::accepted, Way::copyout, {.grounds = Ground::read_only}},
          {"usertrap", "syscall", "copyout", "kalloc", "walk"});
    EXPECT_THAT(findings, SizeIs(2)) << "kalloc and walk are everybody's";
}

TEST_F(Mistakes, WhereTwoCopiesDecideForThemselvesTheyAreTwo) {
    auto const refused = [&](std::string_view steps, Way way, std::vector<std::string> const& ran) {
        found("p0 sbrk +2p\n" + std::string(steps), {Symptom::refused, way, {.grounds = Ground::reserved}}, ran);
    };
    refused("p0 fstat heap\n", Way::copyout, {"argfd", "argint", "filestat", "copyout", "kalloc", "next_frame"});
    refused("p0 open heap\n", Way::copyinstr, {"argint", "copyinstr", "kalloc", "next_frame"});
    EXPECT_THAT(findings, SizeIs(2)) << "each call has arguments, and takes frames";
    refused("p0 pipe_write heap 1\n", Way::copyin, {"argfd", "argint", "filewrite", "copyin"});
    EXPECT_THAT(findings, SizeIs(3)) << "and a descriptor";
}

TEST_F(Mistakes, WhatNeedsTheTriggerOfAnotherIsItsConsequence) {
    found("p0 pipe kernel\n", {Symptom::wrong_rights, Way::copyout, {.grounds = Ground::hole}}, {"copyout"});
    found("p0 fork p1\np1 load kernel 1\np0 wait\n", {Symptom::kept, Way::end, {}}, {"freeproc"});
    EXPECT_THAT(findings, SizeIs(1));
    found("p0 fork p1\np1 exit 0\np0 wait\n", {Symptom::kept, Way::end, {}}, {"freeproc"});
    EXPECT_THAT(findings, SizeIs(2)) << "and what comes without it is not";
}

TEST_F(Mistakes, WhatWouldHaveShownAtTheStepIsNoCause) {
    found("p0 sbrk +1p\np0 store heap 1 = 1\n", {Symptom::wrong_bytes, Way::fault, {.grounds = Ground::reserved}},
          {"usertrap", "vmfault"});
    found("p0 sbrk +1p\np0 load heap 1\np0 sbrk -1\n", {Symptom::wrong_bytes, Way::sbrk, {}}, {"uvmdealloc"});
    EXPECT_THAT(findings, SizeIs(2));
    found("p0 sbrk +1p\np0 open heap\n", {Symptom::refused, Way::copyinstr, {.grounds = Ground::reserved}},
          {"copyinstr", "vmfault"});
    EXPECT_THAT(findings, SizeIs(3)) << "it was given no page, so none with junk";
}

TEST_F(Mistakes, OfAStepThatAlwaysFailsNothingElseCanBeSaid) {
    counts.kinds[spec::index_of<spec::Fork>()] = 3;
    found("p0 fork p1\n", {Symptom::freed_early, Way::fork, {}}, {"uvmcopy"});
    found("p0 fork p1 !oom 3\n", {Symptom::died, Way::fork, {.refused = true}}, {"fork"});
    EXPECT_THAT(findings, SizeIs(1));
}

TEST_F(Mistakes, WhatComesOfAFrameThatWasGivenUpIsOneWithIt) {
    found("p0 fork p1\np0 fork p2 !oom 5\n", {Symptom::freed_early, Way::fork, {.refused = true}}, {});
    found("p0 fork p1 !oom 5\n", {Symptom::killed, Way::fork, {.refused = true}}, {});
    EXPECT_THAT(findings, SizeIs(1));
    found("p0 fork p1\n", {Symptom::killed, Way::fork, {}}, {});
    EXPECT_THAT(findings, SizeIs(2)) << "no allocation failed there";
    found("p0 fork p1\np0 fstat data !oom 1\n", {Symptom::freed_early, Way::copyout, {.refused = true}}, {});
    found("p0 fork p1\np1 fstat data @9\np0 store data 1 = 1 meanwhile\n",
          {Symptom::wrong_bytes, Way::copyout, {.grounds = Ground::shared, .overlapped = true}}, {});
    EXPECT_THAT(findings, SizeIs(3)) << "another process runs between the drop and the copy";
    found("p0 fork p1\np0 store data 1 = 1 !oom 1\n", {Symptom::died, Way::fault, {.refused = true}}, {});
    EXPECT_THAT(findings, SizeIs(3)) << "faults and copies drop it alike";
}

TEST_F(Mistakes, AWritableSharedPageAndItsBytesAreOne) {
    found("p0 fork p1\np0 pipe data !oom 2\n", {Symptom::writable_shared, Way::copyout, {.refused = true}}, {});
    found("p0 fork p1\np0 fstat data !oom 1\n", {Symptom::wrong_bytes, Way::copyout, {.refused = true}}, {});
    EXPECT_THAT(findings, SizeIs(1));
}

TEST_F(Mistakes, WhereCrossingGoesWrongWhatIsCrossedIntoSaysNothing) {
    found("p0 file_read data+0xff8 9\n", {Symptom::wrong_bytes, Way::copyout, {.crosses = true}}, {});
    found("p0 file_read bss+0xff8 9\n",
          {Symptom::accepted, Way::copyout, {.grounds = Ground::no_user, .crosses = true}}, {});
    EXPECT_THAT(findings, SizeIs(1));
    found("p0 file_read guard 9\n", {Symptom::accepted, Way::copyout, {.grounds = Ground::no_user}}, {});
    EXPECT_THAT(findings, SizeIs(2)) << "no page border in it";
}

TEST_F(Mistakes, WhatMakesAnAccessFailTellsAndNotWhatElseIsThere) {
    found("p0 fork p1\np1 store bss+0xffa 8 = 1\n",
          {Symptom::no_end, Way::fault, {.grounds = both(Ground::shared, Ground::no_user), .crosses = true}},
          {"cowfault"});
    found("p0 pipe guard\n", {Symptom::accepted, Way::copyout, {.grounds = Ground::no_user}}, {"cowfault"});
    EXPECT_THAT(findings, SizeIs(1));
}

TEST_F(Mistakes, WhatExecIsGivenIsCopiedAsAllElse) {
    found("p0 file_read top-8 1\n", {Symptom::wrong_rights, Way::copyout, {.grounds = Ground::hole}}, {"vmfault"});
    found("p0 pipe data+0xff8\np0 exec data+0xff8\n", {Symptom::wrong_rights, Way::exec, {}}, {"vmfault"});
    EXPECT_THAT(findings, SizeIs(1));
    found("p0 exec\n", {Symptom::wrong_rights, Way::exec, {}}, {"vmfault"});
    EXPECT_THAT(findings, SizeIs(2)) << "it was given nothing";
}

TEST_F(Mistakes, OnlyTheTimeDiffers) {
    found("p0 fork p1\np0 fork p2 @h 110\np1 fork p3 meanwhile\n", {Symptom::no_end, Way::fork, {.overlapped = true}},
          {});
    found("p0 fork p1\np0 fork p2 @h 69\np1 fork p3 meanwhile\n", {Symptom::died, Way::fork, {.overlapped = true}}, {});
    EXPECT_THAT(findings, SizeIs(1));
    found("p0 fork p1\np0 fork p2\np1 fork p3\n", {Symptom::kept, Way::fork, {}}, {});
    EXPECT_THAT(findings, SizeIs(2)) << "not a matter of time";
}

TEST_F(Mistakes, WhatARefusedCallLeavesBehindIsOneMistake) {
    found("p0 pipe_write data 2\np0 pipe_read trapframe 2\np0 pipe_read data 1\n", {Symptom::no_end, Way::copyout, {}},
          {});
    found("p0 pipe_write data 3\np0 pipe_read trampoline 2\np0 pipe_read data 1\n",
          {Symptom::wrong_bytes, Way::copyout, {}}, {});
    EXPECT_THAT(findings, SizeIs(1));
    found("p0 pipe_write data 3\np0 pipe_read data 1\n", {Symptom::wrong_result, Way::copyout, {}}, {});
    EXPECT_THAT(findings, SizeIs(2)) << "nothing was refused before";
}

TEST_F(Mistakes, WhatIsDecidedByTheStackPointerIsOneMistake) {
    found("p0 sp data\np0 pipe_write guard 1\n", {Symptom::died, Way::copyin, {.grounds = Ground::no_user}},
          {"copyin", "lazyalloc"});
    found("p0 sp heap+1p\np0 sbrk +1p\np0 pipe_write heap 1\n",
          {Symptom::refused, Way::copyin, {.grounds = Ground::reserved}}, {"copyin", "lazyalloc"});
    EXPECT_THAT(findings, SizeIs(1));
    found("p0 sbrk +1p\np0 pipe_write heap+8 1\n", {Symptom::wrong_bytes, Way::copyin, {.grounds = Ground::reserved}},
          {"copyin", "lazyalloc"});
    EXPECT_THAT(findings, SizeIs(2)) << "wherever it points";
    findings.clear();
    found("p0 fork p1\np1 sp data\np1 store guard 1 = 1\n", {Symptom::died, Way::fault, {.grounds = Ground::no_user}},
          {"usertrap", "mappages"});
    found("p0 sbrk +1p\np0 sp heap+1p\np0 store heap 1 = 1\n",
          {Symptom::killed, Way::fault, {.grounds = Ground::reserved}}, {"usertrap", "exit"});
    EXPECT_THAT(findings, SizeIs(1)) << "in the trap handler itself";
    found("p0 sp maxva\np0 fork p1\np0 store data 1 = 1\n", {Symptom::killed, Way::fault, {.grounds = Ground::shared}},
          {"usertrap"});
    EXPECT_THAT(findings, SizeIs(2)) << "it has its page";
}

TEST_F(Mistakes, WhatOnlyAHeapLargerThanMemoryBringsAboutIsOneMistake) {
    found("p0 sbrk +500000p\np0 fork p1\n", {Symptom::no_end, Way::fork}, {"kvmcopy"});
    found("p0 sbrk +600000p\np0 exec\n", {Symptom::no_end, Way::exec}, {"kvmdealloc"});
    EXPECT_THAT(findings, SizeIs(1));
    found("p0 sbrk +5p\np0 fstat heap\n", {Symptom::refused, Way::copyout, {.grounds = Ground::reserved}},
          {"walkaddr"});
    EXPECT_THAT(findings, SizeIs(2)) << "this needs no such heap";
}

TEST_F(Mistakes, AGuardPageWorkedOutFromTheBreakIsOneMistake) {
    // It lies two pages below the break when a program starts.
    found("p0 sbrk +1p\np0 open guard\n", {Symptom::accepted, Way::copyinstr, {.grounds = Ground::no_user}},
          {"copyinstr", "vmfault"});
    Finding const let_through = findings.front();
    found("p0 sbrk +2p\np0 store heap 1 = 1\n", {Symptom::killed, Way::fault, {.grounds = Ground::reserved}},
          {"usertrap", "vmfault"});
    EXPECT_THAT(findings, SizeIs(1));
    auto const apart = [&](std::string_view steps, std::string const& decides, Finding const& from) {
        findings = {from};
        found(steps, {Symptom::killed, Way::fault, {.grounds = Ground::reserved}}, {"usertrap", decides});
        return findings.size() == 2;
    };
    EXPECT_TRUE(apart("p0 sbrk +1p\np0 store heap 1 = 1\n", "vmfault", let_through)) << "another page";
    EXPECT_TRUE(apart("p0 sbrk +2p\np0 store heap 1 = 1\n", "lazyalloc", let_through)) << "elsewhere";
    findings.clear();
    found("p0 open guard\n", {Symptom::accepted, Way::copyinstr, {.grounds = Ground::no_user}},
          {"copyinstr", "vmfault"});
    EXPECT_TRUE(apart("p0 sbrk +2p\np0 store heap 1 = 1\n", "vmfault", Finding(findings.front())))
        << "that is let through wherever the break is";
}

TEST_F(Mistakes, WhatAKilledProcessLeavesBehindKillsAnotherOrFailsOtherwise) {
    found("p0 fork p1\np1 store maxva 1 = 1\np0 wait\np0 fork p2\np0 fetch text\n", {Symptom::killed, Way::none, {}},
          {"usertrap"});
    found("p0 fork p1\np1 load maxva 1\np0 wait\np0 fork p2\np2 exit 0\np0 wait data\n",
          {Symptom::wrong_bytes, Way::copyout, {}}, {"copyout"});
    EXPECT_THAT(findings, SizeIs(1));
    found("p0 fork p1\np1 exit 0\np0 wait data\n", {Symptom::wrong_bytes, Way::copyout, {}}, {"copyout"});
    EXPECT_THAT(findings, SizeIs(2)) << "nobody was killed";
}

TEST_F(Mistakes, AGoodPageThatOneFunctionDeniesToFaultsAndCopies) {
    found("p0 fork p1\np0 store data 1 = 1\n", {Symptom::killed, Way::none, {}}, {"usertrap", "cowfault"});
    found("p0 fork p1\np0 fstat data\n", {Symptom::refused, Way::copyout, {}}, {"syscall", "copyout", "cowfault"});
    EXPECT_THAT(findings, SizeIs(1));
    found("p0 fstat data\n", {Symptom::wrong_bytes, Way::copyout, {}}, {"syscall", "copyout", "cowfault"});
    EXPECT_THAT(findings, SizeIs(2)) << "it was given";
}

TEST_F(Mistakes, WhatGoesByTheStackPointerHidesNothingElse) {
    found("p0 sbrk +1p\np0 open heap\n", {Symptom::refused, Way::copyinstr, {.grounds = Ground::reserved}},
          {"copyinstr", "walkaddr"});
    found("p0 sbrk +1p\np0 sp heap+1p\np0 fstat heap\n",
          {Symptom::refused, Way::copyout, {.grounds = Ground::reserved}}, {"copyout", "walkaddr"});
    EXPECT_THAT(findings, SizeIs(2));
    found("p0 sp data\np0 fstat guard\n", {Symptom::died, Way::copyout, {.grounds = Ground::no_user}},
          {"copyout", "walkaddr"});
    EXPECT_THAT(findings, SizeIs(2)) << "that goes by it as well";
}

TEST_F(Mistakes, WhatComesLaterOfTheSameFailedAllocationIsOneMistake) {
    CodePlace const copy{"cow_page", "kernel/kalloc.c", 40}, tables{"walk", "kernel/vm.c", 90};
    run::Family const early{Symptom::freed_early, Way::fault, {.grounds = Ground::shared, .refused = true}};
    run::Family const at_wait{Symptom::freed_early, Way::end};
    auto const later = [&](CodePlace const& place, run::Family const& family) {
        findings.clear();
        found("p0 fork p1\np1 store guard 1 = 1 !oom 1\np0 wait\n", family, {"freeproc"}, {{{1}, place}});
        found("p0 fork p1\np1 store bss 8 = 1 !oom 1\n", early, {"usertrap", "cow_page"}, {{{1}, copy}});
        return findings.size();
    };
    EXPECT_EQ(later(copy, at_wait), 1U);
    EXPECT_EQ(findings.front().program.steps.size(), 2U) << "where it goes wrong is shown, not what comes of it";
    EXPECT_EQ(later(tables, at_wait), 2U) << "another allocation";
    EXPECT_EQ(later({"cow_page", "", 0}, at_wait), 2U) << "nobody knows which";
    EXPECT_EQ(later(copy, {Symptom::accepted, Way::end}), 2U) << "not about a frame";
}

TEST_F(Mistakes, WhoDiesForWantOfMemoryAndWhoGoesOnWithoutItAreTwo) {
    CodePlace const page{"cow_page", "kernel/kalloc.c", 226}, table{"walk", "kernel/vm.c", 96};
    spec::Circumstances const met{.grounds = Ground::shared, .refused = true};
    // The first dies in a function for want of `one`; the second goes on without `other`.
    auto const count_of = [&](std::string const& dies_in, CodePlace const& one, Way way, CodePlace const& other,
                              Symptom what) {
        findings.clear();
        found("p0 fork p1\np1 store data 8 = 1 !oom 1\n", {what, way, met}, {"usertrap", "cow_page"}, {{{1}, other}});
        Finding panic =
            found("p0 fork p1\np1 exec\n", {Symptom::died, Way::exec}, {"copyout", "cow_page"}, {{{1}, one}});
        findings.pop_back();
        panic.family = {Symptom::died, Way::copyout, met};
        panic.evidence.died_by = {
            {"panic", "kernel/printf.c", 9}, {"memmove", "kernel/string.c", 5}, {dies_in, "kernel/vm.c", 397}};
        add(std::move(panic), {counts, setting}, findings);
        return findings.size();
    };
    EXPECT_EQ(count_of("copyout", page, Way::fault, page, Symptom::freed_early), 2U) << "which the other never runs";
    EXPECT_EQ(count_of("cow_page", page, Way::fault, page, Symptom::freed_early), 1U);
    EXPECT_EQ(count_of("cow_page", table, Way::copyout, page, Symptom::wrong_bytes), 2U) << "of that it does not die";
    EXPECT_EQ(count_of("cow_page", table, Way::copyout, {"cow_page", "", 0}, Symptom::wrong_bytes), 1U) << "who knows";
    EXPECT_EQ(count_of("cow_page", page, Way::copyout, table, Symptom::wrong_bytes), 1U) << "goes on all the same";
}

TEST_F(Mistakes, WasteIsOneWithRunningOutOfMemory) {
    found("p0 sbrk +1p\np0 fork p1\n", {Symptom::not_lazy, Way::fork, {}}, {});
    found("memory 39\np0 sbrk +27p\np0 fork p1\n", {Symptom::refused, Way::fork, {}}, {});
    EXPECT_THAT(findings, SizeIs(1));
}

TEST_F(Mistakes, AFailedForkAndAForkAreTwo) {
    found("p0 fork p1\n", {Symptom::freed_early, Way::fork, {}}, {"uvmcopy"});
    found("p0 fork p1 !oom 3\n", {Symptom::kept, Way::fork, {.refused = true}}, {"uvmcopy"});
    EXPECT_THAT(findings, SizeIs(2));
}

}  // namespace
}  // namespace vmcheck::session
