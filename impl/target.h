#pragma once
// The kernel under test as a black box with windows. Nothing above this line knows Unicorn, ELF or DWARF; a test can
// implement it in a few lines over anything that runs programs.
//
//     auto execution = target.start();                  // one for each worker thread
//     (*execution)->reset();                            // p0 alone, right after boot
//     StepResult done = (*execution)->run(step, pages); // really done by a process of the kernel
//     Observation seen = (*execution)->observe();       // and looked at from outside

#include "impl/base/error.h"
#include "impl/base/files.h"
#include "spec/layout.h"
#include "spec/observation.h"
#include "spec/overlap.h"
#include "spec/program.h"
#include "spec/violation.h"

#include <tl/expected.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace vmcheck {

// A place in the kernel's source. `file` is empty and `line` 0 where there is no debug information.
struct CodePlace {
    std::string function;
    std::string file;
    unsigned line = 0;
    friend bool operator==(CodePlace const&, CodePlace const&) = default;
};

// What the kernel executed in the latest step, where it was recorded.
struct KernelTrace {
    std::vector<CodePlace> functions;      // in order of first entry
    std::optional<CodePlace> last;         // where it was at the end, or when it died; the panic's caller for a panic
    std::set<std::string> of_allocator{};  // of these, those that ran in the frame allocator and nowhere else
};

// A few bytes of the kernel's memory, at most 8.
struct Word {
    PhysAddr at;
    std::uint64_t bytes = 0;
};

// Of a word that is watched.
struct Access {
    std::uint64_t when = 0;       // a number that rises from each to the next
    std::vector<VirtAddr> stack;  // the instruction, then the calls that led there, innermost first
};
struct WordAccesses {
    // Of changes, of those to a greater number, of reads by the kernel.
    std::optional<Access> first_write{}, last_write{}, last_rise{}, first_read{};
};

// What came of a step.
struct StepResult {
    spec::Outcome outcome;
    spec::FrameCensus before;  // the free frames before it
};

// What came of two steps that overlap.
struct Overlap {
    spec::PairOutcome outcome;
    spec::FrameCensus before{};  // the free frames before both
    bool reached = false;        // the second began before the first had ended
};

// One order that a process of the kernel was given, as registers say it (impl/abi/agent_abi.h).
struct Deed {
    // Where it was when the process that is meanwhile got its turn, and how often it had come there.
    struct Stop {
        VirtAddr at;
        std::uint32_t passes = 1;
        std::vector<CodePlace> places{};  // of functions that were compiled into one another, the innermost first
    };
    spec::ProcId actor;
    std::uint64_t kind = 0;
    std::uint64_t call = 0;  // a7
    std::array<std::uint64_t, 3> arguments{};
    std::optional<std::uint32_t> oom{};   // which allocation from here on was made to fail
    std::optional<spec::ProcId> child{};  // whom it forks
    bool restarts = false;                // it is an exec
    bool meanwhile = false;               // begun while another's was at work
    std::optional<Stop> stop{};
};

// Where things are in the kernel, for another debugger than the board; what is not known is empty.
struct Anatomy {
    struct Counts {
        PhysAddr base;
        std::uint64_t bytes = 0, stride = 0;
        bool is_signed = false;
        bool behind_pointer = false;
        std::uint64_t offset = 0;  // behind it
        FrameNo first;             // what element 0 counts
        std::int64_t for_one = 1;  // as it stands for one reference
    };
    std::optional<VirtAddr> panic{}, allocate{};
    std::vector<PhysAddr> free_lists{};  // their heads
    std::optional<Counts> counts{};
    // What p0 does before any program, and whoever waits: as numbers of this kernel's calls.
    std::uint64_t pipe = 0, open = 0, exec = 0, sleep = 0, sbrk = 0, wait = 0;
    std::shared_ptr<std::vector<std::byte> const> disk{};  // that it boots from; null where nothing is known at all
};

// A moment of one machine, kept: what Execution::save() returns.
class Moment {
  public:
    Moment() = default;
    Moment(Moment const&) = delete;
    Moment& operator=(Moment const&) = delete;
    virtual ~Moment() = default;
};

// What came of a step, and where a timer interrupt would have been taken in it: values for Faults::preempt, ascending,
// one for each place.
struct WatchedStep {
    StepResult result;
    std::vector<std::uint32_t> interruptions;
    std::uint32_t blocks = 0;  // how long it took: values of Faults::switch_hart below this have an effect
};

// One machine with the kernel on it. Used by one thread at a time.
class Execution {
  public:
    Execution() = default;
    Execution(Execution const&) = delete;
    Execution& operator=(Execution const&) = delete;
    virtual ~Execution() = default;

    // Back to p0 alone, right after boot.
    virtual void reset() = 0;
    // The same, but only so many frames are free: other processes hold the rest (spec/layout.h). Without a window on
    // the free list it may be a few more or fewer, but always the same. Fails with a sentence where this kernel cannot
    // be brought there.
    virtual tl::expected<void, std::string> reset_to(std::uint32_t free_frames) = 0;
    // The same as reset(), on a machine with so many harts, 2 or 3. Fails with a sentence where this kernel does not
    // come up there.
    virtual tl::expected<void, std::string> reset_on(std::uint32_t harts) = 0;

    // Keeps the machine as it stands. Costs time and memory in proportion to the pages written since reset().
    virtual std::unique_ptr<Moment const> save() = 0;
    // Back to a moment that this execution saved; may follow anything.
    virtual void restore(Moment const& moment) = 0;

    // Has the step done by its actor. All addresses in `step` must be absolute (ground() in spec/walk.h).
    // `pages`: how many pages the address spaces span, the step's own growth included; a correct kernel may take time
    // in proportion to it, and one that takes much longer is not waited for (Unfinished). REQUIRES: the actor is alive;
    // after a mishap (spec/observation.h) only reset() or restore() may follow.
    virtual StepResult run(spec::Step const& step, std::uint64_t pages) = 0;

    // Has two steps done that overlap: the second begins when the first is interrupted (Faults::preempt), sleeps, or
    // another hart gets its turn (Faults::switch_hart), and after it where nothing of this comes about; the first then
    // goes on, at the latest when the second has ended or sleeps.
    // REQUIRES: as for run(), and !why_not_together().
    virtual Overlap run_overlapping(spec::Pair const& pair, std::uint64_t pages) = 0;

    // As run(), and says how long the step takes and where a timer interrupt would be taken in it. Costs time.
    virtual WatchedStep run_watched(spec::Step const& step, std::uint64_t pages) = 0;

    // A picture of the machine; valid until the next run() or reset().
    virtual spec::Observation observe() = 0;

    // Whether to record what the kernel executes; off at first, since it costs time.
    virtual void record(bool on) = 0;
    // What was recorded in the latest step; empty where nothing was.
    virtual KernelTrace trace() = 0;

    // Of each line of source that was executed in the latest recorded step where its code begins, ascending; a line may
    // have several such places. Empty where there is no debug information.
    virtual std::vector<VirtAddr> lines() { return {}; }
    // What the code there belongs to: the innermost function that was compiled into it, then where that was called, and
    // so on outwards. Never empty.
    virtual std::vector<CodePlace> places_of(VirtAddr /*code*/) const { return {CodePlace{}}; }

    // The entry for a page in the page table with that root, and what the kernel counts references to a frame by, where
    // they lie now; nothing where there is none.
    virtual std::optional<Word> entry_of(FrameNo /*root*/, Vpn /*page*/) const { return std::nullopt; }
    virtual std::vector<Word> counts_of(FrameNo /*frame*/) const { return {}; }
    // Where the break of the process with that page table lies; nothing where that is not known.
    virtual std::optional<Word> break_of(FrameNo /*root*/) const { return std::nullopt; }
    // The frames on the free list now; empty where no list is known.
    virtual std::vector<FrameNo> free_frames() { return {}; }
    // From now on notes who changes or reads that word, too, for good: each instruction costs several times what it
    // did. To be called after reset() and the like.
    virtual void watch(Word /*word*/) {}
    // What was noted since the last call, of the words in the order in which watch() was given them.
    virtual std::vector<WordAccesses> take_accesses() { return {}; }
    // Whether to note the orders that processes are given, and where turns go over; off at first. Turning it on forgets
    // what was noted.
    virtual void note_deeds(bool /*on*/) {}
    virtual std::vector<Deed> deeds() const { return {}; }

    // How much of the kernel's code has run here before anywhere else on its target (Target::coverage), since this
    // execution began; in parcels of two bytes.
    virtual std::uint64_t fresh_code() const { return 0; }

    // From now on counts there how often the kernel went from one block of its code to another, by a hash of the two; a
    // counter stays at its most, and the same steps after the same reset() count the same. The counters must outlive
    // that; empty: no longer. To be called after reset() and the like.
    virtual void count_edges(std::span<std::uint8_t> /*counters*/) {}

    // From now on, or no longer, each trap drops all cached translations, as if the kernel executed sfence.vma there:
    // what fails without and not with it fails because a translation is used that the page table has no more.
    virtual void fence_at_traps(bool on) = 0;

    // Who asked for the frame that was refused in the latest step, the first where there were several; nothing where
    // none was.
    virtual std::optional<CodePlace> failed_allocation() const = 0;

    // The last lines that the kernel printed, at most `bytes` bytes.
    virtual std::string console_tail(std::size_t bytes) const = 0;

    // Set, and from then on for good, when the emulator itself has failed: a full sentence. The outcome of that step
    // says nothing about the kernel.
    virtual std::optional<std::string> engine_failure() const { return std::nullopt; }
};

// Why there is no kernel to test: a sentence or two, with what to do.
struct BootError {
    enum class Kind {
        kernel,       // it does not boot, or not far enough
        unsupported,  // it is none that vmcheck can boot
        machine,      // this machine or the emulator is at fault, not the kernel
    };
    std::string message;
    Kind kind = Kind::kernel;
    std::string about{};  // the file that the message is about, which then does not name it
    std::string sentence() const { return base::sentence(about, message); }
};

// What the user should know about the kernel before any result: one line each, ready to print.
struct TargetSummary {
    std::string name;       // the path as given
    bool as_found = false;  // the image is the tree's own, newer than its sources, and was not built from them
    std::string vintage;    // "2024 tree"; empty for kernels outside the xv6 family
    std::string profile;    // "cow fork, lazy sbrk"
    // What it does, where that is less than it is asked for: the lab was not done.
    std::optional<spec::Profile> instead{};
    bool nothing_counted = false;  // its fork copies, so it has no reference counts
    // System calls about memory that it has and no step uses.
    std::vector<std::string> never_called{};
    std::vector<std::string> advice{};   // what is legal, and may harm elsewhere
    std::vector<std::string> windows;    // what was found: "free list kernel::frames.head", ...
    std::vector<base::Link> left_out{};  // links that lead out of its tree: it was built without them
    std::vector<std::string> missing;    // what was not, with the reason and what is not checked for it
    // Defects that the bare tree of that vintage has as well: put up with, not counted.
    std::vector<std::string> inherited;
    // What probing saw that no kernel may do, and its vintage does not do by itself.
    std::vector<spec::Violation> wrong{};
    double boot_seconds = 0;
    std::uint64_t ram_bytes = 0;
    std::filesystem::path image{};  // the ELF file that was booted; there for as long as the target lives
    bool legacy_disk = false;       // it drives virtio's legacy register layout
};

// Which of the kernel's code has run since it booted, on whatever machine of a target.
struct Coverage {
    struct Line {
        unsigned number = 0;
        bool reached = false;
        bool only_panics = false;  // whoever comes there panics, which a correct kernel never does
    };
    struct Function {
        std::string name;
        std::string file;  // empty where there is no debug information, and no lines are known
        bool about_memory = false;
        bool reached = false;
        std::vector<Line> lines{};  // that have code, ascending
    };
    std::vector<Function> functions{};  // by file and line
};

class Target {
  public:
    Target() = default;
    Target(Target const&) = delete;
    Target& operator=(Target const&) = delete;
    virtual ~Target() = default;

    virtual std::shared_ptr<spec::Setting const> setting() const = 0;
    virtual TargetSummary const& summary() const = 0;

    virtual Anatomy anatomy() const { return {}; }
    // Until now.
    virtual Coverage coverage() const { return {}; }

    // A machine of its own, at the state right after boot. May be called from any thread.
    virtual tl::expected<std::unique_ptr<Execution>, BootError> start() const = 0;

    // The same kernel booted once more from its first instruction, to be held to that profile: nothing is shared with
    // this target's machines. `stop` ends its boot, and whatever its machines are doing, for good.
    virtual tl::expected<std::unique_ptr<Target>, BootError> reboot(spec::Profile profile,
                                                                    std::stop_token stop) const = 0;
};

}  // namespace vmcheck
