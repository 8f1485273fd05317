#include "checker/finding/cause.h"

#include <fmt/core.h>

#include <array>

namespace vmcheck {

namespace {

using run::Symptom;
using spec::Ground;
using spec::Way;

// ---- what a row asks for

enum class Where : std::uint8_t {
    any,
    shared,    // copy on write
    reserved,  // lazily allocated
    read_only,
    no_user,  // the guard page, the trapframe, the trampoline
    unmapped,
    above_maxva,
    bad,  // any of the last four
};

bool is_there(Where where, spec::Grounds const& grounds) {
    auto const has = [&](Ground ground) { return grounds.contains(ground); };
    switch (where) {
        case Where::any:
            return true;
        case Where::shared:
            return has(Ground::shared);
        case Where::reserved:
            return has(Ground::reserved);
        case Where::read_only:
            return has(Ground::read_only);
        case Where::no_user:
            return has(Ground::no_user);
        case Where::unmapped:
            return has(Ground::hole);
        case Where::above_maxva:
            return has(Ground::above_maxva);
        case Where::bad:
            return has(Ground::read_only) || has(Ground::no_user) || has(Ground::hole) || has(Ground::above_maxva);
    }
    return false;
}

// Sets of ways.
constexpr unsigned bit(Way way) {
    return 1U << static_cast<unsigned>(way);
}
constexpr unsigned kAny = ~0U;
constexpr unsigned kFault = bit(Way::fault);
constexpr unsigned kOut = bit(Way::copyout);
constexpr unsigned kIn = bit(Way::copyin);
constexpr unsigned kString = bit(Way::copyinstr);
constexpr unsigned kCopies = kOut | kIn | kString;
constexpr unsigned kTouches = kFault | kCopies;
constexpr unsigned kFork = bit(Way::fork);
constexpr unsigned kSbrk = bit(Way::sbrk);
constexpr unsigned kExec = bit(Way::exec);
constexpr unsigned kEnd = bit(Way::end);

enum class Memory : std::uint8_t { any, refused };  // whether the step was short of memory

struct Row {
    Symptom symptom;
    unsigned ways;
    Where where;
    Memory memory;
    std::string_view id;
    std::string_view title;
};

// The first that fits is it.
constexpr std::array kRows = {
    Row{Symptom::died, kFault, Where::above_maxva, Memory::any, "wild-access-panics-above-maxva",
        "a wild access above MAXVA panics the kernel"},
    Row{Symptom::died, kFault, Where::unmapped, Memory::any, "wild-access-panics-unmapped",
        "a wild access to an address that is not mapped panics the kernel"},
    Row{Symptom::died, kFault, Where::bad, Memory::any, "wild-access-panics-protected",
        "an access to a page that the process has no right to panics the kernel"},
    Row{Symptom::died, kFault, Where::any, Memory::refused, "fault-panics-without-memory",
        "a page fault for which there is no memory panics the kernel"},
    Row{Symptom::died, kFault, Where::reserved, Memory::any, "lazy-fault-panics",
        "the first touch of a heap page panics the kernel"},
    Row{Symptom::died, kFault, Where::shared, Memory::any, "cow-fault-panics",
        "a store to a copy-on-write page panics the kernel"},
    Row{Symptom::died, kCopies | kExec, Where::bad, Memory::any, "bad-address-panics",
        "a system call with an address that it must refuse panics the kernel"},
    Row{Symptom::died, kCopies, Where::any, Memory::refused, "copy-panics-without-memory",
        "a copy between kernel and user for which there is no memory panics the kernel"},
    Row{Symptom::died, kCopies, Where::any, Memory::any, "copy-panics",
        "a copy between kernel and user panics the kernel"},
    Row{Symptom::died, kFork, Where::any, Memory::refused, "fork-panics-without-memory",
        "a fork for which there is no memory panics the kernel"},
    Row{Symptom::died, kFork, Where::any, Memory::any, "fork-panics", "fork panics the kernel"},
    Row{Symptom::died, kSbrk | kExec | kEnd, Where::any, Memory::refused, "panics-without-memory",
        "a system call that finds no memory panics the kernel"},
    Row{Symptom::died, kSbrk | kExec | kEnd, Where::any, Memory::any, "giving-memory-back-panics",
        "changing or giving back memory panics the kernel"},

    Row{Symptom::no_end, kFault, Where::any, Memory::refused, "fault-hangs-without-memory",
        "a page fault for which there is no memory never ends"},
    Row{Symptom::no_end, kFault, Where::bad, Memory::any, "wild-access-loops",
        "a wild access faults for ever: the process is neither killed nor served"},
    Row{Symptom::no_end, kFault, Where::any, Memory::any, "fault-loops", "a legal access faults for ever"},
    Row{Symptom::no_end, kCopies, Where::any, Memory::any, "copy-hangs", "a copy between kernel and user never ends"},
    Row{Symptom::no_end, kFork, Where::any, Memory::any, "fork-hangs", "fork never ends"},
    Row{Symptom::no_end, kSbrk | kExec | kEnd, Where::any, Memory::any, "call-hangs", "a system call never ends"},

    Row{Symptom::killed, kAny, Where::shared, Memory::any, "cow-store-killed",
        "an access to a copy-on-write page kills the process"},
    Row{Symptom::killed, kAny, Where::reserved, Memory::any, "lazy-access-killed",
        "the first touch of a heap page kills the process"},
    Row{Symptom::killed, kAny, Where::any, Memory::any, "process-killed", "a process is killed for what it may do"},
    Row{Symptom::refused, kOut, Where::shared, Memory::any, "copyout-refuses-cow-page",
        "copyout fails on a copy-on-write page"},
    Row{Symptom::refused, kOut, Where::reserved, Memory::any, "copyout-refuses-lazy-page",
        "copyout fails on a heap page that was not touched yet"},
    Row{Symptom::refused, kIn | kExec, Where::reserved, Memory::any, "copyin-refuses-lazy-page",
        "copyin fails on a heap page that was not touched yet"},
    Row{Symptom::refused, kString, Where::reserved, Memory::any, "copyinstr-refuses-lazy-page",
        "copyinstr fails on a heap page that was not touched yet"},
    Row{Symptom::refused, kCopies, Where::any, Memory::any, "copy-refuses-good-address",
        "a copy to or from good memory fails"},
    Row{Symptom::refused, kFork, Where::any, Memory::any, "fork-fails", "fork fails though there is memory"},
    Row{Symptom::refused, kExec, Where::any, Memory::any, "exec-fails", "exec fails though there is memory"},
    Row{Symptom::refused, kSbrk, Where::any, Memory::any, "sbrk-refuses", "sbrk refuses what it must do"},

    Row{Symptom::accepted, kExec, Where::any, Memory::any, "exec-accepts-bad-program",
        "exec starts a program, or takes arguments, that it must refuse"},
    Row{Symptom::accepted, kFault, Where::read_only, Memory::any, "read-only-page-becomes-writable",
        "a store to a read-only page is let through"},
    Row{Symptom::accepted, kFault, Where::no_user, Memory::any, "guard-page-is-accessible",
        "an access to the guard page or another page of the kernel's is let through"},
    Row{Symptom::accepted, kFault, Where::any, Memory::any, "access-outside-memory-survives",
        "an access outside of the process's memory is let through"},
    Row{Symptom::accepted, kOut, Where::read_only, Memory::any, "copyout-ignores-write-right",
        "copyout writes to a page that the user may not write"},
    Row{Symptom::accepted, kOut, Where::no_user, Memory::any, "copyout-accepts-no-user",
        "copyout accepts a page without PTE_U"},
    Row{Symptom::accepted, kOut, Where::any, Memory::any, "copyout-accepts-outside-memory",
        "copyout accepts an address outside of the process's memory"},
    Row{Symptom::accepted, kIn | kString, Where::no_user, Memory::any, "copyin-accepts-no-user",
        "copyin accepts a page without PTE_U"},
    Row{Symptom::accepted, kIn | kString, Where::any, Memory::any, "copyin-accepts-outside-memory",
        "copyin accepts an address outside of the process's memory"},
    Row{Symptom::accepted, kSbrk, Where::any, Memory::any, "sbrk-accepts-bad-break",
        "sbrk accepts a break that it must refuse"},

    Row{Symptom::wrong_bytes, kOut, Where::any, Memory::refused, "copyout-goes-on-without-memory",
        "copyout goes on without memory for the copy, and writes elsewhere"},
    Row{Symptom::wrong_bytes, kOut, Where::read_only, Memory::any, "copyout-writes-read-only-page",
        "copyout writes to a read-only page"},
    Row{Symptom::wrong_bytes, kOut, Where::shared, Memory::any, "copyout-writes-shared-frame",
        "copyout writes to a copy-on-write page wrongly"},
    Row{Symptom::wrong_bytes, kFault, Where::shared, Memory::any, "cow-copy-wrong",
        "the copy of a copy-on-write page has the wrong bytes"},
    Row{Symptom::wrong_bytes, kTouches, Where::reserved, Memory::any, "lazy-page-not-zeroed",
        "a lazily allocated page is not zeroed, or has lost its bytes"},
    Row{Symptom::wrong_bytes, kTouches, Where::any, Memory::any, "copy-has-wrong-bytes",
        "memory has the wrong bytes after an access"},
    Row{Symptom::wrong_bytes, kFork, Where::any, Memory::any, "fork-loses-bytes",
        "fork loses pages or bytes of the child, or of the parent"},
    Row{Symptom::wrong_bytes, kSbrk, Where::any, Memory::any, "sbrk-loses-bytes",
        "sbrk changes bytes that it must leave alone, or gives memory that is not zero"},
    Row{Symptom::wrong_bytes, kExec, Where::any, Memory::any, "exec-loses-bytes",
        "exec gives the program the wrong bytes, or changes another's"},
    Row{Symptom::wrong_bytes, kEnd, Where::any, Memory::any, "end-changes-bytes",
        "the end of a process changes another's bytes"},

    Row{Symptom::wrong_rights, kFork, Where::any, Memory::any, "fork-gives-wrong-rights",
        "fork gives pages the wrong rights"},
    Row{Symptom::wrong_rights, kSbrk, Where::any, Memory::any, "sbrk-leaves-pages-mapped",
        "sbrk leaves pages mapped that it took back, or with the wrong rights"},
    Row{Symptom::wrong_rights, kTouches, Where::bad, Memory::any, "bad-access-maps-page",
        "an access that must be refused maps a page"},
    Row{Symptom::wrong_rights, kTouches, Where::any, Memory::any, "fresh-page-has-wrong-rights",
        "the page made by a fault or a copy has the wrong rights"},

    Row{Symptom::writable_shared, kFork, Where::any, Memory::any, "fork-leaves-shared-page-writable",
        "fork leaves a shared page writable"},
    Row{Symptom::writable_shared, kTouches, Where::any, Memory::refused, "writable-without-a-copy",
        "a shared page becomes writable though there is no memory for its copy"},
    Row{Symptom::writable_shared, kTouches, Where::any, Memory::any, "shared-page-becomes-writable",
        "a store makes a page writable that others still share"},

    Row{Symptom::kept, kFork, Where::any, Memory::refused, "fork-error-path-keeps-references",
        "a fork that fails keeps what it had taken"},
    Row{Symptom::kept, kFork, Where::any, Memory::any, "fork-counts-too-often", "fork counts or takes too much"},
    Row{Symptom::kept, kTouches, Where::shared, Memory::any, "cow-copy-keeps-old-reference",
        "a store to a copy-on-write page does not drop its old reference"},
    Row{Symptom::kept, kSbrk, Where::any, Memory::refused, "failed-sbrk-keeps-pages",
        "an sbrk that fails keeps the pages that it had taken"},
    Row{Symptom::kept, kSbrk, Where::any, Memory::any, "sbrk-leaks", "sbrk does not give all memory back"},
    Row{Symptom::kept, kExec, Where::any, Memory::refused, "exec-error-path-leaks",
        "an exec that fails keeps what it had taken"},
    Row{Symptom::kept, kExec, Where::any, Memory::any, "exec-leaks", "exec does not give all memory back"},
    Row{Symptom::kept, kTouches, Where::any, Memory::any, "call-leaks", "memory is lost in a fault or a copy"},
    Row{Symptom::kept, kEnd, Where::any, Memory::any, "exit-leaks",
        "the end of a process does not give all its memory back"},

    Row{Symptom::freed_early, kFork, Where::any, Memory::refused, "fork-error-path-frees-parents-frame",
        "a fork that fails frees frames that are in use"},
    Row{Symptom::freed_early, kFork, Where::any, Memory::any, "fork-does-not-count",
        "fork does not count references, or frees frames that are in use"},
    Row{Symptom::freed_early, kTouches, Where::any, Memory::refused, "count-dropped-before-the-copy",
        "a reference is dropped before there is memory for the copy"},
    Row{Symptom::freed_early, kTouches, Where::any, Memory::any, "cow-copy-frees-shared-frame",
        "a fault or a copy frees a frame that is in use"},
    Row{Symptom::freed_early, kSbrk, Where::any, Memory::any, "sbrk-frees-frame-in-use",
        "sbrk frees a frame that is in use"},
    Row{Symptom::freed_early, kExec, Where::any, Memory::any, "exec-frees-frame-in-use",
        "exec frees a frame that is in use"},
    Row{Symptom::freed_early, kEnd, Where::any, Memory::any, "exit-frees-frame-in-use",
        "the end of a process frees a frame that is in use"},

    Row{Symptom::not_lazy, kFork, Where::any, Memory::any, "fork-is-not-lazy",
        "fork copies, maps or drops pages that it should share or leave alone"},
    Row{Symptom::not_lazy, kSbrk, Where::any, Memory::any, "sbrk-is-not-lazy",
        "sbrk maps pages, or leaves them out, against its promise"},
    Row{Symptom::not_lazy, kTouches, Where::any, Memory::any, "sole-owner-copies",
        "more memory is used than was promised"},
    Row{Symptom::lab_not_done, kFork, Where::any, Memory::any, "copy-on-write-not-implemented",
        "copy-on-write is not implemented"},
    Row{Symptom::lab_not_done, kSbrk, Where::any, Memory::any, "lazy-allocation-not-implemented",
        "lazy allocation is not implemented"},
    Row{Symptom::child_lost, kAny, Where::any, Memory::any, "wait-loses-child",
        "wait does not find a child that has ended"},
    Row{Symptom::stale, kAny, Where::any, Memory::any, "sfence-missing",
        "a page table is changed without sfence.vma: the old translation is still used"},
    Row{Symptom::wrong_result, kSbrk, Where::any, Memory::any, "sbrk-returns-wrong-break",
        "sbrk does not return the old break"},
    Row{Symptom::break_wraps, kAny, Where::any, Memory::any, "break-wraps",
        "the break wraps: it is computed or kept in 32 bits"},
    Row{Symptom::break_below_zero, kSbrk, Where::any, Memory::any, "break-below-zero",
        "sbrk takes the break below zero"},
    Row{Symptom::break_moved_twice, kSbrk, Where::any, Memory::any, "break-moved-twice", "sbrk moves the break twice"},
    Row{Symptom::break_moved_by_failure, kSbrk, Where::any, Memory::any, "failed-sbrk-moves-the-break",
        "an sbrk that returns -1 moves the break"},
    Row{Symptom::wrong_break, kSbrk, Where::any, Memory::any, "sbrk-moves-break-wrongly",
        "sbrk leaves the break elsewhere than it says"},
    Row{Symptom::wrong_break, kFork, Where::any, Memory::any, "fork-gives-wrong-break",
        "fork gives the child another break than its parent's"},
    Row{Symptom::wrong_break, kExec, Where::any, Memory::any, "exec-keeps-the-break",
        "exec leaves the break elsewhere than at the end of the new program"},
};

constexpr std::array<std::string_view, 20> kSymptoms{"dies",
                                                     "never-ends",
                                                     "kills",
                                                     "refuses",
                                                     "accepts",
                                                     "wrong-result",
                                                     "wrong-bytes",
                                                     "wrong-rights",
                                                     "writable-shared",
                                                     "keeps",
                                                     "frees-early",
                                                     "not-lazy",
                                                     "loses-child",
                                                     "stale",
                                                     "lab-not-done",
                                                     "wraps-break",
                                                     "break-below-zero",
                                                     "moves-break-twice",
                                                     "moves-break-in-failure",
                                                     "wrong-break"};
constexpr std::array<std::string_view, 9> kWays{"fault", "copyin", "copyout", "copyinstr", "fork",
                                                "exec",  "sbrk",   "end",     "call"};

}  // namespace

Cause cause_of(run::Family const& family) {
    run::Symptom const symptom = family.symptom;
    if (family.advice) return {"store-takes-a-frame-too-many", "a store takes a frame that it does not need"};
    std::string_view const way = kWays[static_cast<std::size_t>(family.way)];
    // What goes wrong only where two steps overlap is a race, whatever it does.
    if (family.circumstances.overlapped) {
        bool const counts = symptom == Symptom::kept || symptom == Symptom::freed_early;
        return counts ? Cause{"race-in-frames", "frames or their counts are not changed atomically"}
                      : Cause{fmt::format("race-{}", kSymptoms[static_cast<std::size_t>(symptom)]),
                              "two processes at a time disturb each other"};
    }
    for (Row const& row : kRows)
        if (row.symptom == symptom && (row.ways & bit(family.way)) != 0 &&
            is_there(row.where, family.circumstances.grounds) &&
            (row.memory == Memory::any || family.circumstances.refused))
            return {std::string(row.id), std::string(row.title)};
    return {fmt::format("new-{}-{}", kSymptoms[static_cast<std::size_t>(symptom)], way),
            "a mistake that vmcheck has no name for", false};
}

NamedCauses named_causes() {
    NamedCauses named{{}, kSymptoms.size()};
    for (Row const& row : kRows) named.all.push_back({std::string(row.id), std::string(row.title)});
    return named;
}

}  // namespace vmcheck
