#pragma once
// What both sides speak about: what a step did (Outcome), and one picture of the concrete machine after it, in
// abstract words (Observation). Made by impl/, judged by advance.h and invariants.h. Knows no emulator.

#include "spec/address.h"
#include "spec/layout.h"
#include "spec/program.h"

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace vmcheck::spec {

// ---- what a step did

struct Returned {  // the actor goes on, with this in a0 (system call result, or loaded value; 0 for stores)
    std::uint64_t value = 0;
};
struct Restarted {};  // the actor goes on at the entry of a fresh image: exec succeeded
struct Ended {};      // the actor is no longer scheduled and is not asleep: it exited or was killed
struct Blocked {};    // the actor sleeps in the kernel
struct Panicked {     // the kernel stopped itself
    std::string message;
    std::string cause{};  // the exception that the kernel took itself, where that is why; for a reader
    // Where it died: the call of panic or the instruction that faulted, then who called that, as far as can be told.
    std::vector<VirtAddr> stack{};
};
// An exception that a hart took (RISC-V privileged spec, table "Supervisor cause register values after trap").
struct Exception {
    std::uint64_t cause = 0;
    VirtAddr value{};    // the address that it is about, as in stval
    std::string from{};  // the place in the kernel's code; empty where it came from user mode
};
struct Stuck {  // the step will never end: this is known, not guessed from the time that it takes
    enum class Why : std::uint8_t {
        same_trap,      // the process takes `exception` again and again, with the same registers
        circles,        // each hart comes back to the same place, with nothing changed, whatever interrupts it
        no_handler,     // `exception` went to machine mode, which has no handler
        asleep,         // every process sleeps, and no device or timer is due
        not_scheduled,  // `who` gets no turn, although every other process sleeps
        no_timer,       // nobody else can get a turn: the kernel has set no timer
    };
    Why why = Why::circles;
    std::string where{};                   // the place in the kernel's code, for a reader
    std::optional<Exception> exception{};  // also one that the kernel took itself before
    bool others_run = false;               // other processes still get their turns
    std::optional<ProcId> who{};
};
struct Unfinished {  // the step took longer than it is given, and may yet end: nothing is known
    std::string where{};
};
struct Lost {  // a process asked for orders that should not be there, or as someone it is not (registers corrupted)
    std::string what;
};

// What became of the actor, or of the machine.
using Completion = std::variant<Returned, Restarted, Ended, Blocked, Panicked, Stuck, Unfinished, Lost>;

struct Outcome {
    Completion what;
    bool child_started = false;            // fork: the child came up, with 0 from fork
    std::vector<ProcId> ended_others{};    // processes other than the actor that ended within the step (kill)
    std::uint32_t allocations_failed = 0;  // how many allocations were made to fail in this step (Faults::oom)
    bool allocator_dry = false;  // the kernel's allocator was seen to return 0 in this step without being made to
};

// Whether the kernel had to do without a frame that it asked for.
inline bool allocation_failed(Outcome const& outcome) {
    return outcome.allocations_failed > 0 || outcome.allocator_dry;
}

// Whether the machine can do no further step.
inline bool is_mishap(Completion const& what) {
    return std::holds_alternative<Panicked>(what) || std::holds_alternative<Stuck>(what) ||
           std::holds_alternative<Unfinished>(what) || std::holds_alternative<Lost>(what);
}
inline bool is_mishap(Outcome const& outcome) {
    return is_mishap(outcome.what);
}

// Free frames, counted on the kernel's own free list; nothing where no list is known.
struct FrameCensus {
    std::optional<std::uint64_t> free;
};

// ---- one picture of the machine

// A valid leaf PTE of a user page table. A and D bits are masked: hardware may set them at will.
struct ObservedPage {
    Vpn page;
    FrameNo frame;
    Rights rights;
    bool in_ram = true;  // false: the PTE points outside RAM
};

struct ObservedProcess {
    ProcId id;
    bool zombie = false;
    std::vector<ObservedPage> pages;    // ascending; every valid leaf, those without U included
    std::vector<FrameNo> table_frames;  // the frames of the page table itself, root first
    std::string broken{};  // why the table could not be walked to the end (a loop, a pointer outside RAM); else empty
    std::optional<std::uint64_t> brk{};  // the break, as the kernel keeps it (p->sz); nothing where that is not known
};

// Looks into the machine's RAM at the moment of the observation.
class MachineMemory {
  public:
    MachineMemory() = default;
    MachineMemory(MachineMemory const&) = delete;
    MachineMemory& operator=(MachineMemory const&) = delete;
    virtual ~MachineMemory() = default;

    // The bytes of a frame that lies in RAM. REQUIRES: the frame was observed with in_ram.
    virtual std::span<std::byte const, kPageBytes> bytes(FrameNo frame) const = 0;
    // Whether they are these: those who are asked after each step may remember it. REQUIRES: as above.
    virtual bool holds(FrameNo frame, Contents const& contents) const {
        return std::memcmp(bytes(frame).data(), contents->data(), kPageBytes) == 0;
    }
    // Whether the frame is on the kernel's free list; nothing where no list is known.
    virtual std::optional<bool> on_free_list(FrameNo frame) const = 0;
    // The kernel's own reference count of a frame, normalised so that n references read n; nothing where unknown.
    virtual std::optional<std::int64_t> reference_count(FrameNo frame) const = 0;
};

struct Observation {
    std::vector<ObservedProcess> processes;  // live ones by id, then zombies whose tables the kernel still holds
    // Ended processes that are in the process table; nothing where none is known, and zombies' memory is invisible.
    std::optional<std::vector<ProcId>> zombies{};
    FrameCensus census;
    std::string free_list_broken{};         // a cycle, a duplicate, an entry outside RAM; empty when the list is sound
    MachineMemory const* memory = nullptr;  // never null; valid until the machine runs on
};

}  // namespace vmcheck::spec
