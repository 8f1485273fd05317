#include "checker/report/violation_words.h"

#include "checker/report/step_words.h"
#include "spec/text.h"

#include <fmt/core.h>

#include <array>
#include <string_view>
#include <variant>

namespace vmcheck::report {

namespace {

// ---- places and frames ---------------------------------------------------------------------------------------------

// "heap+0x8", "stack-0x10", "bss".
std::string words(spec::Address const& place) {
    if (place.anchor == spec::Anchor::absolute || place.offset == 0) return spec::print(place);
    std::string const region = spec::print(spec::Address{place.anchor, 0});
    auto const offset = static_cast<std::uint64_t>(place.offset);
    return place.offset < 0 ? fmt::format("{}-{:#x}", region, 0 - offset) : fmt::format("{}+{:#x}", region, offset);
}

std::string plural(std::uint64_t count, char const* one) {
    return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

// "p0's bss, p1's bss and p2's (zombie) bss"
std::string words(spec::Sharers const& sharers) {
    std::string text;
    for (std::size_t i = 0; i < sharers.named.size(); ++i) {
        spec::Sharer const& each = sharers.named[i];
        char const* const comma = i == 0 ? "" : i + 1 == sharers.all ? " and " : ", ";
        text +=
            fmt::format("{}{}'s{} {}", comma, name_of(each.process), each.zombie ? " (zombie)" : "", words(each.place));
    }
    if (sharers.all > sharers.named.size()) text += fmt::format(" and {} more", sharers.all - sharers.named.size());
    return text;
}

std::string words(spec::FrameUse const& use) {
    std::string const whose = name_of(use.process) + "'s ";
    if (use.role == spec::FrameUse::Role::table) return whose + "page table";
    if (use.role == spec::FrameUse::Role::saved_registers) return whose + "trapframe";
    return whose + "page at " + words(use.place);
}

std::string pte(spec::Rights rights) {
    return "PTE " + spec::to_string(rights);
}

std::string words(std::byte byte) {
    return fmt::format("byte {:#04x}", std::to_integer<unsigned>(byte));
}

// By WrongRights::What.
constexpr std::array<std::string_view, 9> kRightsWrong = {
    "is mapped for the user (PTE_U), but lies outside its memory (sz)",
    "is the stack's guard page, and now open to the user (PTE_U)",
    "is not the user's, but open to it (PTE_U)",
    "has lost PTE_U",
    "was never writable, and now has PTE_W",
    "was never executable, and now has PTE_X",
    "has lost PTE_X",
    "was never readable, and now has PTE_R",
    "has lost PTE_R",
};

// ---- answers -------------------------------------------------------------------------------------------------------

using spec::Mistake;

// What is wrong with an answer. Those that several kinds of step can make name the {step} or the {call}.
struct Sentence {
    Mistake mistake;
    std::string_view text;
};
constexpr std::array kSentences = {
    Sentence{Mistake::panicked, "{step} made the kernel panic: {panic}{cause}"},
    Sentence{Mistake::init_killed, "{step} killed p0, which is init, and so the kernel panics: {panic}"},
    Sentence{Mistake::never_ended, "{step} never came to an end: {stuck}"},
    Sentence{Mistake::slept, "{step} went to sleep in the kernel although nothing has to be waited for"},
    Sentence{Mistake::lost, "{step} came back to user mode as the wrong process, or with wrong registers: {lost}"},
    Sentence{Mistake::started_process, "{step} started a process"},
    Sentence{Mistake::ended_other, "{step} ended {other}, which had nothing to do with it"},
    Sentence{Mistake::did_not_return, "{call} did not return"},
    Sentence{Mistake::other_result, "{step} gave a result that it must not give"},
    Sentence{Mistake::killed_though_legal, "{step} is legal, but the process was killed"},
    Sentence{Mistake::survived_though_fatal, "{step} must be fatal (usertrap kills the process), but it went through"},
    Sentence{Mistake::did_not_complete, "{step} did not complete"},
    Sentence{Mistake::registers_changed, "the process came back from a {call} with registers changed"},
    Sentence{Mistake::read_other_bytes, "{step} read {other_bytes}"},
    Sentence{Mistake::fetch_changed_a0, "the code that was called is made of returns, but a0 came back changed"},
    Sentence{Mistake::sp_change_fatal,
             "the process did not survive a change of its stack pointer, which touches no memory"},
    Sentence{Mistake::fork_failed_but_child_runs, "fork returned -1, but the child runs"},
    Sentence{Mistake::fork_failed, "fork failed with {in_use} of {limit} processes in use and enough memory free"},
    Sentence{Mistake::fork_beyond_table, "fork made a process beyond the table's {limit} slots"},
    Sentence{Mistake::fork_returned_no_pid, "fork returned {value:#x}, which is no pid"},
    Sentence{Mistake::fork_pid_in_use, "fork gave the child pid {value}, which {other} still has"},
    Sentence{Mistake::fork_child_never_ran, "fork returned pid {value}, but the child never ran"},
    Sentence{Mistake::exit_came_back, "exit came back to the process that called it"},
    Sentence{Mistake::wait_found_nobodys_child, "wait found a child where the process has none"},
    Sentence{Mistake::wait_found_no_zombie, "wait found no zombie child where there is one"},
    Sentence{Mistake::wait_returned_no_child, "wait returned {value:#x}, which is no child's pid"},
    Sentence{Mistake::wait_returned_the_living, "wait returned {other}, which has not ended"},
    Sentence{Mistake::wait_stored_at_bad_address,
             "wait returned a child although its status cannot be stored at that address"},
    Sentence{Mistake::killed_itself_and_lives, "the process killed itself and lives on"},
    Sentence{Mistake::kill_of_zombie_wrong, "kill of a zombie returned neither 0 nor -1"},
    Sentence{Mistake::kill_of_zombie_ended_other, "kill of a zombie ended another process"},
    Sentence{Mistake::kill_did_not_find, "kill did not find {other}, which runs"},
    Sentence{Mistake::kill_left_alive, "kill returned 0, but {other} lives on"},
    Sentence{Mistake::kill_ended_others, "kill of {other} ended other processes as well"},
    Sentence{Mistake::exec_neither, "exec neither started the program nor returned -1"},
    Sentence{Mistake::exec_failed, "exec of /init failed with enough memory free"},
    Sentence{Mistake::exec_of_large_failed, "exec of /large, a larger program, failed with enough memory free"},
    Sentence{Mistake::exec_started_broken,
             "exec started /broken, which has a segment of more bytes in the file than in memory"},
    Sentence{Mistake::exec_took_bad_arguments, "exec started the program although its arguments cannot be read"},
    Sentence{Mistake::sbrk_failed, "sbrk failed although it had what it needs"},
    Sentence{Mistake::sbrk_accepted, "sbrk accepted a break that it must refuse"},
    Sentence{Mistake::sbrk_returned_neither, "sbrk returned neither the old break{old_break} nor -1 as it should"},
    Sentence{Mistake::copy_failed_at_good_address, "{step} failed at a good address"},
    Sentence{Mistake::copy_returned_neither, "{step} returned neither 0 nor -1"},
    Sentence{Mistake::copyout_accepted, "{copied} where copyout must refuse the address"},
    Sentence{Mistake::copyin_accepted, "the write took bytes from where copyin must refuse the address"},
    Sentence{Mistake::took_less_than_given, "{call} took less than it was given"},
    Sentence{Mistake::counted_unreadable, "{call} counted bytes that cannot be read"},
    Sentence{Mistake::counted_unwritable, "{call} counted bytes that cannot be written"},
    Sentence{Mistake::read_of_nothing_not_zero, "a read of no bytes from the pipe did not return 0"},
    Sentence{Mistake::other_count_than_there_was, "{call} returned another count than there was to read"},
    Sentence{Mistake::open_did_not_find, "open did not find a file that is there"},
    Sentence{Mistake::open_returned_neither, "open returned neither a descriptor nor -1"},
    Sentence{Mistake::open_found_missing, "open found a file that is not there"},
    Sentence{Mistake::open_took_bad_path, "open took a path that copyinstr must refuse"},
    Sentence{Mistake::sleeper_survived_kill, "{actor} was killed while it slept in {word}, and lives on"},
    Sentence{Mistake::sleeper_sleeps_on_after_kill, "{actor} was killed while it slept in {word}, and sleeps on"},
};
constexpr bool has_each_mistake() {
    for (std::size_t i = 0; i < kSentences.size(); ++i)
        if (kSentences[i].mistake != static_cast<Mistake>(i)) return false;
    return kSentences.back().mistake == Mistake::sleeper_sleeps_on_after_kill;
}
static_assert(has_each_mistake(), "one sentence for each mistake, in their order");

// What became of the actor, where it is a `What`.
template <class What>
What seen_as(spec::WrongAnswer const& answer) {
    auto const* what = std::get_if<What>(&answer.seen.what);
    return what ? *what : What{};
}

// " (sz = 0x7000)", where one of the right answers is the break before the call.
std::string old_break(std::vector<spec::Result> const& allowed) {
    for (spec::Result const& result : allowed)
        if (auto const* value = std::get_if<spec::Exactly>(&result); value && value->value != spec::kFailed)
            return fmt::format(" (sz = {:#x})", value->value);
    return "";
}

// What a copyout did that had to be refused.
std::string copied(spec::Step const& step) {
    if (std::holds_alternative<spec::FileRead>(step.action)) return "the read wrote to";
    if (std::holds_alternative<spec::PipeRead>(step.action)) return call_in_words(step.action) + " wrote to";
    return deed_in_words(step) + " succeeded";
}

std::string sentence(spec::WrongAnswer const& answer) {
    using fmt::arg;
    spec::Action const& action = answer.step.action;
    auto const panicked = seen_as<spec::Panicked>(answer);
    std::string_view const text = kSentences.at(static_cast<std::size_t>(answer.mistake)).text;
    return fmt::format(
        fmt::runtime(text), arg("step", deed_in_words(answer.step)), arg("call", call_in_words(action)),
        arg("word", spec::kind_name(action)), arg("actor", name_of(answer.step.actor)),
        arg("other", answer.other ? name_of(*answer.other) : "another process"),
        arg("value", seen_as<spec::Returned>(answer).value),
        arg("panic", panicked.message.empty() ? "it does not say why" : panicked.message),
        arg("cause", panicked.cause.empty() ? "" : fmt::format(" ({})", panicked.cause)),
        arg("stuck", words_of(seen_as<spec::Stuck>(answer))), arg("lost", seen_as<spec::Lost>(answer).what),
        arg("in_use", answer.in_use), arg("limit", answer.limit), arg("old_break", old_break(answer.allowed)),
        arg("other_bytes", std::holds_alternative<spec::Touch>(action) ? "another byte than was stored on its last page"
                                                                       : "other bytes than were stored there"),
        arg("copied", copied(answer.step)));
}

// ---- violations ----------------------------------------------------------------------------------------------------

struct Words {
    spec::Violation const& violation;

    ViolationWords operator()(spec::NoPageTable const&) const {
        return {fmt::format("{} should be running, but the kernel shows no page table for it", who()),
                "a running process", "none"};
    }
    ViolationWords operator()(spec::PageLost const& lost) const {
        std::string const how = lost.outside_ram ? "the PTE points outside RAM" : "the PTE is not valid";
        return {fmt::format("{} has lost its page at {}: {}", who(), where(), how), "a valid PTE to its contents", how};
    }
    ViolationWords operator()(spec::WrongByte const& wrong) const {
        std::string const sharers =
            wrong.sharers.all > 1 ? fmt::format(" ({} map one frame)", words(wrong.sharers)) : "";
        return {fmt::format(
                    "{0}'s memory at {1} holds {3:#04x} and not the {4:#04x} that {0}'s stores and calls left there{2}",
                    who(), where(), sharers, std::to_integer<unsigned>(wrong.seen),
                    std::to_integer<unsigned>(wrong.expected)),
                words(wrong.expected), words(wrong.seen)};
    }
    ViolationWords operator()(spec::WrongRights const& wrong) const {
        return {
            fmt::format("{}'s page at {} {}", who(), where(), kRightsWrong.at(static_cast<std::size_t>(wrong.what))),
            wrong.expected ? pte(*wrong.expected) : "no PTE_U", pte(wrong.seen)};
    }
    ViolationWords operator()(spec::WritableShared const& shared) const {
        return {fmt::format("{} map one frame, and {}'s PTE can write it (PTE_W)", words(shared.sharers), who()),
                "PTE_W only with one reference",
                fmt::format("{} with {} references", pte(shared.seen), shared.sharers.all)};
    }
    ViolationWords operator()(spec::UsyscallShared const& shared) const {
        return {fmt::format("{} map one frame: it holds the pid of {} (USYSCALL), which others take for theirs",
                            words(shared.sharers), who()),
                "a frame for each process", fmt::format("one frame with {} references", shared.sharers.all)};
    }
    ViolationWords operator()(spec::WrongCount const& wrong) const {
        return {fmt::format("the frame at {} is counted {} time{}: {}", words(wrong.sharers), wrong.seen,
                            wrong.seen == 1 ? "" : "s",
                            wrong.seen < wrong.expected ? "it will be freed while it is still mapped"
                                                        : "it will never be freed"),
                fmt::format("count {}", wrong.expected), fmt::format("count {}", wrong.seen)};
    }
    ViolationWords operator()(spec::FreeListBroken const& broken) const {
        return {fmt::format("the free list is broken: {}", broken.why), "a sound list", broken.why};
    }
    ViolationWords operator()(spec::TableBroken const& broken) const {
        return {fmt::format("{}'s page table cannot be walked: {}", who(), broken.why), "a sound page table",
                broken.why};
    }
    ViolationWords operator()(spec::TwoRoles const& two) const {
        return {fmt::format("one frame is {} and {} at once: it was freed while in use", words(two.first),
                            words(two.second)),
                "one role", fmt::format("{} roles", two.roles)};
    }
    ViolationWords operator()(spec::FreeInUse const& free) const {
        return {fmt::format("the frame of {} is on the free list: it was freed while in use", words(free.use)),
                "in use only", "in use and free"};
    }
    ViolationWords operator()(spec::WrongTotal const& total) const {
        bool const lost = total.seen < total.expected;
        std::uint64_t const difference = lost ? total.expected - total.seen : total.seen - total.expected;
        return {lost ? fmt::format("{} {} neither free nor reachable from any page table: leaked",
                                   plural(difference, "frame"), difference == 1 ? "is" : "are")
                     : fmt::format("{} too many: a frame is free or mapped that was in use elsewhere",
                                   plural(difference, "frame")),
                fmt::format("{} frames in all", total.expected), fmt::format("{}", total.seen)};
    }
    ViolationWords operator()(spec::MappedEarly const& early) const {
        return {fmt::format("{}'s page at {} is mapped although nobody has touched it: lazy sbrk only moves the break",
                            who(), where()),
                "no PTE yet", pte(early.seen)};
    }
    ViolationWords operator()(spec::NotMapped const&) const {
        return {
            fmt::format("{}'s page at {} is below the break, but not mapped: eager sbrk maps at once", who(), where()),
            "a valid PTE", "none"};
    }
    ViolationWords operator()(spec::ChildLost const&) const {
        return {
            fmt::format("{}, which has ended and was not waited for, is gone from the process table: its parent can "
                        "never learn its exit status",
                        who()),
            "a zombie", "no such process"};
    }
    ViolationWords operator()(spec::WrongBreak const& wrong) const {
        constexpr std::array<std::string_view, 5> kHow{" (it wraps: its upper bits are lost)",
                                                       " (it was taken below zero)", " (it was moved twice)",
                                                       " (it was moved though nothing was to be done)", ""};
        return {fmt::format("{}'s break (p->sz) is {:#x} and not {:#x}{}", who(), wrong.seen, wrong.expected.value,
                            kHow.at(static_cast<std::size_t>(wrong.how))),
                fmt::format("a break of {:#x}", wrong.expected.value), fmt::format("{:#x}", wrong.seen)};
    }
    ViolationWords operator()(spec::Copied const& copied) const {
        std::string const both = fmt::format("{} and {}", name_of(copied.original), name_of(copied.copy));
        return {fmt::format("fork copied {} that {} should share until one of them stores",
                            plural(copied.frames, "frame"), both),
                fmt::format("{} map one frame at {}", both, where()),
                fmt::format("{} frames of their own", copied.frames)};
    }
    ViolationWords operator()(spec::LabNotDone const& lab) const {
        std::string const pages = plural(lab.pages, "page");
        if (lab.lab == spec::LabNotDone::Lab::copy_on_write)
            return {"copy-on-write is not implemented: fork copied " + pages,
                    "parent and child share each page until one of them stores", pages + " copied"};
        return {"lazy allocation is not implemented: sbrk mapped " + pages + " at once",
                "sbrk only moves the break; a page is mapped when it is touched", pages + " mapped"};
    }
    ViolationWords operator()(spec::WrongAnswer const& answer) const {
        // With a failed allocation in the step, a wrong answer is a failure to contain it, whatever form it takes.
        bool const contained = violation.invariant != spec::Invariant::containment;
        std::string const expected =
            answer.allowed.empty() ? "what the other step leaves" : expected_words(answer.allowed, answer.step);
        return {sentence(answer) + (contained ? "" : ", after a frame allocation (kalloc) failed"), expected,
                seen_words(answer.seen, answer.step)};
    }
    ViolationWords operator()(spec::NeedlessKill const& kill) const {
        return {fmt::format("{} ended {} for want of a frame that it does not need: nobody else refers to the page any "
                            "more, so it can be made writable as it is",
                            deed_in_words(kill.step), name_of(kill.step.actor)),
                "ok, or killed: the labs' texts allow it", seen_words(kill.seen, kill.step)};
    }
    ViolationWords operator()(spec::GrowsOverTrapframe const& grown) const {
        return {fmt::format("lazy sbrk does not refuse to grow the heap over the trapframe at {:#x}: {} calls of "
                            "sbrk({}) and then one of sbrk({}) all succeed",
                            grown.trapframe.value, grown.calls, grown.bytes_each, grown.to.value - grown.from.value),
                "-1 from the last of these calls",
                fmt::format("{:#x}, the old break; the new one is {:#x}", grown.from.value, grown.to.value)};
    }

  private:
    std::string who() const { return name_of(violation.process.value_or(spec::kInit)); }
    std::string where() const {
        if (violation.place) return words(*violation.place);
        return violation.address ? fmt::format("{:#x}", violation.address->value) : "an unknown place";
    }
};

}  // namespace

ViolationWords words_of(spec::Violation const& violation) {
    ViolationWords words = std::visit(Words{violation}, violation.facts);
    if (violation.alike > 0) words.story += fmt::format(" (and {} more like it)", plural(violation.alike, "place"));
    return words;
}

}  // namespace vmcheck::report
