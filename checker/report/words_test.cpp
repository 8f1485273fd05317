// Rank, words, story and pseudo-code: what all formats have in common.

#include "checker/finding/finding.h"
#include "checker/report/page_view.h"
#include "checker/report/picture.h"
#include "checker/report/pseudo_code.h"
#include "checker/report/sample_testing.h"
#include "checker/report/step_words.h"
#include "checker/report/story.h"
#include "checker/report/text.h"
#include "checker/report/violation_words.h"
#include "spec/text.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <set>
#include <utility>
#include <variant>

namespace vmcheck::report {
namespace {

using spec::Invariant;
using ::testing::ElementsAre;
using testing::gave;
using ::testing::HasSubstr;
using testing::kWildStore;
using testing::made_child;
using ::testing::Not;

TEST(Rank, PutsPanicsBeforeIsolationBeforeWrongKillsBeforeLeaksBeforeLaziness) {
    std::vector<Finding> findings;
    for (Invariant invariant :
         {Invariant::laziness, Invariant::conservation, Invariant::results, Invariant::isolation, Invariant::liveness})
        findings.push_back(testing::finding_of(invariant, kWildStore, {made_child()}, {spec::Ends{}}, gave(0)));
    findings.push_back(testing::finding_of(Invariant::liveness, kWildStore, {made_child()}, {spec::Ends{}}, gave(0)));
    findings.back().severity = Severity::advice;
    findings.push_back(findings.back());
    findings.back().severity = Severity::defect;
    findings.back().family.circumstances.overlapped = true;
    sort_by_rank(findings);
    std::vector<std::string> order;
    order.reserve(findings.size());
    for (Finding const& finding : findings) order.emplace_back(to_string(rank_of(finding)));
    EXPECT_THAT(order,
                ElementsAre("corruption", "isolation", "wrong result", "leak", "laziness", "corruption", "laziness"))
        << "what takes two steps at a time after what does not, and advice after every defect";
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

TEST(Story, NamesWhatXv6FillsFramesWith) {
    auto const of_byte = [](std::string_view steps, unsigned expected, unsigned seen) {
        auto const program = "vmcheck 1\nprofile cow lazy\n" + std::string(steps);
        std::vector<spec::Outcome> const earlier(
            static_cast<std::size_t>(std::count(steps.begin(), steps.end(), '\n') - 1), gave(0));
        Finding finding = testing::finding_of(Invariant::contents, program, earlier, {spec::GoesOn{}}, gave(0));
        finding.divergence.violations.front().facts = spec::WrongByte{std::byte(expected), std::byte(seen), {}};
        finding.divergence.violations.front().place = spec::Address{spec::Anchor::heap, 8};
        return story_of(finding);
    };
    EXPECT_THAT(of_byte("p0 sbrk +1p\np0 store heap 1 = 7\n", 0, 5),
                ::testing::EndsWith("left there: 0x05 is what kalloc fills a frame with, and it was not zeroed."));
    EXPECT_THAT(of_byte("p0 fork p1\n", 0x2f, 1),
                ::testing::EndsWith("left there: 0x01 is what kfree fills a frame with."));
    EXPECT_THAT(of_byte("p0 sbrk +1p\np0 store heap 8 = 0x70500\n", 0, 5), ::testing::EndsWith("left there."))
        << "it may be the program's own";
    EXPECT_THAT(of_byte("p0 fstat heap\n", 0, 5), ::testing::EndsWith("left there.")) << "or the file's";
    EXPECT_THAT(of_byte("p0 pipe heap\n", 0, 5), HasSubstr("kalloc")) << "behind the descriptors";
    EXPECT_THAT(of_byte("p0 fork p1\n", 0, 9), ::testing::EndsWith("left there."));

    auto const of_load = [](std::uint64_t value) {
        Finding finding = testing::finding_of(Invariant::results, "vmcheck 1\nprofile cow lazy\np0 load heap 8\n", {},
                                              {spec::Exactly{0}}, gave(value));
        std::get<spec::WrongAnswer>(finding.divergence.violations.front().facts).mistake =
            spec::Mistake::read_other_bytes;
        return story_of(finding);
    };
    EXPECT_THAT(of_load(0x0505050505050505),
                HasSubstr("0x05 is what kalloc fills a frame with, and it was not zeroed"));
    EXPECT_THAT(of_load(0x05), ::testing::Not(HasSubstr("kalloc")));
}

TEST(Story, OfAGoodAddressThatFailsSaysThatNobodyHasTouchedThePage) {
    Finding finding = testing::finding_of(Invariant::results, "vmcheck 1\nprofile cow lazy\np0 open heap\n", {},
                                          {spec::SomeDescriptor{}}, gave(spec::kFailed));
    std::get<spec::WrongAnswer>(finding.divergence.violations.front().facts).mistake = spec::Mistake::open_did_not_find;
    EXPECT_EQ(story_of(finding), "p0: open did not find a file that is there.");
    finding.family.circumstances.grounds = spec::Ground::reserved;
    EXPECT_EQ(story_of(finding),
              "p0: open did not find a file that is there: its path lies in a page that was not touched yet.");
}

TEST(Story, APanicMayHaveNothingToSay) {
    Finding finding =
        testing::finding_of(Invariant::liveness, kWildStore, {made_child()}, {spec::Ends{}}, testing::panicked(""));
    EXPECT_EQ(story_of(finding),
              "p1's store to rodata made the kernel panic: it does not say why, and so any user program can stop the "
              "machine.");
    EXPECT_EQ(pseudo_code(finding).back().remark, "must be: killed; is: panic");
    finding.records.back().expected.clear();
    EXPECT_EQ(pseudo_code(finding).back().remark, "is: panic") << "what it must be depends on another step";
}

TEST(Story, OfTwoStepsAtATimeNamesBoth) {
    Finding finding = testing::finding_of(Invariant::counts,
                                          "vmcheck 1\nprofile cow\np0 fork p1\np0 store data 1 = 1 @h 144\np1 store "
                                          "data+8 8 = 1 meanwhile\n",
                                          {made_child(), gave(0)}, {spec::GoesOn{}}, gave(0));
    finding.divergence.at.value = 1;
    finding.divergence.violations.front().facts = spec::WrongCount{2, 1, {{{spec::kInit, false, {}}}, 1}};
    EXPECT_THAT(story_of(finding), ::testing::StartsWith("After p0's store to data and, at the same time on another "
                                                         "hart, p1's store to data+0x8, the frame at "));
    finding.program.steps[1].faults = {};
    finding.program.steps[1].faults.preempt = 5;
    EXPECT_THAT(story_of(finding), ::testing::StartsWith("After p0's store to data and, within it, p1's store to "));
}

TEST(Story, SaysOfAPanicThatItIsOneAndNotThatItCorrupts) {
    auto const rank = [](spec::Outcome const& seen) {
        return rank_words(testing::finding_of(Invariant::liveness, kWildStore, {made_child()}, {spec::Ends{}}, seen));
    };
    EXPECT_EQ(rank(testing::panicked("cow")), "panic");
    EXPECT_EQ(rank({.what = spec::Stuck{}}), "hang");
    EXPECT_EQ(rank_words(testing::parent_keeps_w()), "isolation");
}

TEST(Legend, ExplainsTheMarksThatAreThereAndNoOthers) {
    auto const marks = [](std::string_view steps) {
        std::string text;
        auto const program = spec::parse("vmcheck 1\nprofile cow\np0 fork p1\n" + std::string(steps)).value();
        for (auto const& [mark, meaning] : legend(program)) text += std::string(mark) + ',';
        return text;
    };
    EXPECT_EQ(marks("p1 store data 1 = 1\n"), "");
    EXPECT_EQ(marks("p1 store data 1 = 1 !oom 1 @7\n"), "!oom n,@n,");
    EXPECT_EQ(marks("p1 store data 1 = 1 @h 7\np0 wait meanwhile\n"), "@h n,meanwhile,");
    Finding failed = testing::parent_keeps_w();
    failed.program.steps[0].faults.oom = 2;
    EXPECT_THAT(finding_text(failed, 1, 1, std::nullopt, {}), HasSubstr("!oom n: the n-th frame allocation (kalloc)"));
}

TEST(Story, CountsTheAllocationThatFails) {
    spec::Program const program =
        spec::parse("vmcheck 1\nprofile cow\np0 fork p1 !oom 2\np0 fork p2 !oom 11\n").value();
    EXPECT_EQ(in_words(program.steps[0]), "p0's fork (with its 2nd kalloc failing)");
    EXPECT_EQ(in_words(program.steps[1]), "p0's fork (with its 11th kalloc failing)");
}

TEST(PseudoCode, IsWhatAStudentWouldWriteInTheOrderOfTheSteps) {
    Finding const finding = testing::finding_of(
        Invariant::results,
        "vmcheck 1\nprofile cow\np0 sbrk +2p\np0 store heap+8 1 = 65\np0 store brk-4096 8 = 0x41424344\n"
        "p0 fork p1\np1 pipe_read maxva 5\n",
        {gave(0x7000), gave(0), gave(0), made_child()}, {spec::Exactly{spec::kFailed}, spec::AtMost{0}}, gave(5));
    std::vector<std::string> code;
    for (CodeLine const& line : pseudo_code(finding)) code.push_back(line.process + ": " + line.code);
    EXPECT_THAT(
        code, ElementsAre("p0: sbrk(2*PGSIZE);", "p0: heap[8] = 65;", "p0: *(uint64 *)(sbrk(0) - PGSIZE) = 0x41424344;",
                          "p0: p1 = fork();", "p1: read(fds[0], (char *)MAXVA, 5);"));
    EXPECT_EQ(pseudo_code(finding).back().remark, "must be: -1 or 0; is: 5");
}

TEST(PseudoCode, DoesNotCallARightResultWrong) {
    EXPECT_EQ(pseudo_code(testing::finding_of(Invariant::rights, kWildStore, {made_child()},
                                              {spec::GoesOn{}, spec::Ends{}}, gave(0)))
                  .back()
                  .remark,
              "after this, it shows");
}

// ---- results

std::string told(std::string_view step, std::vector<spec::Result> const& results) {
    spec::Step const parsed = spec::parse("vmcheck 1\nprofile cow\n" + std::string(step) + "\n").value().steps.front();
    return expected_words(results, parsed);
}

TEST(StepWords, SayWhatACorrectKernelDoes) {
    spec::Result const fails = spec::Exactly{spec::kFailed};
    EXPECT_EQ(told("p0 fork p1", {spec::NewChild{spec::ProcId{1}}, fails}), "p1 or -1");
    EXPECT_EQ(told("p0 load heap 8", {spec::Exactly{42}}), "0x2a");
    EXPECT_EQ(told("p0 load heap 8", {spec::Exactly{~0ULL}}), "0xffffffffffffffff") << "bits, and no failure";
    EXPECT_EQ(told("p0 store heap 8 = 1", {spec::GoesOn{}, spec::Ends{}}), "ok or killed");
    EXPECT_EQ(told("p0 exit 1", {spec::Ends{}}), "ended");
    EXPECT_EQ(told("p0 exec", {spec::Restarts{}}), "restarted");
    EXPECT_EQ(told("p0 wait", {spec::PidOf{spec::ProcId{1}, 4}, fails}), "pid 4 (p1) or -1");
    EXPECT_EQ(told("p0 kill p1", {spec::EndsOther{spec::ProcId{1}}}), "0, p1 killed");
    EXPECT_EQ(told("p0 sbrk 0", {spec::Exactly{0x7000}}), "0x7000");
    EXPECT_EQ(told("p0 open data", {spec::SomeDescriptor{}}), "a descriptor");
    EXPECT_EQ(told("p0 pipe_read heap 8", {spec::Exactly{8}, fails, spec::AtMost{7}}), "8 or -1 or less");
    EXPECT_EQ(told("p0 pipe_read heap 8", {fails, spec::AtMost{5}}), "-1 or at most 5");
    EXPECT_EQ(told("p0 pipe_read heap 8", {fails, spec::AtMost{0}}), "-1 or 0");
    EXPECT_EQ(told("p0 pipe_read heap 8", {spec::Exactly{0}, fails, spec::Exactly{0}}), "0 or -1") << "each once";
    EXPECT_EQ(told("p0 wait", {}), "it depends");
}

TEST(StepWords, SayWhatWasSeen) {
    auto const seen = [](std::string_view step, spec::Outcome const& outcome) {
        return seen_words(outcome,
                          spec::parse("vmcheck 1\nprofile cow\n" + std::string(step) + "\n").value().steps.front());
    };
    EXPECT_EQ(seen("p0 fork p1", made_child(5)), "p1");
    EXPECT_EQ(seen("p0 fork p1", gave(spec::kFailed)), "-1");
    EXPECT_EQ(seen("p0 fork p1", gave(5)), "pid 5, but no child");
    EXPECT_EQ(seen("p0 store heap 8 = 1", gave(0)), "ok");
    EXPECT_EQ(seen("p0 store heap 8 = 1", gave(7)), "a0 = 7");
    EXPECT_EQ(seen("p0 load heap 8", gave(42)), "0x2a");
    EXPECT_EQ(seen("p0 load heap 8", testing::ended()), "killed");
    EXPECT_EQ(seen("p0 exit 0", testing::ended()), "ended");
    EXPECT_EQ(seen("p0 wait", gave(3)), "pid 3");
    EXPECT_EQ(seen("p0 kill p3", {.what = spec::Returned{0}, .ended_others = {spec::ProcId{3}}}), "0, p3 killed");
    EXPECT_EQ(seen("p0 exec", testing::panicked("remap")), "panic: remap");
    EXPECT_EQ(seen("p0 wait", {.what = spec::Blocked{}}), "sleeps in the kernel");
    EXPECT_EQ(seen_words(run::StepRecord{}), "not reached");
}

// ---- violations

// Facts of each alternative, none of them with much in it.
template <std::size_t kIndex = 0>
void for_each_facts(std::function<void(spec::Facts const&)> const& visit) {
    if constexpr (kIndex < std::variant_size_v<spec::Facts>) {
        visit(spec::Facts{std::in_place_index<kIndex>});
        for_each_facts<kIndex + 1>(visit);
    }
}

TEST(ViolationWords, EveryFactHasAStoryAndWhatIsExpectedAndSeen) {
    for_each_facts([](spec::Facts const& facts) {
        if (auto const* broken = std::get_if<spec::FreeListBroken>(&facts); broken) return;  // they quote what was seen
        if (auto const* broken = std::get_if<spec::TableBroken>(&facts); broken) return;
        ViolationWords const words = words_of({.process = spec::kInit, .facts = facts});
        EXPECT_NE(words.story, "") << facts.index();
        EXPECT_NE(words.expected, "") << facts.index();
        EXPECT_NE(words.seen, "") << facts.index();
    });
    ViolationWords const list = words_of({.facts = spec::FreeListBroken{"a cycle"}});
    EXPECT_EQ(list.story, "the free list is broken: a cycle");
    EXPECT_EQ(list.seen, "a cycle");
    EXPECT_EQ(words_of({.process = spec::ProcId{2}, .facts = spec::TableBroken{"a loop"}}).story,
              "p2's page table cannot be walked: a loop");
}

TEST(ViolationWords, EveryMistakeAndEveryWrongRightHasASentenceOfItsOwn) {
    std::set<std::string> stories;
    auto const last = static_cast<std::size_t>(spec::Mistake::sleeper_sleeps_on_after_kill);
    for (std::size_t i = 0; i <= last; ++i) {
        spec::WrongAnswer answer;
        answer.mistake = static_cast<spec::Mistake>(i);
        answer.step.action = spec::PipeRead{};
        answer.seen = gave(5);
        ViolationWords const words = words_of({.invariant = Invariant::results, .facts = answer});
        EXPECT_TRUE(stories.insert(words.story).second) << i << ": " << words.story;
        EXPECT_FALSE(words.story.empty());
    }
    for (std::size_t i = 0; i <= static_cast<std::size_t>(spec::WrongRights::What::lost_read); ++i) {
        auto const what = static_cast<spec::WrongRights::What>(i);
        ViolationWords const words = words_of({.process = spec::kInit, .facts = spec::WrongRights{what, {}, {}}});
        EXPECT_TRUE(stories.insert(words.story).second) << i << ": " << words.story;
        EXPECT_EQ(words.expected, "no PTE_U");
    }
}

TEST(ViolationWords, PlacesAreNamedAfterTheirRegion) {
    auto const story = [](spec::Address const& place) {
        return words_of({.process = spec::kInit, .place = place, .facts = spec::PageLost{}}).story;
    };
    EXPECT_EQ(story({spec::Anchor::bss, 0}), "p0 has lost its page at bss: the PTE is not valid");
    EXPECT_THAT(story({spec::Anchor::heap, 8}), HasSubstr("at heap+0x8:"));
    EXPECT_THAT(story({spec::Anchor::heap, 0x2000}), HasSubstr("at heap+0x2000:"));
    EXPECT_THAT(story({spec::Anchor::stack, -16}), HasSubstr("at stack-0x10:"));
    EXPECT_THAT(story({spec::Anchor::absolute, 0x10}), HasSubstr("at 0x10:"));
}

TEST(ViolationWords, NameThoseThatShareAFrameTheFirstFewOfMany) {
    spec::WrongCount count{2, 1, {{{spec::kInit, false, {spec::Anchor::bss, 0}}}, 2}};
    count.sharers.named.push_back({spec::ProcId{1}, true, {spec::Anchor::bss, 0}});
    EXPECT_EQ(words_of({.facts = count}).story,
              "the frame at p0's bss and p1's (zombie) bss is counted 1 time: it will be freed while it is still "
              "mapped");
    count.sharers.all = 7;
    count.seen = 9;
    EXPECT_EQ(words_of({.facts = count}).story,
              "the frame at p0's bss, p1's (zombie) bss and 5 more is counted 9 times: it will never be freed");
}

TEST(ViolationWords, SayWhosePidASharedPageHolds) {
    spec::Address const page{spec::Anchor::trapframe, -4096};
    spec::Sharers const both{{{spec::kInit, false, page}, {spec::ProcId{1}, false, page}}, 2};
    EXPECT_EQ(words_of({.process = spec::kInit, .facts = spec::UsyscallShared{both}}).story,
              "p0's trapframe-0x1000 and p1's trapframe-0x1000 map one frame: it holds the pid of p0 (USYSCALL), which "
              "others take for theirs");
}

TEST(ViolationWords, SayWhereTheBreakIsAndHowItCameThere) {
    using How = spec::WrongBreak::How;
    spec::WrongBreak wrong{VirtAddr{0x8000}, 0x9000, How::twice};
    auto const story = [&] { return words_of({.process = spec::kInit, .facts = wrong}).story; };
    EXPECT_EQ(story(), "p0's break (p->sz) is 0x9000 and not 0x8000 (it was moved twice)");
    wrong.how = How::failed;
    EXPECT_EQ(story(), "p0's break (p->sz) is 0x9000 and not 0x8000 (it was moved though nothing was to be done)");
    wrong.how = How::other;
    EXPECT_EQ(story(), "p0's break (p->sz) is 0x9000 and not 0x8000");
}

TEST(Story, AProcessThatTakesTheSameTrapForEverDoesNotStopTheMachine) {
    auto const story = [](spec::Stuck stuck) {
        spec::Outcome seen;
        seen.what = std::move(stuck);
        Finding finding = testing::finding_of(Invariant::liveness, kWildStore, {made_child()}, {spec::Ends{}}, seen);
        std::get<spec::WrongAnswer>(finding.divergence.violations.front().facts).mistake = spec::Mistake::never_ended;
        return story_of(finding);
    };
    EXPECT_EQ(story({.why = spec::Stuck::Why::same_trap,
                     .exception = spec::Exception{15, VirtAddr{0x5000}},
                     .others_run = true}),
              "p1's store to rodata never came to an end: the same store to 0x5000 comes again and again: usertrap "
              "neither repairs the fault nor kills the process.");
    EXPECT_EQ(story({.why = spec::Stuck::Why::circles, .where = "acquire (kernel/spinlock.c:30)"}),
              "p1's store to rodata never came to an end: the kernel waits in acquire for a lock that nobody will "
              "release, with interrupts off, and so any user program can stop the machine.");
    EXPECT_THAT(story({.why = spec::Stuck::Why::circles, .where = "growproc (kernel/proc.c:260)"}),
                HasSubstr("the kernel goes in circles in growproc (kernel/proc.c:260), with"));
    EXPECT_THAT(story({.why = spec::Stuck::Why::circles, .where = "pop_off (kernel/spinlock.c:91)"}),
                HasSubstr("the kernel goes in circles, with"))
        << "where everybody goes";
}

TEST(TextReport, SaysWhatWasNotFinished) {
    run::Counts counts;
    EXPECT_EQ(unfinished_line(counts), "");
    counts.unfinished[spec::index_of<spec::Fork>()] = 8;
    counts.unfinished[spec::index_of<spec::Exec>()] = 1;
    EXPECT_EQ(unfinished_line(counts), "9 runs were not finished: the kernel was too slow in fork (8), exec (1)");
}

TEST(ViolationWords, AWrongAnswerAfterAFailedAllocationSaysSo) {
    spec::WrongAnswer answer;
    answer.step.action = spec::Exec{};
    answer.allowed = {spec::Restarts{}, spec::Exactly{spec::kFailed}};
    answer.seen = testing::panicked("exec");
    EXPECT_EQ(words_of({.invariant = Invariant::liveness, .facts = answer}).story,
              "p0's exec made the kernel panic: exec");
    ViolationWords const words = words_of({.invariant = Invariant::containment, .facts = answer});
    EXPECT_EQ(words.story, "p0's exec made the kernel panic: exec, after a frame allocation (kalloc) failed");
    EXPECT_EQ(words.expected, "restarted or -1");
    EXPECT_EQ(words.seen, "panic: exec");
}

TEST(Story, SaysOfARightTooManyWhatFollows) {
    Finding finding = testing::finding_of(Invariant::rights, kWildStore, {made_child()}, {spec::Ends{}}, gave(0));
    spec::Violation& violation = finding.divergence.violations.front();
    violation.place = spec::Address{spec::Anchor::rodata, 0};
    EXPECT_EQ(story_of(finding),
              "After p1's store to rodata, p1's page at rodata was never writable, and now has PTE_W: a store that "
              "must kill the process goes through.");
    std::get<spec::WrongRights>(violation.facts).what = spec::WrongRights::What::user_lost;
    EXPECT_THAT(story_of(finding), ::testing::EndsWith("has lost PTE_U."));
}

TEST(Story, NamesEachKindOfStepWithWhatItIsDoneTo) {
    auto const words = [](std::string_view step) {
        return in_words(spec::parse("vmcheck 1\nprofile cow\n" + std::string(step) + "\n").value().steps.front());
    };
    EXPECT_EQ(words("p0 wait"), "p0's wait");
    EXPECT_EQ(words("p0 wait heap"), "p0's wait with the status at heap");
    EXPECT_EQ(words("p0 kill p3"), "p0's kill of p3");
    EXPECT_EQ(words("p0 sbrk -1p"), "p0's sbrk(-4096)");
    EXPECT_EQ(words("p0 touch heap 3"), "p0's first read of heap");
    EXPECT_EQ(words("p0 pipe_write heap+8 3"), "p0's write to a pipe from heap+0x8");
    EXPECT_EQ(words("p0 exec"), "p0's exec");
    EXPECT_EQ(words("p0 yield"), "p0's yield");
    EXPECT_EQ(words("p1 sp data"), "p1's moving sp to data");
}

TEST(PageView, ShowsEachProcessBeforeAndAfter) {
    PageView const view = page_view(testing::parent_keeps_w());
    EXPECT_EQ(view.page, "bss (va 0x4000)");
    ASSERT_EQ(view.rows.size(), 2U);
    EXPECT_EQ(view.rows[0].before, "frame 0x87f81  R W - U  1 PTE, count 1");
    EXPECT_EQ(view.rows[1].before, "-") << "it was not there yet";
    EXPECT_THAT(view.rows[1].after, HasSubstr("R - - U  2 PTEs, count 2"));
}

TEST(Picture, ShowsWhoMapsTheFrameAndMarksWhatIsWrongAfterTheStepOnly) {
    Finding finding = testing::parent_keeps_w();
    std::string const text = picture_of_pages(finding);
    std::size_t const after = text.find("aria-label=\"after step 1\"");
    ASSERT_NE(after, std::string::npos);
    EXPECT_THAT(text.substr(0, after),
                ::testing::AllOf(HasSubstr("before step 1"), HasSubstr("1 PTE, count 1"), Not(HasSubstr("wrong"))));
    EXPECT_THAT(text.substr(after),
                ::testing::AllOf(HasSubstr("✗ W"), HasSubstr("2 PTEs, count 2"), HasSubstr("reads")));
    for (PageRow& row : finding.evidence.pages->after) row.on_free_list = true;
    EXPECT_THAT(picture_of_pages(finding), HasSubstr("on the free list"));
    finding.evidence.pages->after.clear();
    EXPECT_THAT(picture_of_pages(finding), Not(HasSubstr("after step")));
    finding.evidence.pages.reset();
    EXPECT_EQ(picture_of_pages(finding), "");
}

TEST(Picture, MarksTheFrameThatIsCountedWrongAndNoOther) {
    Finding finding = testing::parent_keeps_w();
    auto const marks = [](std::string const& text) {
        std::size_t found = 0;
        for (std::size_t at = 0; (at = text.find("✗ frame", at)) != std::string::npos; ++at) ++found;
        return found;
    };
    spec::Violation& violation = finding.divergence.violations.front();
    violation.invariant = Invariant::counts;
    violation.facts = spec::WrongCount{1, 0, {}};
    auto& rows = finding.evidence.pages->after;
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(marks(picture_of_pages(finding)), 1U) << "both map it";
    rows[1].page.frame.value += 1;
    EXPECT_EQ(marks(picture_of_pages(finding)), 1U);
    violation.process = spec::ProcId{7};
    EXPECT_EQ(marks(picture_of_pages(finding)), 0U);
    finding.program.steps.push_back({spec::ProcId{1}, spec::Yield{}, {std::nullopt, std::nullopt, true}});
    EXPECT_THAT(picture_of_pages(finding), HasSubstr("after steps 1 and 2"));
}

TEST(Picture, HasALaneForEachProcessWhereStepsOverlap) {
    auto const text = [](std::string const& steps) {
        return picture_of_turns(testing::finding_of(Invariant::conservation,
                                                    "vmcheck 1\nprofile cow\np0 fork p1\n" + steps,
                                                    {made_child(), gave(0)}, {spec::GoesOn{}}, gave(0)));
    };
    EXPECT_EQ(text("p0 store heap 1 = 1\np1 yield\n"), "");
    std::string const interrupted = text("p0 store bss 1 = 1 @9\np1 yield meanwhile\n");
    for (char const* word : {">p0<", ">p1<", ">step 2<", "step 3<", ">waits<"})
        EXPECT_THAT(interrupted, HasSubstr(word));
    EXPECT_THAT(text("p0 store bss 1 = 1 @h 9\np1 yield meanwhile\n"), Not(HasSubstr("waits")))
        << "on harts of their own";
}

}  // namespace
}  // namespace vmcheck::report
