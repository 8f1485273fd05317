#pragma once
// The numbered invariants (design: I1...I10), and what it means to break one: facts, from which reports make sentences
// (checker/report/).

#include "spec/address.h"
#include "spec/answer.h"
#include "spec/layout.h"
#include "spec/observation.h"
#include "spec/program.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vmcheck::spec {

enum class Invariant : std::uint8_t {
    contents = 1,      // I1: every readable byte of every process is the model's
    rights = 2,        // I2: U, R, X of each user PTE are the logical ones; W only where logically writable; no others
    isolation = 3,     // I3: a frame that a living process may write has no other living reference
    counts = 4,        // I4: the kernel's count of a frame = PTE references to it
    dangling = 5,      // I5: no mapped or page-table frame is on the free list; the list is sound
    conservation = 6,  // I6: free + reachable is constant; nothing leaks, failed calls included
    results = 7,       // I7: return values, exit statuses, who was killed
    laziness = 8,      // I8: each promise of the profile is kept: cow shares, lazy maps nothing until touched
    liveness = 9,      // I9: every step ends; the kernel never panics, hangs or faults in S-mode
    containment = 10,  // I10: a failed allocation fails that call or kills that process only
};
inline constexpr std::size_t kInvariants = 10;

std::string_view short_name(Invariant invariant);  // "I1"
std::string_view title(Invariant invariant);       // "contents"
std::string_view promise(Invariant invariant);     // the sentence beside each enumerator above

// ---- places

// One PTE that refers to a frame, for a reader.
struct Sharer {
    ProcId process;
    bool zombie = false;
    Address place;  // the page's start, relative to the region that it lies in
};
// All that refer to one frame: the first few by name.
struct Sharers {
    std::vector<Sharer> named;
    std::size_t all = 0;
};

// The address relative to the region that it lies in: {heap, 8}; absolute where it lies in none.
Address place_of(Layout const& layout, VirtAddr address);

// ---- I1 contents

struct NoPageTable {};  // of a process that should be running
struct PageLost {       // the PTE of a page with contents is not valid, or points outside RAM
    bool outside_ram = false;
};
struct WrongByte {
    std::byte expected{};
    std::byte seen{};
    Sharers sharers;  // of the page's frame
};

// ---- I2 rights

struct WrongRights {
    enum class What : std::uint8_t {
        outside_memory,  // U on a page that lies outside the process's memory
        guard_opened,    // U on the stack's guard page
        opened,          // U on another page that is not the user's
        user_lost,       // no U on a page of the user's
        gained_write,
        gained_execute,
        lost_execute,
        gained_read,
        lost_read,
    };
    What what = What::outside_memory;
    std::optional<Rights> expected;  // nothing: no PTE with U
    Rights seen;
};

// ---- I3 isolation, I4 reference counts

struct WritableShared {  // Violation::process and address are the writer's
    Sharers sharers;
    Rights seen;  // of the PTE that may write
};
struct WrongCount {
    std::int64_t expected = 0;  // PTEs that refer to the frame
    std::int64_t seen = 0;      // the kernel's count
    Sharers sharers;
};

struct UsyscallShared {  // Violation::process: whose pid the page below the trapframe holds, which others map as well
    Sharers sharers;
};

// ---- I5 no dangling, I6 conservation

// What a frame is used for.
struct FrameUse {
    enum class Role : std::uint8_t { table, saved_registers, memory };
    Role role = Role::memory;
    ProcId process;
    Address place;  // of memory
};
struct FreeListBroken {
    std::string why;  // as the window on it says
};
struct TableBroken {
    std::string why;
};
struct TwoRoles {  // one frame is both at once
    FrameUse first, second;
    std::size_t roles = 2;  // of that frame in all
};
struct FreeInUse {  // on the free list, and in use
    FrameUse use;
};
struct WrongTotal {  // of frames free or reachable: fewer than expected are leaked
    std::uint64_t expected = 0;
    std::uint64_t seen = 0;
};

// ---- I8 laziness

struct MappedEarly {  // nobody has touched the page
    Rights seen;
};
struct NotMapped {};  // below the break of an eager sbrk
struct Copied {       // by a fork that should share
    std::uint64_t frames = 0;
    ProcId original, copy;     // of the first of them; Violation::address is its page
    std::uint64_t shared = 0;  // pages that do share
};
// What the lab asks for is not there at all, as the first fork or sbrk shows.
struct LabNotDone {
    enum class Lab : std::uint8_t { copy_on_write, lazy_allocation };
    Lab lab = Lab::copy_on_write;
    std::uint64_t pages = 0;  // that fork copied, or that sbrk mapped at once
};

// ---- I7 results, I9 liveness, I10 containment

// In which way an answer is none of those allowed.
enum class Mistake : std::uint8_t {
    // of any step
    panicked,         // the kernel did
    init_killed,      // p0 was, and so the kernel panicked
    never_ended,      // Stuck
    slept,            // although nothing has to be waited for
    lost,             // the wrong process or wrong registers came back: Lost
    started_process,  // and is no fork
    ended_other,      // `other`, which had nothing to do with it
    did_not_return,   // a system call
    other_result,     // of a kind of step of which nothing more can be said
    // user accesses
    killed_though_legal,
    survived_though_fatal,
    did_not_complete,
    registers_changed,
    read_other_bytes,  // than were stored there
    fetch_changed_a0,
    sp_change_fatal,
    // fork
    fork_failed_but_child_runs,
    fork_failed,        // `in_use` of `limit` processes, and enough memory
    fork_beyond_table,  // of `limit` slots
    fork_returned_no_pid,
    fork_pid_in_use,  // `other` still has it
    fork_child_never_ran,
    // exit, wait, kill, exec
    exit_came_back,
    wait_found_nobodys_child,  // the process has none
    wait_found_no_zombie,      // where there is one
    wait_returned_no_child,    // the value is no child's pid
    wait_returned_the_living,  // `other` has not ended
    wait_stored_at_bad_address,
    killed_itself_and_lives,
    kill_of_zombie_wrong,  // neither 0 nor -1
    kill_of_zombie_ended_other,
    kill_did_not_find,  // `other`, which runs
    kill_left_alive,    // `other`
    kill_ended_others,  // beside `other`
    exec_neither,       // started nor returned -1
    exec_failed,        // with enough memory
    exec_of_large_failed,
    exec_started_broken,
    exec_took_bad_arguments,
    // sbrk
    sbrk_failed,            // although it had what it needs
    sbrk_accepted,          // a break that it must refuse
    sbrk_returned_neither,  // the old break nor -1
    // copies
    copy_failed_at_good_address,
    copy_returned_neither,  // 0 nor -1
    copyout_accepted,       // an address that must be refused
    copyin_accepted,
    took_less_than_given,
    counted_unreadable,
    counted_unwritable,
    read_of_nothing_not_zero,
    other_count_than_there_was,
    open_did_not_find,
    open_returned_neither,  // a descriptor nor -1
    open_found_missing,
    open_took_bad_path,  // that copyinstr must refuse
    // two steps that overlap
    sleeper_survived_kill,
    sleeper_sleeps_on_after_kill,
};

struct WrongBreak {  // Violation::process's break, which is what its next sbrk returns, is not where it should be
    enum class How : std::uint8_t {
        wraps,       // its low 32 bits are right
        below_zero,  // moved by an sbrk of more than there is
        twice,       // moved by twice as much
        failed,      // moved by an sbrk that returned -1, or had nothing to do
        other,
    };
    VirtAddr expected;
    std::uint64_t seen = 0;
    How how = How::other;
};
struct ChildLost {};  // Violation::process has ended and was not waited for, but is gone from the process table
struct WrongAnswer {
    Mistake mistake = Mistake::panicked;
    Step step;
    std::vector<Result> allowed;  // what a correct kernel does: expected_results()
    Outcome seen;
    std::optional<ProcId> other{};  // whom it is about, beside the actor
    std::size_t in_use = 0;         // of the process table's slots, and
    std::size_t limit = 0;          // how many there are
};

// ---- beside the invariants

// Advice: a store ended its process for want of a frame that it does not need (advice.h).
struct NeedlessKill {
    Step step;
    Outcome seen;
};
// Seen by probing right after boot: lazy sbrk lets the break pass the trapframe.
struct GrowsOverTrapframe {
    VirtAddr trapframe;
    std::uint64_t calls = 0;  // of sbrk with `bytes_each`, before the last one,
    std::uint64_t bytes_each = 0;
    VirtAddr from, to;  // which moved the break so
};

using Facts = std::variant<NoPageTable, PageLost, WrongByte, WrongRights, WritableShared, WrongCount, FreeListBroken,
                           TableBroken, TwoRoles, FreeInUse, WrongTotal, MappedEarly, NotMapped, Copied, LabNotDone,
                           ChildLost, WrongBreak, WrongAnswer, NeedlessKill, GrowsOverTrapframe, UsyscallShared>;

// One broken invariant.
struct Violation {
    Invariant invariant = Invariant::contents;
    std::optional<ProcId> process{};    // whose page or result, where it is one process's
    std::optional<VirtAddr> address{};  // which page or byte, where it is about memory
    std::optional<Address> place{};     // the same, relative to the region that it lies in
    Facts facts;
    std::size_t alike = 0;  // how many more of its kind it stands for
};

// Whether it is about what a step gave, rather than the state after it.
inline bool is_about_outcome(Violation const& violation) {
    return std::holds_alternative<WrongAnswer>(violation.facts) ||
           std::holds_alternative<NeedlessKill>(violation.facts);
}

}  // namespace vmcheck::spec
