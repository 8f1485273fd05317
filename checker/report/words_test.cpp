// Rank, story, pseudo-code, place and where to look: what all formats have in common.

#include "checker/report/page_view.h"
#include "checker/report/place.h"
#include "checker/report/pseudo_code.h"
#include "checker/report/rank.h"
#include "checker/report/sample_testing.h"
#include "checker/report/story.h"
#include "checker/report/suspects.h"
#include "spec/text.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

namespace vmcheck::report {
namespace {

using spec::Invariant;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char const* kWildStore = "vmcheck 1\nprofile cow\np0 fork p1\np1 store rodata 1 = 1\n";

std::vector<std::string> names(std::vector<CodePlace> const& places) {
    std::vector<std::string> all;
    all.reserve(places.size());
    for (CodePlace const& place : places) all.push_back(place.function);
    return all;
}

TEST(Rank, PutsPanicsBeforeIsolationBeforeWrongKillsBeforeLeaksBeforeLaziness) {
    std::vector<Finding> findings;
    for (Invariant invariant :
         {Invariant::laziness, Invariant::conservation, Invariant::results, Invariant::isolation, Invariant::liveness})
        findings.push_back(testing::finding_of(invariant, kWildStore, {"p1"}, "killed", "ok"));
    findings.push_back(testing::finding_of(Invariant::liveness, kWildStore, {"p1"}, "killed", "ok"));
    findings.back().severity = Severity::advice;
    sort_by_rank(findings);
    std::vector<std::string> order;
    order.reserve(findings.size());
    for (Finding const& finding : findings) order.emplace_back(to_string(rank_of(finding)));
    EXPECT_THAT(order, ElementsAre("corruption", "isolation", "wrong result", "leak", "laziness", "laziness"))
        << "and advice after every defect";
}

TEST(Rank, ACountThatIsTooHighLeaksAndOneThatIsTooLowCorrupts) {
    Finding finding = testing::parent_keeps_w();
    finding.signature.invariant = Invariant::counts;
    finding.evidence.pages->after[0].count = 1;
    EXPECT_EQ(rank_of(finding), Rank::corruption);
    finding.evidence.pages->after[0].count = 3;
    EXPECT_EQ(rank_of(finding), Rank::leak);
}

TEST(Story, SaysAfterWhichStepWhatIsWrongAndWhatFollows) {
    EXPECT_EQ(story_of(testing::parent_keeps_w()),
              "After p0's fork, p0's bss and p1's bss map one frame, and p0's PTE can write it (PTE_W): what it stores "
              "there, the other sees.");
}

TEST(Story, CountsTheAllocationThatFails) {
    spec::Program const program =
        spec::parse("vmcheck 1\nprofile cow\np0 fork p1 !oom 2\np0 fork p2 !oom 11\n").value();
    EXPECT_EQ(in_words(program.steps[0]), "p0's fork (with its 2nd kalloc failing)");
    EXPECT_EQ(in_words(program.steps[1]), "p0's fork (with its 11th kalloc failing)");
}

TEST(Suspects, NamesTheFunctionsThatMatterAndLeavesOutTheNoise) {
    Suspects const suspects = suspects_in(testing::parent_keeps_w());
    EXPECT_THAT(names(suspects.at), ElementsAre("uvmcopy", "fork"));
    EXPECT_THAT(names(suspects.ran),
                ElementsAre("usertrap", "syscall", "sys_fork", "fork", "kalloc", "uvmcopy", "walk", "mappages"));
    EXPECT_EQ(to_string(suspects.at[0]), "uvmcopy, kernel/vm.c:318");
}

TEST(Suspects, BeginsWhereTheKernelDied) {
    Finding finding = testing::finding_of(Invariant::liveness, kWildStore, {"p1"}, "killed", "panic: cow");
    finding.evidence.trace.functions = {{"usertrap", "kernel/trap.c", 40}, {"panic", "kernel/printf.c", 1}};
    finding.evidence.trace.last = CodePlace{"kernel::(anonymous namespace)::handle", "trap.cpp", 127};
    Suspects const suspects = suspects_in(finding);
    EXPECT_THAT(names(suspects.at), ElementsAre("handle", "usertrap"));
    EXPECT_EQ(place_label(finding, 0), "Died in");
    EXPECT_EQ(place_label(finding, 1), "Look at");
}

TEST(PseudoCode, IsWhatAStudentWouldWriteInTheOrderOfTheSteps) {
    Finding const finding = testing::finding_of(
        Invariant::results,
        "vmcheck 1\nprofile cow\np0 sbrk +2p\np0 store heap+8 1 = 65\np0 store brk-4096 8 = 0x41424344\n"
        "p0 fork p1\np1 pipe_read maxva 5\n",
        {"0x7000", "ok", "ok", "p1"}, "-1 or 0", "5");
    std::vector<std::string> code;
    for (CodeLine const& line : pseudo_code(finding)) code.push_back(line.process + ": " + line.code);
    EXPECT_THAT(
        code, ElementsAre("p0: sbrk(2*PGSIZE);", "p0: heap[8] = 65;", "p0: *(uint64 *)(sbrk(0) - PGSIZE) = 0x41424344;",
                          "p0: p1 = fork();", "p1: read(fds[0], (char *)MAXVA, 5);"));
    EXPECT_EQ(pseudo_code(finding).back().remark, "must be: -1 or 0; is: 5");
}

TEST(PseudoCode, DoesNotCallARightResultWrong) {
    EXPECT_EQ(
        pseudo_code(testing::finding_of(Invariant::rights, kWildStore, {"p1"}, "ok or killed", "ok")).back().remark,
        "after this, it shows");
}

TEST(Place, IsRelativeToTheRegionThatHoldsTheAddress) {
    spec::Layout layout;
    layout.text = VirtAddr{0x1000};
    layout.rodata = VirtAddr{0x2000};
    layout.data = VirtAddr{0x3000};
    layout.bss = VirtAddr{0x4000};
    layout.guard = VirtAddr{0x5000};
    layout.stack = layout.heap = VirtAddr{0x7000};
    layout.trapframe = layout.top = VirtAddr{0x3fffffe000};
    layout.trampoline = VirtAddr{0x3ffffff000};
    layout.kernel = VirtAddr{0x80000000};
    auto const words = [&](std::uint64_t address) { return spec::print(place_of(layout, VirtAddr{address})); };
    EXPECT_EQ(words(0x4008), "bss+0x8");
    EXPECT_EQ(words(0x6ff0), "stack-16");
    EXPECT_EQ(words(0x8000), "heap+1p");
    EXPECT_EQ(words(0x3fffffe000), "trapframe");
    EXPECT_EQ(words(0x80000000), "0x80000000");
    EXPECT_EQ(words(0x10), "0x10");
}

TEST(PageView, ShowsEachProcessBeforeAndAfter) {
    PageView const view = page_view(testing::parent_keeps_w());
    EXPECT_EQ(view.page, "bss (va 0x4000)");
    ASSERT_EQ(view.rows.size(), 2U);
    EXPECT_EQ(view.rows[0].before, "frame 0x87f81  R W - U  1 PTE, count 1");
    EXPECT_EQ(view.rows[1].before, "-") << "it was not there yet";
    EXPECT_THAT(view.rows[1].after, HasSubstr("R - - U  2 PTEs, count 2"));
}

}  // namespace
}  // namespace vmcheck::report
