#pragma once
// A finding: a failure that was shrunk, reproduced from a fresh boot, and has its evidence with it; and what a session
// with one kernel came to. These values hold facts. Every report is made from them alone, and adds the words.

#include "checker/run/effort.h"
#include "checker/run/result.h"
#include "impl/target.h"
#include "spec/observation.h"

#include <tl/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck {

// How one process maps a page that the finding is about; one row of the report's page table.
struct PageRow {
    spec::ProcId process;
    bool zombie = false;
    bool mapped = false;
    spec::ObservedPage page{};            // where mapped
    std::uint64_t references = 0;         // PTEs of all processes that map the frame for the user
    std::optional<std::int64_t> count{};  // the kernel's own
    std::optional<bool> on_free_list{};
};

struct PageTable {
    Vpn page;
    std::vector<PageRow> before;  // the failing step
    std::vector<PageRow> after;   // empty where the machine can not be looked at any more
};

// An allocation that failed in a step of the program: made to, or because no frame was free.
struct FailedAllocation {
    spec::StepIndex at;
    CodePlace caller;  // of the kernel's allocator
};

// Who last changed what the violation is about before it was seen, or first read it in the failing step.
struct LastAccess {
    enum class Of : std::uint8_t {
        entry,           // a page's
        count,           // of references to its frame
        byte,            // itself
        program_break,   // as the kernel keeps it
        entry_of_lost,   // that referred to a frame which is lost now
        table_of_lost,   // the page table that it was part of, or mapped by
        count_of_lost,   // the count of references to it
        content_of_lost  // what lies in it
    };
    Of of = Of::entry;
    spec::StepIndex at;
    std::vector<CodePlace> stack;         // the line, then who had called that, innermost first
    std::optional<spec::ProcId> whose{};  // of an entry, a table or a break
};

// In how many programs each line ran that the finding's program runs: of those that fail as it does, and of near
// neighbours that do not.
struct Spectrum {
    struct Line {
        CodePlace place;
        std::uint32_t failing = 0;  // at least one
        std::uint32_t passing = 0;
    };
    std::uint32_t failing = 0;
    std::uint32_t passing = 0;
    std::vector<Line> lines;  // the most suspicious first
};
// From 0 to 1, after Ochiai (Abreu, Zoeteweij, van Gemund, "On the Accuracy of Spectrum-based Fault Localization",
// 2007).
double suspiciousness(Spectrum const& spectrum, Spectrum::Line const& line);

// An argument of the shrunk program that does not matter: with each other value that was tried, everything else being
// as it is, the program fails at the same step in the same way.
struct FreeArgument {
    enum class Of : std::uint8_t { address, value, length, amount, status };
    spec::StepIndex at;
    Of of;
    // Between which the values lie; of an address, which stays in its page, relative to its anchor.
    std::int64_t least = 0, greatest = 0;
    std::uint32_t tried = 0;  // other values
    friend bool operator==(FreeArgument const&, FreeArgument const&) = default;
};
std::string_view to_string(FreeArgument::Of of);  // "address", "value", "length", "amount", "status"

// A line of the kernel's source.
struct SourceText {
    std::string file;
    unsigned line = 0;
    std::string text;  // without the spaces around it; of a brace alone, with the line above
};

// How the shrunk program was played: the orders that its processes were given, and which was the first of each step.
struct Played {
    std::vector<Deed> deeds{};
    std::vector<std::size_t> begins{};
    std::optional<std::uint64_t> free_before{}, free_after{};  // frames
    std::optional<spec::WrongTotal> wrong_total{};
    // How many frames fewer should be free after it, as far as frames were counted.
    std::optional<std::int64_t> free_frames_lost() const;
};

struct Evidence {
    std::optional<PageTable> pages;      // where the violation is about a page
    std::optional<spec::Address> place;  // the same address as the violation's, relative to the region that it lies in
    std::optional<VirtAddr> heap_start;  // `heap` in this kernel's layout: what results of sbrk are relative to
    KernelTrace trace;                   // of the failing step
    std::string console;                 // what the kernel printed last
    std::vector<FailedAllocation> failed_allocations{};  // the first of each step that had one
    std::vector<CodePlace> died_by{};                    // the way to where the kernel panicked, innermost first
    // Nothing: it was not, in this program, or it is about no such thing.
    std::optional<LastAccess> written{};
    // Who last raised the count of the frame that is lost.
    std::optional<LastAccess> raised{};
    // In the failing step, where that let somebody through whom the entry forbids it.
    std::optional<LastAccess> read{};
    Spectrum spectrum{};               // empty where interrupts or several harts play a part
    std::vector<FreeArgument> free{};  // empty where interrupts or several harts play a part
    std::vector<SourceText> source{};  // of the lines above, where the tree is at hand
    Played played{};
};

// A defect breaks an invariant. Advice is legal by the lab's text, but poor; it never fails a kernel.
enum class Severity : std::uint8_t { defect, advice };
std::string_view to_string(Severity severity);  // "defect", "advice"

// What became of the finding's repro.c on QEMU, on the same kernel image (checker/qemu/).
struct QemuVerdict {
    enum class State : std::uint8_t {
        confirmed,      // a correct kernel does not do that
        not_confirmed,  // the program printed PASS
        not_tried,      // or it never came to run
    };
    enum class By : std::uint8_t { program, script };  // repro_c, repro_gdb
    State state = State::not_tried;
    std::string how;  // what was seen, or why it could not be tried; part of a sentence
    By by = By::program;
};
std::string_view to_string(QemuVerdict::State state);  // "confirmed", "not confirmed", "could not be tried"
std::string describe(QemuVerdict const& verdict);      // "confirmed: the kernel panics: remap"

struct Finding {
    run::Signature signature;
    run::Family family;  // of the shrunk program
    Severity severity = Severity::defect;
    run::Divergence divergence;
    // Shrunk; ends with the failing step. Where the kernel must be told when sbrk's memory is to come, each sbrk tells
    // it.
    spec::Program program;
    std::vector<run::StepRecord> records;  // one for each step
    spec::Program original;                // as generated
    run::Mode mode = run::Mode::plain;     // of the campaign, that brought it
    std::uint64_t case_index = 0;          // among the programs of that mode
    std::uint64_t seen = 0;                // runs of the campaign that failed so, or as in `also`
    std::vector<run::Signature> also;      // other signatures that went the same way through the kernel
    std::vector<CodePlace> also_at{};      // lines that those say to look at, where this one does not
    std::uint32_t shrink_executions = 0;
    bool shrink_exhausted = false;
    std::uint32_t reproduced = 0;  // of `attempts` runs after a fresh boot
    std::uint32_t attempts = 0;    // 0: it was cut short before there was time for one
    Evidence evidence;
    // The C source of a user program that shows it (checker/repro/), or why there is none, as part of a sentence.
    tl::expected<std::string, std::string> repro_c{};
    // The same by a script for GDB (checker/qemu/script.h).
    tl::expected<std::string, std::string> repro_gdb = tl::unexpected<std::string>("nobody asked for it");
    std::optional<QemuVerdict> on_qemu{};  // nothing: nobody asked for it
};

// True where the finding came back on the freshly booted kernel; what did not, or had no time to, has no violation and
// no evidence.
bool is_solid(Finding const& finding);

// One kernel: what was done to it and what was found.
struct SessionResult {
    TargetSummary kernel;
    std::uint64_t seed = 0;
    run::Counts counts;
    Coverage coverage{};  // of all programs, the boot, and what was tried before them
    bool interrupted = false;
    std::vector<spec::Violation> boot_violations;  // of a kernel that is wrong before anything was asked of it
    std::size_t families = 0;                      // different failures seen; at least findings.size()
    std::vector<Finding> findings;
    std::shared_ptr<std::vector<std::byte> const> disk{};  // for the scripts for GDB
};

// Why a command ends before it has come to a result.
struct Stop {
    enum class Cause : std::uint8_t {
        usage,        // arguments, files that are not there or cannot be read
        machine,      // this machine or the emulator is at fault: a disk that is full, a tool that is missing
        build,        // the tree's kernel does not build
        boot,         // the kernel does not boot
        unsupported,  // it is none that vmcheck can boot
        interrupted,  // by the user, before there was anything to report
    };
    Cause cause;
    std::string message;                 // a sentence or two, which do not name what `about` does
    std::string about{};                 // a file or tree; empty where the message names it, or is about none
    std::vector<std::string> details{};  // what a compiler said to it, line by line
    std::vector<base::Link> left_out{};  // links that lead out of the tree
};
std::string_view to_string(Stop::Cause cause);  // "build"
// The cause with that name; nothing for any other word.
std::optional<Stop::Cause> parse_cause(std::string_view name);

// ---- the order of findings: what a student should look at first

// From the gravest down.
enum class Rank : std::uint8_t {
    corruption,    // the kernel panics or hangs, or memory is used after it was freed
    isolation,     // a process reaches, changes or loses memory in a way that it must not
    wrong_result,  // a wrong return value, a legal access killed, a wild one let through
    leak,          // frames that never come back
    laziness,      // right, but with more memory than was promised
};
std::string_view to_string(Rank rank);  // "corruption", "isolation", "wrong result", "leak", "laziness"

// By the invariant alone: before there is any evidence.
Rank rank_of(spec::Invariant invariant);
// A count that is too high leaks (I4), one that is too low corrupts: the evidence says which. Advice is of what is
// right and could do with less.
Rank rank_of(Finding const& finding);

// Defects before advice, what shows in plain programs before what takes two steps at a time, then by rank, then by the
// case that showed it.
void sort_by_rank(std::vector<Finding>& findings);

}  // namespace vmcheck
