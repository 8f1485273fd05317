#include "checker/report/violation_words.h"

#include "checker/report/step_words.h"
#include "spec/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
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
    switch (use.role) {
        case spec::FrameUse::Role::table:
            return whose + "page table";
        case spec::FrameUse::Role::saved_registers:
            return whose + "trapframe";
        case spec::FrameUse::Role::memory:
            break;
    }
    return whose + "page at " + words(use.place);
}

std::string pte(spec::Rights rights) {
    return "PTE " + spec::to_string(rights);
}

std::string words(std::byte byte) {
    return fmt::format("byte {:#04x}", std::to_integer<unsigned>(byte));
}

char const* words(spec::WrongRights::What what) {
    using What = spec::WrongRights::What;
    switch (what) {
        case What::outside_memory:
            return "is mapped for the user (PTE_U), but lies outside its memory (sz)";
        case What::guard_opened:
            return "is the stack's guard page, and now open to the user (PTE_U)";
        case What::opened:
            return "is not the user's, but open to it (PTE_U)";
        case What::user_lost:
            return "has lost PTE_U";
        case What::gained_write:
            return "was never writable, and now has PTE_W";
        case What::gained_execute:
            return "was never executable, and now has PTE_X";
        case What::lost_execute:
            return "has lost PTE_X";
        case What::gained_read:
            return "was never readable, and now has PTE_R";
        case What::lost_read:
            return "has lost PTE_R";
    }
    return "";
}

// ---- answers -------------------------------------------------------------------------------------------------------

std::uint64_t returned(spec::Outcome const& outcome) {
    auto const* value = std::get_if<spec::Returned>(&outcome.what);
    return value ? value->value : 0;
}

std::string panic(spec::Outcome const& outcome) {
    auto const* panicked = std::get_if<spec::Panicked>(&outcome.what);
    return panicked ? panicked->message : "";
}

std::string cause_of_panic(spec::Outcome const& outcome) {
    auto const* panicked = std::get_if<spec::Panicked>(&outcome.what);
    return panicked && !panicked->cause.empty() ? fmt::format(" ({})", panicked->cause) : "";
}

// " (sz = 0x7000)", where one of the right answers is the break before the call.
std::string old_break(std::vector<spec::Result> const& allowed) {
    for (spec::Result const& result : allowed)
        if (auto const* value = std::get_if<spec::Exactly>(&result); value && value->value != spec::kFailed)
            return fmt::format(" (sz = {:#x})", value->value);
    return "";
}

// What is wrong with an answer. One sentence for each mistake; those that several kinds of step can make name the step
// or the call.
std::string sentence(spec::WrongAnswer const& answer) {
    using spec::Mistake;
    spec::Action const& action = answer.step.action;
    std::string const step = spec::print(action);
    std::string const call = call_in_words(action);
    std::string const other = answer.other ? name_of(*answer.other) : "another process";
    std::uint64_t const value = returned(answer.seen);
    switch (answer.mistake) {
        case Mistake::panicked:
            return fmt::format("{} made the kernel panic: {}{}", step, panic(answer.seen), cause_of_panic(answer.seen));
        case Mistake::init_killed:
            return fmt::format("{} killed p0, which is init, and so the kernel panics: {}", step, panic(answer.seen));
        case Mistake::never_ended: {
            auto const* stuck = std::get_if<spec::Stuck>(&answer.seen.what);
            return fmt::format("{} never came to an end: {}", step, stuck ? stuck->where : "");
        }
        case Mistake::slept:
            return fmt::format("{} went to sleep in the kernel although nothing has to be waited for", step);
        case Mistake::lost: {
            auto const* lost = std::get_if<spec::Lost>(&answer.seen.what);
            return fmt::format("after {}, the wrong process or wrong registers came back to user mode: {}", step,
                               lost ? lost->what : "");
        }
        case Mistake::started_process:
            return fmt::format("{} started a process", step);
        case Mistake::ended_other:
            return fmt::format("{} ended {}, which had nothing to do with it", step, other);
        case Mistake::did_not_return:
            return fmt::format("{} did not return", call);
        case Mistake::other_result:
            return fmt::format("{} gave a result that it must not give", step);
        case Mistake::killed_though_legal:
            return fmt::format("{} is legal, but the process was killed", step);
        case Mistake::survived_though_fatal:
            return fmt::format("{} must be fatal (usertrap kills the process), but it went through", step);
        case Mistake::did_not_complete:
            return fmt::format("{} did not complete", step);
        case Mistake::registers_changed:
            return fmt::format("the process came back from a {} with registers changed", call);
        case Mistake::read_other_bytes:
            return fmt::format("{} read {}", step,
                               std::holds_alternative<spec::Touch>(action)
                                   ? "another byte than was stored on its last page"
                                   : "other bytes than were stored there");
        case Mistake::fetch_changed_a0:
            return "the code that was called is made of returns, but a0 came back changed";
        case Mistake::sp_change_fatal:
            return "the process did not survive a change of its stack pointer, which touches no memory";
        case Mistake::fork_failed_but_child_runs:
            return "fork returned -1, but the child runs";
        case Mistake::fork_failed:
            return fmt::format("fork failed with {} of {} processes in use and enough memory free", answer.in_use,
                               answer.limit);
        case Mistake::fork_beyond_table:
            return fmt::format("fork made a process beyond the table's {} slots", answer.limit);
        case Mistake::fork_returned_no_pid:
            return fmt::format("fork returned {:#x}, which is no pid", value);
        case Mistake::fork_pid_in_use:
            return fmt::format("fork gave the child pid {}, which {} still has", value, other);
        case Mistake::fork_child_never_ran:
            return fmt::format("fork returned pid {}, but the child never ran", value);
        case Mistake::exit_came_back:
            return "exit came back to the process that called it";
        case Mistake::wait_found_nobodys_child:
            return "wait found a child where the process has none";
        case Mistake::wait_found_no_zombie:
            return "wait found no zombie child where there is one";
        case Mistake::wait_returned_no_child:
            return fmt::format("wait returned {:#x}, which is no child's pid", value);
        case Mistake::wait_returned_the_living:
            return fmt::format("wait returned {}, which has not ended", other);
        case Mistake::wait_stored_at_bad_address:
            return "wait returned a child although its status cannot be stored at that address";
        case Mistake::killed_itself_and_lives:
            return "the process killed itself and lives on";
        case Mistake::kill_of_zombie_wrong:
            return "kill of a zombie returned neither 0 nor -1";
        case Mistake::kill_of_zombie_ended_other:
            return "kill of a zombie ended another process";
        case Mistake::kill_did_not_find:
            return fmt::format("kill did not find {}, which runs", other);
        case Mistake::kill_left_alive:
            return fmt::format("kill returned 0, but {} lives on", other);
        case Mistake::kill_ended_others:
            return fmt::format("kill of {} ended other processes as well", other);
        case Mistake::exec_neither:
            return "exec neither started the program nor returned -1";
        case Mistake::exec_failed:
            return "exec of /init failed with enough memory free";
        case Mistake::sbrk_failed:
            return "sbrk failed although it had what it needs";
        case Mistake::sbrk_accepted:
            return "sbrk accepted a break that it must refuse";
        case Mistake::sbrk_returned_neither:
            return fmt::format("sbrk returned neither the old break{} nor -1 as it should", old_break(answer.allowed));
        case Mistake::copy_failed_at_good_address:
            return fmt::format("{} failed at a good address", step);
        case Mistake::copy_returned_neither:
            return fmt::format("{} returned neither 0 nor -1", step);
        case Mistake::copyout_accepted:
            if (std::holds_alternative<spec::FileRead>(action))
                return "the read wrote to where copyout must refuse the address";
            return std::holds_alternative<spec::PipeRead>(action)
                       ? fmt::format("{} wrote to where copyout must refuse the address", call)
                       : fmt::format("{} succeeded where copyout must refuse the address", step);
        case Mistake::copyin_accepted:
            return "the write took bytes from where copyin must refuse the address";
        case Mistake::took_less_than_given:
            return fmt::format("{} took less than it was given", call);
        case Mistake::counted_unreadable:
            return fmt::format("{} counted bytes that cannot be read", call);
        case Mistake::counted_unwritable:
            return fmt::format("{} counted bytes that cannot be written", call);
        case Mistake::read_of_nothing_not_zero:
            return "a read of no bytes from the pipe did not return 0";
        case Mistake::other_count_than_there_was:
            return fmt::format("{} returned another count than there was to read", call);
        case Mistake::open_did_not_find:
            return "open did not find a file that is there";
        case Mistake::open_returned_neither:
            return "open returned neither a descriptor nor -1";
        case Mistake::open_found_missing:
            return "open found a file that is not there";
        case Mistake::open_took_bad_path:
            return "open took a path that copyinstr must refuse";
        case Mistake::sleeper_survived_kill:
            return fmt::format("{} was killed while it slept in {}, and lives on", name_of(answer.step.actor),
                               spec::kind_name(action));
        case Mistake::sleeper_sleeps_on_after_kill:
            return fmt::format("{} was killed while it slept in {}, and sleeps on", name_of(answer.step.actor),
                               spec::kind_name(action));
    }
    return {};
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
        return {fmt::format("{0}'s memory at {1} holds another byte than {0}'s stores and calls left there{2}", who(),
                            where(), sharers),
                words(wrong.expected), words(wrong.seen)};
    }
    ViolationWords operator()(spec::WrongRights const& wrong) const {
        return {fmt::format("{}'s page at {} {}", who(), where(), words(wrong.what)),
                wrong.expected ? pte(*wrong.expected) : "no PTE_U", pte(wrong.seen)};
    }
    ViolationWords operator()(spec::WritableShared const& shared) const {
        return {fmt::format("{} map one frame, and {}'s PTE can write it (PTE_W)", words(shared.sharers), who()),
                "PTE_W only with one reference",
                fmt::format("{} with {} references", pte(shared.seen), shared.sharers.all)};
    }
    ViolationWords operator()(spec::WrongCount const& wrong) const {
        return {fmt::format("the frame at {} is counted {} time{}: {}", words(wrong.sharers), wrong.seen,
                            wrong.seen == 1 ? "" : "s",
                            wrong.seen < wrong.expected ? "it will be freed while it is still mapped"
                                                        : "it will never be freed"),
                fmt::format("count {}", wrong.expected), fmt::format("count {}", wrong.seen)};
    }
    ViolationWords operator()(spec::FreeListBroken const& broken) const {
        return {fmt::format("the free list (kmem.freelist) is broken: {}", broken.why), "a sound list", broken.why};
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
    ViolationWords operator()(spec::Copied const& copied) const {
        std::string const both = fmt::format("{} and {}", name_of(copied.original), name_of(copied.copy));
        return {fmt::format("fork copied {} that {} should share until one of them stores",
                            plural(copied.frames, "frame"), both),
                fmt::format("{} map one frame at {}", both, where()),
                fmt::format("{} frames of their own", copied.frames)};
    }
    ViolationWords operator()(spec::WrongAnswer const& answer) const {
        // With a failed allocation in the step, a wrong answer is a failure to contain it, whatever form it takes.
        bool const contained = violation.invariant != spec::Invariant::containment;
        return {sentence(answer) + (contained ? "" : ", after a frame allocation (kalloc) failed"),
                expected_words(answer.allowed, answer.step), seen_words(answer.seen, answer.step)};
    }
    ViolationWords operator()(spec::NeedlessKill const& kill) const {
        return {fmt::format("{} ended {} for want of a frame that it does not need: nobody else refers to the page any "
                            "more, so it can be made writable as it is",
                            spec::print(kill.step.action), name_of(kill.step.actor)),
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
    return std::visit(Words{violation}, violation.facts);
}

}  // namespace vmcheck::report
