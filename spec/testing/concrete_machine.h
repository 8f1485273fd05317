#pragma once
// A toy kernel over arrays: frames, page tables as maps, a free list, and the system calls that programs make, written
// in xv6's manner and without any of the model's code, so that it is a second opinion. Test-only.
//
//     ConcreteMachine machine{shared_setting(profile)};
//     auto const baseline = take_baseline(world, machine.observe());
//     FrameCensus const before = machine.census();
//     Outcome const outcome = machine.run(step);
//     auto after = advance(world, step, outcome, before);      // then settle() and inspect() with machine.observe()
//
// Defects can be planted, one for each way of breaking an invariant; and a correct kernel's liberties (Manners) can be
// chosen, to see that the model allows them. A machine is a value in all but the copying: save() and restore().

#include "spec/observation.h"
#include "spec/testing/concrete_frames.h"

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vmcheck::spec::testing {

enum class PlantedDefect : std::uint8_t {
    none,
    stale_cow_copy,              // I1: a store to a shared page gets a fresh frame without the old bytes
    uncleared_page,              // I1: sbrk hands out a frame with the last owner's bytes
    text_becomes_writable,       // I7: any write fault on a mapped page is taken for copy-on-write
    heap_becomes_executable,     // I2: the copy of a shared page gets every right
    guard_opened,                // I2: fork gives the guard page to the user
    parent_keeps_write,          // I3: fork clears W in the child's PTE only
    count_not_raised,            // I4: fork does not count the child's reference
    freed_while_shared,          // I5: a store to a shared page frees the old frame, whoever else maps it
    trapframe_freed_twice,       // I5: reaping a process puts its trapframe on the free list twice
    root_leaked,                 // I6: reaping a process forgets the root of its page table
    failed_fork_leaks,           // I6: fork that runs out of memory keeps what it had
    wrong_exit_status,           // I1: wait stores the low byte only
    wild_store_survives,         // I7: a store to nowhere is skipped instead of being fatal
    break_off_by_one,            // I7: the page just above the break is served to the first touch
    copyout_ignores_rights,      // I7: the kernel writes to read-only pages for the user
    copyout_shares_above_break,  // I1: above the break, it writes to shared pages as they are
    copyin_refuses_reserved,     // I7: the kernel does not know of reserved pages
    kill_spares,                 // I7: kill returns 0 and does nothing
    fork_copies,                 // I8: cow in name only
    sbrk_maps_at_once,           // I8: lazy in name only
    panic_on_wild_store,         // I9: instead of killing the process
    wait_sleeps,                 // I9: wait sleeps with a zombie at hand
    wait_forgets,                // I7: wait gives up the child whose status it cannot store
    panic_on_failed_allocation,  // I10
    failed_fork_kills,           // I10: fork that runs out of memory ends the caller instead of returning -1
    exec_copies_to_old_table,  // I7: the arguments go where the caller's table says, be the program as large as it may
    failed_exec_leaks,         // I6: exec of a bad file keeps what it had mapped
    survives_failed_allocation,  // I1: a fault that cannot be served is answered by going on without the store
};
inline constexpr std::size_t kPlantedDefects = static_cast<std::size_t>(PlantedDefect::survives_failed_allocation) + 1;

// Liberties of correct kernels. All false is the way of xv6.
struct Manners {
    bool zombies_keep_memory = true;             // a zombie's memory lives until it is waited for
    bool failed_copies_return_minus_1 = false;   // and not the bytes that went through
    bool out_of_memory_kills_in_copies = false;  // and not: the copy fails
    bool break_counts_in_pages = false;          // a first touch above the break, on its page, is served
    bool sbrk_takes_64_bits = false;
    bool sbrk_keeps_image = false;         // refuses to shrink below the heap's start
    bool sole_owner_copies = false;        // a store to a page that was shared copies even for the last owner
    bool wait_takes_newest = false;        // of several zombies
    bool buffers_are_made_ready = false;   // all of a buffer, before a byte of it is copied
    bool stores_end_at_the_break = false;  // a store to a shared page is refused above the break
    bool copies_end_at_the_break = false;  // so is a kernel's copy there, whether the page is mapped or not
};

class ConcreteMachine {
  public:
    explicit ConcreteMachine(std::shared_ptr<Setting const> setting, PlantedDefect defect = PlantedDefect::none,
                             Manners manners = {});
    ConcreteMachine(ConcreteMachine const&) = delete;
    ConcreteMachine& operator=(ConcreteMachine const&) = delete;
    ~ConcreteMachine();

    // Performs a step. REQUIRES: the actor runs (a model's why_not() said nothing).
    Outcome run(Step const& step);
    // Valid until the machine runs on.
    Observation observe() const;
    FrameCensus census() const { return FrameCensus{state_.frames.free_count()}; }

    struct Process {
        ProcId id;
        ProcId parent;
        std::uint64_t pid = 0;
        bool zombie = false;
        std::int32_t status = 0;
        std::uint64_t size = 0;  // the break, as xv6's p->sz
        Executable program = Executable::init;
        bool has_memory = true;  // false: a zombie whose memory is gone
        PageTable table;
        FrameNo trapframe;
    };
    struct State {
        Frames frames;
        std::map<ProcId, Process> processes;
        std::deque<std::byte> pipe;
        std::uint64_t next_pid = 2;
    };
    State save() const { return state_; }
    void restore(State state) { state_ = std::move(state); }

  private:
    class Memory;
    friend class Syscalls;

    std::shared_ptr<Setting const> setting_;
    PlantedDefect defect_;
    Manners manners_;
    State state_;
    std::unique_ptr<Memory> memory_;
};

}  // namespace vmcheck::spec::testing
