#pragma once
// A finding: a failure that was shrunk, reproduced from a fresh boot, and has its evidence with it. One value, from
// which every report is made.

#include "checker/run/effort.h"
#include "checker/run/result.h"
#include "impl/target.h"
#include "spec/observation.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::report {

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

struct Evidence {
    std::optional<PageTable> pages;      // where the violation is about a page
    std::optional<spec::Address> place;  // the same address as the violation's, relative to the region that it lies in
    std::optional<VirtAddr> heap_start;  // `heap` in this kernel's layout: what results of sbrk are relative to
    // sbrk takes the second argument of 2025, and the kernel's profile is to give no memory before its touch: a step
    // that leaves it to the profile is then an sbrklazy().
    bool sbrk_by_profile_is_lazy = false;
    KernelTrace trace;                                   // of the failing step
    std::string console;                                 // what the kernel printed last
    std::vector<FailedAllocation> failed_allocations{};  // the first of each step that had one
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
    State state = State::not_tried;
    std::string how;  // what was seen, or why it could not be tried; part of a sentence
};
std::string_view to_string(QemuVerdict::State state);  // "confirmed", "not confirmed", "could not be tried"
std::string describe(QemuVerdict const& verdict);      // "confirmed: the kernel panics: remap"

struct Finding {
    run::Signature signature;
    Severity severity = Severity::defect;
    run::Divergence divergence;
    spec::Program program;                 // shrunk; ends with the failing step
    std::vector<run::StepRecord> records;  // one for each step
    spec::Program original;                // as generated
    run::Mode mode = run::Mode::plain;     // of the campaign, that brought it
    std::uint64_t case_index = 0;          // among the programs of that mode
    std::uint64_t seen = 0;                // programs of the campaign that failed so, or as in `also`
    std::vector<run::Signature> also;      // other signatures that went the same way through the kernel
    std::uint32_t shrink_executions = 0;
    bool shrink_exhausted = false;
    std::uint32_t reproduced = 0;  // of `attempts` runs after a fresh boot
    std::uint32_t attempts = 0;
    Evidence evidence;
    std::optional<QemuVerdict> on_qemu{};  // nothing: nobody asked for it
};

// Boots the kernel anew and runs the failing program on it `attempts` times, the last time with all evidence.
// Fills program, records, divergence, evidence, reproduced and attempts of a finding with the given signature, which is
// advice or a defect.
tl::expected<Finding, BootError> confirm(Target const& target, spec::Program const& program, run::Signature signature,
                                         bool advice = false, std::uint32_t attempts = 3);

}  // namespace vmcheck::report
