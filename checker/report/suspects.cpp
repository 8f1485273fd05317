#include "checker/report/suspects.h"

#include "checker/report/escape.h"
#include "checker/report/step_words.h"
#include "spec/step_kinds.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

namespace vmcheck::report {

namespace {

// Functions by what they are for, the more telling ones first: xv6's names, then those that the reference kernel has
// for the same. A finding asks for topics in an order, by its kind of step and its invariant.
using Topic = std::span<std::string_view const>;
constexpr std::array<std::string_view, 7> kCopyAtFork = {
    "uvmcopy",     "AddressSpace::share_page", "AddressSpace::copy_page", "AddressSpace::fork", "fork", "kfork",
    "fork_process"};
constexpr std::array<std::string_view, 16> kPageFault = {"cowfault",
                                                         "cow_fault",
                                                         "cow_handler",
                                                         "cowhandler",
                                                         "cowcopy",
                                                         "cowalloc",
                                                         "cow_alloc",
                                                         "uvmcow",
                                                         "vmfault",
                                                         "lazyalloc",
                                                         "lazy_alloc",
                                                         "uvmlazy",
                                                         "AddressSpace::make_private",
                                                         "AddressSpace::map_zeroed",
                                                         "AddressSpace::resolve",
                                                         "AddressSpace::reserved"};
// Who sleeps until somebody wakes him, and who has to for a kill.
constexpr std::array<std::string_view, 10> kSleepers = {"piperead", "pipewrite",   "Pipe::read",     "Pipe::write",
                                                        "wait",     "kwait",       "wait_for_child", "kill",
                                                        "kkill",    "kill_process"};
constexpr std::array<std::string_view, 2> kTrap = {"usertrap", "user_trap"};
constexpr std::array<std::string_view, 3> kCopyOut = {"copyout", "AddressSpace::copy_out", "walkaddr"};
constexpr std::array<std::string_view, 3> kCopyIn = {"copyin", "AddressSpace::copy_in", "walkaddr"};
constexpr std::array<std::string_view, 3> kCopyString = {"copyinstr", "AddressSpace::copy_in_string", "walkaddr"};
// On the way from a system call to its copies: here bytes are counted, and addresses taken from registers. vmcheck's
// own program opens the file that it reads.
constexpr std::array<std::string_view, 13> kCalls = {"fileread", "filewrite", "filestat", "piperead",       "pipewrite",
                                                     "readi",    "writei",    "argaddr",  "either_copyout", "sys_pipe",
                                                     "sys_read", "sys_write", "sys_fstat"};
constexpr std::array<std::string_view, 4> kCallsWithPath = {"fetchstr", "argstr", "argaddr", "sys_open"};
constexpr std::array<std::string_view, 8> kHeap = {"sys_sbrk",
                                                   "growproc",
                                                   "uvmalloc",
                                                   "uvmdealloc",
                                                   "AddressSpace::grow",
                                                   "AddressSpace::shrink",
                                                   "AddressSpace::move_break",
                                                   "call_sbrk"};
constexpr std::array<std::string_view, 13> kAddressSpaceEnd = {"uvmunmap",
                                                               "freewalk",
                                                               "uvmfree",
                                                               "proc_freepagetable",
                                                               "freeproc",
                                                               "release_tables",
                                                               "AddressSpace::~AddressSpace",
                                                               "AddressSpace::unmap",
                                                               "exit",
                                                               "kexit",
                                                               "wait",
                                                               "kwait",
                                                               "wait_for_child"};
constexpr std::array<std::string_view, 5> kProgramImage = {"exec", "kexec", "exec_program", "loadseg",
                                                           "AddressSpace::add_image_page"};
constexpr std::array<std::string_view, 13> kFrames = {"kfree",
                                                      "kalloc",
                                                      "frame_add_reference",
                                                      "frame_release",
                                                      "frame_allocate",
                                                      "mappages",
                                                      "AddressSpace::map",
                                                      "walk",
                                                      "PageTable::find_or_create",
                                                      "PageTable::find",
                                                      "count_of",
                                                      "frame_references",
                                                      "put_on_free_list"};
// Small parts that everybody uses.
constexpr std::array<std::string_view, 13> kStock = {
    "kvminit",  "kvmmake",   "kvminithart", "kvmmap",   "uvmcreate",    "uvminit", "uvmfirst",
    "uvmclear", "freerange", "kinit",       "ismapped", "trapinithart", "PA2PTE"};

// All functions of kernel/*.c in the bare trees of 2020 to 2025.
constexpr std::string_view kBareTrees =
    " acquire acquiresleep alloc3_desc alloc_desc allocpid allocproc argaddr argfd argint argraw argstr balloc "
    "begin_op bfree bget binit bmap bpin bread brelse bunpin bwrite bzero clockintr commit consoleinit "
    "consoleintr consoleread consolewrite consputc copyin copyinstr copyout cpuid create devintr dirlink "
    "dirlookup either_copyin either_copyout end_op exec exit fdalloc fetchaddr fetchstr filealloc fileclose "
    "filedup fileinit fileread filestat filewrite flags2perm fork forkret free_chain free_desc freeproc "
    "freerange freewalk fsinit growproc holding holdingsleep ialloc idup iget iinit ilock initlock initlog "
    "initsleeplock install_trans iput ireclaim isdirempty ismapped itrunc iunlock iunlockput iupdate kalloc "
    "kerneltrap kexec kexit kfork kfree kill killed kinit kkill kvminit kvminithart kvmmake kvmmap kvmpa kwait "
    "loadseg log_write main mappages memcmp memcpy memmove memset mycpu myproc namecmp namei nameiparent namex "
    "panic pipealloc pipeclose piperead pipewrite plic_claim plic_complete plicinit plicinithart pop_off "
    "prepare_return printf printfinit printint printptr proc_freepagetable proc_mapstacks proc_pagetable "
    "procdump procinit push_off ramdiskinit ramdiskrw read_head readi readsb recover_from_log release "
    "releasesleep reparent safestrcpy sched scheduler setkilled skipelem sleep start stati strlen strncmp "
    "strncpy sys_chdir sys_close sys_dup sys_exec sys_exit sys_fork sys_fstat sys_getpid sys_kill sys_link "
    "sys_mkdir sys_mknod sys_open sys_pause sys_pipe sys_read sys_sbrk sys_sleep sys_unlink sys_uptime "
    "sys_wait sys_write syscall timerinit trapinit trapinithart uartgetc uartinit uartintr uartputc "
    "uartputc_sync uartstart uartwrite userinit usertrap usertrapret uvmalloc uvmclear uvmcopy uvmcreate "
    "uvmdealloc uvmfirst uvmfree uvminit uvmunmap virtio_disk_init virtio_disk_intr virtio_disk_rw vmfault "
    "wait wakeup wakeup1 walk walkaddr write_head write_log writei yield ";

// Where xv6 has what the labs on memory are about; its other files, where a function of the student's own may as well
// be of another lab.
constexpr std::array<std::string_view, 17> kOtherFiles = {
    "proc.c",   "bio.c",  "console.c", "file.c",      "fs.c",    "log.c",      "main.c",        "pipe.c",   "plic.c",
    "printf.c", "uart.c", "start.c",   "sleeplock.c", "swtch.S", "spinlock.c", "virtio_disk.c", "syscall.c"};

// Locks, printing, the way in and out of the kernel, scheduling: in every trace, and never what is wrong.
constexpr std::array<std::string_view, 65> kNoise = {
    "acquire",        "release",      "holding",         "push_off",   "pop_off",         "acquiresleep",
    "releasesleep",   "holdingsleep", "initlock",        "memset",     "memmove",         "memcpy",
    "memcmp",         "strncmp",      "strncpy",         "safestrcpy", "strlen",          "namecmp",
    "myproc",         "mycpu",        "cpuid",           "intr_on",    "intr_off",        "intr_get",
    "killed",         "is_killed",    "current_process", "uservec",    "userret",         "usertrapret",
    "prepare_return", "kernelvec",    "kerneltrap",      "devintr",    "clockintr",       "trampoline",
    "timervec",       "yield",        "sched",           "scheduler",  "swtch",           "switch_away",
    "switch_context", "wakeup",       "wake_all",        "sleep",      "forkret",         "process_begin",
    "printf",         "printptr",     "printint",        "consputc",   "uartputc_sync",   "return_to_user",
    "kernel_satp",    "kernel_trap",  "timer_interrupt", "argraw",     "fetchaddr",       "plic_claim",
    "plic_complete",  "uartintr",     "uartgetc",        "uartstart",  "virtio_disk_intr"};
constexpr std::array<std::string_view, 6> kNoiseOfTypes = {
    "SpinLock::", "SleepLock::", "FileRef::", "Console::", "Uart::", "Plic::"};

// These say nothing that the functions around them do not. The destructor of an address space stays: it gives memory
// back.
bool is_special_member(std::string_view name) {
    return name.find("operator") != std::string_view::npos || name == "PageTable::~PageTable";
}

std::string short_name(std::string_view symbol) {
    // Symbols and file names are a file's that nobody vouches for.
    std::string name = one_line(symbol);
    for (std::string_view part : {std::string_view{"(anonymous namespace)::"}, std::string_view{"kernel::"}})
        for (std::size_t at = name.find(part); at != std::string::npos; at = name.find(part))
            name.erase(at, part.size());
    return name;
}

CodePlace readable(CodePlace const& place) {
    return {short_name(place.function), one_line(place.file), place.line};
}

bool is_noise(std::string_view name) {
    // kernel/riscv.h's, by which registers are read and written.
    bool const is_register = name.starts_with("r_") || name.starts_with("w_") || name == "sfence_vma";
    return is_register || is_special_member(name) || std::find(kNoise.begin(), kNoise.end(), name) != kNoise.end() ||
           std::any_of(kNoiseOfTypes.begin(), kNoiseOfTypes.end(),
                       [&](std::string_view type) { return name.substr(0, type.size()) == type; });
}

bool is_of_bare_trees(std::string_view function) {
    return kBareTrees.find(fmt::format(" {} ", function)) != std::string_view::npos;
}

// xv6 is C.
bool is_students_own(CodePlace const& place) {
    return place.file.ends_with(".c") && !is_of_bare_trees(place.function);
}

// One of xv6's for arguments, descriptors, pipes and the file system. They ask others to decide about a page.
bool is_of_calls(CodePlace const& place) {
    constexpr std::array<std::string_view, 5> kMemory{"vm.c", "trap.c", "proc.c", "exec.c", "sysproc.c"};
    return place.file.ends_with(".c") && is_of_bare_trees(place.function) &&
           std::none_of(kMemory.begin(), kMemory.end(), [&](auto file) { return place.file.ends_with(file); });
}

bool is_of_allocator(Finding const& finding, std::string_view function) {
    auto const& names = finding.evidence.trace.of_allocator;
    return std::any_of(names.begin(), names.end(), [&](auto const& name) { return short_name(name) == function; });
}

// Whether it may be of another lab.
bool is_elsewhere(CodePlace const& place) {
    std::string_view file = place.file;
    file.remove_prefix(std::min(file.rfind('/') + 1, file.size()));
    return std::find(kOtherFiles.begin(), kOtherFiles.end(), file) != kOtherFiles.end();
}

spec::WrongAnswer const* answer_of(Finding const& finding) {
    auto const& violations = finding.divergence.violations;
    return violations.empty() ? nullptr : std::get_if<spec::WrongAnswer>(&violations.front().facts);
}

// The panic is that of every kernel whose first process ends, and not what is wrong.
bool is_inits_end(Finding const& finding) {
    auto const* answer = answer_of(finding);
    return answer != nullptr && answer->mistake == spec::Mistake::init_killed;
}

// The kernel panicked, or took an exception itself; what goes in circles has not died.
bool has_died(Finding const& finding) {
    if (!finding.evidence.trace.last || is_inits_end(finding)) return false;
    auto const* answer = answer_of(finding);
    auto const* stuck = answer ? std::get_if<spec::Stuck>(&answer->seen.what) : nullptr;
    return stuck == nullptr || (stuck->exception && !stuck->exception->from.empty());
}

// A call whose result is another number than it must be, rather than a failure or a success.
bool counts_wrongly(Finding const& finding) {
    using spec::Mistake;
    auto const* answer = answer_of(finding);
    if (answer == nullptr) return false;
    constexpr std::array kCounts = {Mistake::counted_unreadable, Mistake::counted_unwritable,
                                    Mistake::other_count_than_there_was, Mistake::read_of_nothing_not_zero,
                                    Mistake::copy_returned_neither};
    return std::find(kCounts.begin(), kCounts.end(), answer->mistake) != kCounts.end();
}

bool is_in(Topic topic, CodePlace const& place) {
    return std::find(topic.begin(), topic.end(), place.function) != topic.end();
}

bool have_any(std::vector<CodePlace> const& ran, Topic topic) {
    return std::any_of(ran.begin(), ran.end(), [&](CodePlace const& place) { return is_in(topic, place); });
}

// A call is to blame where it counts by itself, or fails before it comes to its copy.
std::vector<Topic> topics_of_copy(Finding const& finding, Topic copy, Topic call, std::vector<CodePlace> const& ran) {
    if (counts_wrongly(finding)) return {call, copy, kPageFault};
    // Who makes the page decides what is in it; whether the copy fails is a matter of the copy.
    run::Symptom const symptom = finding.family.symptom;
    bool const of_page = symptom != run::Symptom::refused && symptom != run::Symptom::accepted;
    if (of_page && have_any(ran, kPageFault)) return {kPageFault, copy};
    if (have_any(ran, copy)) return {copy, kPageFault};
    return {kPageFault, call};
}

std::vector<Topic> topics_of(Finding const& finding, std::vector<CodePlace> const& ran) {
    using spec::Way;
    if (auto const* answer = answer_of(finding);
        answer != nullptr && (answer->mistake == spec::Mistake::sleeper_survived_kill ||
                              answer->mistake == spec::Mistake::sleeper_sleeps_on_after_kill))
        return {kSleepers};
    switch (spec::way_of_kind(finding.signature.kind)) {
        case Way::fork:
            return {kCopyAtFork};
        case Way::sbrk:
            return {kHeap, kAddressSpaceEnd};
        case Way::exec:
            return {kProgramImage, kAddressSpaceEnd};
        case Way::copyin:
            return topics_of_copy(finding, kCopyIn, kCalls, ran);
        case Way::copyinstr:
            return topics_of_copy(finding, kCopyString, kCallsWithPath, ran);
        case Way::copyout:
            if (finding.signature.kind != spec::index_of<spec::Wait>())
                return topics_of_copy(finding, kCopyOut, kCalls, ran);
            [[fallthrough]];
        case Way::end: {
            // A wait reaps: a wrong status or pid is a matter of copying, lost memory one of freeing.
            spec::Invariant const invariant = finding.signature.invariant;
            bool const reaps = invariant == spec::Invariant::conservation || invariant == spec::Invariant::counts;
            if (finding.signature.kind != spec::index_of<spec::Wait>() || reaps) return {kAddressSpaceEnd, kCopyOut};
            return {kCopyOut, kAddressSpaceEnd};
        }
        case Way::fault:
        case Way::none:
            break;
    }
    return {kPageFault, kTrap};
}

}  // namespace

namespace {

std::vector<CodePlace> way_through(Finding const& finding) {
    std::vector<CodePlace> ran;
    for (CodePlace const& place : finding.evidence.trace.functions)
        if (CodePlace shown = readable(place); !is_noise(shown.function)) ran.push_back(std::move(shown));
    return ran;
}

}  // namespace

bool share_code(Finding const& one, Finding const& other, bool helpers_too) {
    // Every trap goes through these, and every system call.
    constexpr std::array<std::string_view, 5> kEveryStep{"usertrap", "user_trap", "syscall", "system_call", "argaddr"};
    auto const tells = [&](CodePlace const& place) {
        auto const is_in = [&](auto const& names) {
            return std::find(names.begin(), names.end(), place.function) != names.end();
        };
        bool const is_helper = is_in(kFrames) || is_in(kStock) || is_of_calls(place) ||
                               is_of_allocator(one, place.function) || is_of_allocator(other, place.function);
        return !is_in(kEveryStep) && (helpers_too || !is_helper);
    };
    auto const others = way_through(other);
    auto const ran = way_through(one);
    return std::any_of(ran.begin(), ran.end(), [&](CodePlace const& place) {
        return tells(place) && std::any_of(others.begin(), others.end(),
                                           [&](CodePlace const& each) { return each.function == place.function; });
    });
}

std::string_view place_label(Suspects const& suspects, std::size_t i) {
    auto const only_died = [&](std::size_t at) { return suspects.at[at].why == Suspect::Why::died_in_helper; };
    if (only_died(i)) return "Died in";
    return i == 0 || (i == 1 && only_died(0)) ? "Look at" : "";
}

bool is_helper(std::string_view function) {
    return is_noise(short_name(function));
}

std::string describe(FailedAllocation const& failed) {
    return fmt::format("step {}: {} asked for one and got none", failed.at.value + 1, to_string(failed.caller));
}

std::string to_string(CodePlace const& place) {
    if (place.line == 0) return place.function;
    return fmt::format("{}, {}:{}", place.function, place.file, place.line);
}

namespace {

// Parts that lines of other functions are made of: what calls them is what tells. The entry and the count are written
// by those that are there for it.
bool is_part(std::string_view function) {
    constexpr std::array<std::string_view, 10> kTypes = {
        "PageTableEntry::", "Rights::",  "PhysAddr",    "VirtAddr",   "Address<",
        "InterruptsOff",    "SpinGuard", "Arguments::", "InodeRef::", "FrameRef::"};
    // What it does about interrupts, and where it comes to after it has died.
    constexpr std::array<std::string_view, 9> kNeverGuilty = {
        "process_is_running", "interrupts_enabled", "enable_interrupts", "disable_interrupts", "panic", "kernel_vector",
        "print_part",         "print_digits",       "uart_put"};
    return is_noise(function) || function.find('<') != std::string_view::npos ||
           std::find(kNeverGuilty.begin(), kNeverGuilty.end(), function) != kNeverGuilty.end() ||
           std::any_of(kTypes.begin(), kTypes.end(), [&](auto type) { return function.starts_with(type); });
}

bool is_about_frames(spec::Invariant invariant) {
    using spec::Invariant;
    return invariant == Invariant::counts || invariant == Invariant::dangling || invariant == Invariant::conservation;
}

// By what they are for alone.
Suspects usual_suspects(Finding const& finding) {
    constexpr std::size_t kMost = 4;
    Suspects suspects{.ran = way_through(finding)};
    auto const add = [&](CodePlace place) {
        bool const known = std::any_of(suspects.at.begin(), suspects.at.end(),
                                       [&](Suspect const& each) { return each.place.function == place.function; });
        if (!known && suspects.at.size() < kMost) suspects.at.push_back({std::move(place)});
    };
    // Where it died is where to begin; where it goes in circles, unless everybody goes there.
    if (auto const& last = finding.evidence.trace.last;
        last && !is_inits_end(finding) && (has_died(finding) || !is_part(short_name(last->function))))
        add(readable(*last));
    // An error path begins where the frame is missing.
    for (FailedAllocation const& failed : finding.evidence.failed_allocations)
        if (CodePlace place = readable(failed.caller); failed.at == finding.divergence.at &&
                                                       !is_helper(place.function) && !is_in(kFrames, place) &&
                                                       !is_in(kStock, place))
            add(std::move(place));
    bool const of_frames = is_about_frames(finding.signature.invariant);
    // The student's own, but for one of them all places are for what xv6 has.
    std::size_t const most_own = suspects.at.size() + 2;
    for (bool elsewhere : {false, true})
        for (CodePlace const& place : suspects.ran)
            if (is_students_own(place) && is_elsewhere(place) == elsewhere && suspects.at.size() < most_own &&
                (of_frames || !is_of_allocator(finding, place.function)))
                add(place);
    auto topics = topics_of(finding, suspects.ran);
    if (of_frames) topics.push_back(kFrames);
    for (Topic topic : topics)
        for (std::string_view known : topic)
            for (CodePlace const& place : suspects.ran)
                if (place.function == known) add(place);
    if (suspects.at.empty() && !suspects.ran.empty()) add(suspects.ran.back());
    return suspects;
}

constexpr std::array<std::string_view, 6> kMapping = {
    "mappages", "walk", "AddressSpace::map", "PageTable::find", "PageTable::find_or_create", "PageTable::descend"};

CodePlace of_line(CodePlace const& place) {
    CodePlace shown = readable(place);
    constexpr std::string_view kLambda = "::operator()";
    if (shown.function.ends_with(kLambda)) shown.function.resize(shown.function.size() - kLambda.size());
    return shown;
}

bool is_of_frames(Finding const& finding, CodePlace const& place) {
    return is_in(kFrames, place) || is_of_allocator(finding, place.function);
}

// Of two steps at a time, one came between another's parts.
bool overlaps(Finding const& finding) {
    return finding.program.steps.back().faults.meanwhile;
}

// What the word is changed with, and by whom else than by those who are to blame for it.
bool serves(Finding const& finding, LastAccess const& access, CodePlace const& place) {
    using Of = LastAccess::Of;
    if (is_part(place.function)) return true;
    bool const of_mapping = is_in(kMapping, place);
    bool const of_frames = is_of_frames(finding, place) && !overlaps(finding);
    switch (access.of) {
        case Of::entry:
            return of_mapping;
        case Of::count:
            return of_frames;
        case Of::byte:
        case Of::program_break:
            return false;
        case Of::entry_of_lost:
        case Of::table_of_lost:
        case Of::count_of_lost:
        case Of::content_of_lost:
            return of_mapping || of_frames;
    }
    return false;
}

// Of the last line of the function up to there of which anything is known.
std::optional<double> suspiciousness_of(Finding const& finding, CodePlace const& place) {
    Spectrum const& spectrum = finding.evidence.spectrum;
    unsigned last = 0;
    std::optional<double> found;
    for (Spectrum::Line const& each : spectrum.lines) {
        CodePlace const line = of_line(each.place);
        if (line.function != place.function || line.file != place.file || line.line > place.line || line.line < last)
            continue;
        last = line.line;
        found = suspiciousness(spectrum, each);
    }
    return found;
}

// Who wrote, rather than what it wrote with, and those who had called that; a caller first where programs that pass run
// it much less often.
std::vector<Suspect> writers_of(Finding const& finding) {
    constexpr std::size_t kCallers = 2;
    constexpr double kMuchMore = 0.1;
    auto const& written = finding.evidence.written;
    std::vector<CodePlace> way;
    if (!written) return {};
    for (CodePlace const& each : written->stack) {
        CodePlace place = of_line(each);
        if (place.line == 0 || serves(finding, *written, place)) continue;
        if (way.empty() || way.back().function != place.function) way.push_back(std::move(place));
        if (way.size() == 1 + kCallers) break;
    }
    if (way.empty()) return {};
    std::size_t best = 0;
    if (written->of == LastAccess::Of::entry && written->at == finding.divergence.at)
        for (std::size_t i = 1; i < way.size(); ++i) {
            auto const one = suspiciousness_of(finding, way[best]), another = suspiciousness_of(finding, way[i]);
            if (one && another && *another > *one + kMuchMore) best = i;
        }
    std::vector<Suspect> writers{{way[best], Suspect::Why::wrote}};
    // A count may be changed wrongly, too.
    if (written->of == LastAccess::Of::count)
        for (CodePlace const& each : written->stack)
            if (CodePlace place = of_line(each); place.line != 0 && !is_part(place.function)) {
                writers.push_back({std::move(place), Suspect::Why::changed});
                break;
            }
    if (auto const& raised = finding.evidence.raised; raised && written->of != LastAccess::Of::count_of_lost)
        for (CodePlace const& each : raised->stack)
            if (CodePlace place = of_line(each); place.line != 0 && !serves(finding, *raised, place)) {
                writers.push_back({std::move(place), Suspect::Why::raised});
                break;
            }
    // What a step before wrote, it wrote rightly, for all that is known.
    if (written->at == finding.divergence.at)
        for (std::size_t i = best + 1; i < way.size(); ++i)
            writers.push_back({std::move(way[i]), Suspect::Why::called});
    return writers;
}

// Who looked at the entry, and let it pass. Who only looks up for others is asked for nothing.
std::optional<Suspect> judge_of(Finding const& finding) {
    auto const& read = finding.evidence.read;
    if (!read) return std::nullopt;
    for (CodePlace const& each : read->stack)
        if (CodePlace place = of_line(each);
            place.line != 0 && !serves(finding, *read, place) && place.function != "walkaddr")
            return Suspect{std::move(place), Suspect::Why::read};
    return std::nullopt;
}

// Where the turn went to another process: what came next there came too late.
std::optional<Suspect> place_of_turn(Finding const& finding) {
    bool const of_frames = is_about_frames(finding.signature.invariant) ||
                           (has_died(finding) && is_of_frames(finding, readable(*finding.evidence.trace.last)));
    for (Deed const& deed : finding.evidence.played.deeds) {
        if (!deed.stop) continue;
        for (CodePlace const& each : deed.stop->places)
            if (CodePlace place = of_line(each);
                place.line != 0 && !is_part(place.function) && (of_frames || !is_of_frames(finding, place)))
                return Suspect{std::move(place), Suspect::Why::stopped};
    }
    return std::nullopt;
}

// Who asked for what the kernel died in.
std::optional<Suspect> caller_of_death(Finding const& finding) {
    if (!has_died(finding)) return std::nullopt;
    auto const& way = finding.evidence.died_by;
    for (CodePlace const& each : way)
        if (CodePlace place = of_line(each); place.line != 0 && !is_part(place.function) && !is_in(kMapping, place) &&
                                             !is_in(kFrames, place) &&
                                             place.function != readable(*finding.evidence.trace.last).function)
            return Suspect{std::move(place), Suspect::Why::asked};
    return std::nullopt;
}

// The variants are near neighbours of the shrunk program (checker/session/blame.h), and it is one of those that fail.
std::string how_often_it_ran(Spectrum const& spectrum, CodePlace const& place) {
    auto const line =
        std::ranges::find_if(spectrum.lines, [&](Spectrum::Line const& each) { return of_line(each.place) == place; });
    if (line == spectrum.lines.end()) return {};
    auto const share = [](std::uint32_t count, std::uint32_t all) {
        return count == 0     ? fmt::format("none of {}", all)
               : count == all ? fmt::format("all {}", all)
                              : fmt::format("{} of {}", count, all);
    };
    return fmt::format(
        "ran in {} that pass",
        spectrum.failing == 1
            ? fmt::format("it, and in {} variants of the program", share(line->passing, spectrum.passing))
            : fmt::format("{} variants of the program that fail the same way, and in {}",
                          share(line->failing, spectrum.failing), share(line->passing, spectrum.passing)));
}

// What nearly all programs run that pass tells nobody where to look.
bool says_nothing(Spectrum const& spectrum, CodePlace const& place) {
    auto const line =
        std::ranges::find_if(spectrum.lines, [&](Spectrum::Line const& each) { return of_line(each.place) == place; });
    return line != spectrum.lines.end() && line->passing * 20 >= spectrum.passing * 19;
}

// Where a process comes to that is killed and should not be: that it comes there is what is wrong.
bool is_end_of_killed(Finding const& finding, std::string_view function) {
    constexpr std::array<std::string_view, 8> kEnd{"exit",        "kexit",    "exit_process", "setkilled",
                                                   "mark_killed", "kill_for", "reparent",     "sched"};
    auto const* answer = answer_of(finding);
    return answer != nullptr &&
           (answer->mistake == spec::Mistake::killed_though_legal || answer->mistake == spec::Mistake::init_killed) &&
           std::ranges::find(kEnd, function) != kEnd.end();
}

// Of each function the most suspicious line; those that are for what fails count twice.
std::vector<Suspect> suspicious_lines(Finding const& finding, std::vector<Suspect> const& usual) {
    Spectrum const& spectrum = finding.evidence.spectrum;
    struct Ranked {
        double score = 0;
        Suspect suspect;
    };
    std::vector<Ranked> ranked;
    for (Spectrum::Line const& line : spectrum.lines) {
        CodePlace place = of_line(line.place);
        auto const same = [&](CodePlace const& other) {
            return other.function == place.function && other.file == place.file;
        };
        bool const known =
            std::any_of(ranked.begin(), ranked.end(), [&](Ranked const& each) { return same(each.suspect.place); });
        if (known || is_part(place.function) || is_end_of_killed(finding, place.function)) continue;
        bool const is_usual =
            std::any_of(usual.begin(), usual.end(), [&](Suspect const& each) { return same(each.place); });
        double const weight = is_usual ? 2 : is_in(kMapping, place) || is_in(kFrames, place) ? 0.5 : 1;
        bool const alone = line.failing == spectrum.failing && line.passing == 0;
        ranked.push_back({weight * suspiciousness(spectrum, line),
                          {std::move(place), alone ? Suspect::Why::only_failing : Suspect::Why::more_failing}});
    }
    // Of equals, in the order of the usual ones.
    auto const number = [&](Suspect const& suspect) {
        auto const at = std::find_if(usual.begin(), usual.end(), [&](Suspect const& each) {
            return each.place.function == suspect.place.function;
        });
        return at - usual.begin();
    };
    std::stable_sort(ranked.begin(), ranked.end(), [&](Ranked const& a, Ranked const& b) {
        return std::pair(-a.score, number(a.suspect)) < std::pair(-b.score, number(b.suspect));
    });
    std::vector<Suspect> suspects;
    suspects.reserve(ranked.size());
    for (Ranked& each : ranked) suspects.push_back(std::move(each.suspect));
    return suspects;
}

}  // namespace

Suspects suspects_in(Finding const& finding) {
    Suspects suspects = usual_suspects(finding);
    constexpr std::size_t kMost = 3;
    // Where it died stays where to begin.
    std::size_t first = 0;
    if (has_died(finding) && !suspects.at.empty()) {
        Suspect& died = suspects.at.front();
        bool const serves_all = is_part(died.place.function) || is_in(kMapping, died.place) ||
                                is_in(kFrames, died.place) || is_of_allocator(finding, died.place.function);
        died.why = serves_all ? Suspect::Why::died_in_helper : Suspect::Why::died;
        first = serves_all ? 1 : 0;
    }
    auto const turn = place_of_turn(finding), judge = judge_of(finding), caller = caller_of_death(finding);
    auto const writers = writers_of(finding);
    if (!turn && writers.empty() && !judge && !caller && finding.evidence.spectrum.lines.empty()) {
        suspects.at.resize(std::min(suspects.at.size(), first + kMost));
        return suspects;
    }
    std::vector<Suspect> const usual = std::exchange(suspects.at, {});
    if (has_died(finding) && !usual.empty()) suspects.at.push_back(usual.front());
    auto const add = [&](Suspect suspect) {
        auto const same = [&](Suspect const& each) { return each.place.function == suspect.place.function; };
        if (std::any_of(suspects.at.begin(), suspects.at.end(), same) || suspects.at.size() == first + kMost) return;
        suspects.at.push_back(std::move(suspect));
    };
    // Though it be in the same function.
    auto const is_there = [&](Suspect const& each) {
        return each.place.line == turn->place.line && each.place.file == turn->place.file;
    };
    if (turn && std::ranges::none_of(suspects.at, is_there)) suspects.at.push_back(*turn);
    // What was right until this step was not written wrongly before: rather, this step ought to have changed it.
    unsigned const overlap = finding.program.steps.back().faults.meanwhile ? 1 : 0;
    bool const in_this_step =
        !writers.empty() && finding.evidence.written->at.value + overlap >= finding.divergence.at.value;
    if (in_this_step) add(writers.front());
    if (judge) add(*judge);
    if (caller) add(*caller);
    std::vector<Suspect> lines = suspicious_lines(finding, usual);
    std::erase_if(lines, [&](Suspect const& each) { return says_nothing(finding.evidence.spectrum, each.place); });
    if (lines.empty() && suspects.at.size() == first && !usual.empty()) add(usual.front());
    for (Suspect& each : lines) {
        add(std::move(each));
        if (suspects.at.size() == first + kMost - 1) std::ranges::for_each(writers, add);
    }
    std::ranges::for_each(writers, add);
    for (Suspect const& each : usual) add(each);
    return suspects;
}

std::optional<CodePlace> place_to_mark(Finding const& finding) {
    std::optional<CodePlace> helper;
    for (Suspect const& suspect : suspects_in(finding).at) {
        if (suspect.place.line == 0) continue;
        if (suspect.why != Suspect::Why::died_in_helper) return suspect.place;
        helper = suspect.place;
    }
    return helper;
}

namespace {

std::string how_it_was_changed(LastAccess const& written) {
    using Of = LastAccess::Of;
    std::string const whose = written.whose ? name_of(*written.whose) + "'s" : "the";
    auto const what = [&]() -> std::string {
        switch (written.of) {
            case Of::entry:
                return "last changed " + whose + " PTE";
            case Of::count:
                return "last changed the frame's count";
            case Of::byte:
                return "last changed the byte";
            case Of::program_break:
                return "last moved " + whose + " break";
            case Of::entry_of_lost:
                return "took the frame that is lost out of " + whose + " page table";
            case Of::table_of_lost:
                return "gave back " + whose + " page table, but not a frame of it";
            case Of::count_of_lost:
                return "last changed the count of the frame that is lost";
            case Of::content_of_lost:
                return "last filled the frame that is lost";
        }
        return {};
    }();
    return fmt::format("{}, in step {}", what, written.at.value + 1);
}

}  // namespace

std::string why_suspected(Finding const& finding, Suspect const& suspect) {
    switch (suspect.why) {
        case Suspect::Why::wrote:
            return how_it_was_changed(*finding.evidence.written);
        case Suspect::Why::changed:
            return "changed it";
        case Suspect::Why::raised:
            return fmt::format("last raised the count of the frame that is lost, in step {}",
                               finding.evidence.raised->at.value + 1);
        case Suspect::Why::called:
            return "on the way to there";
        case Suspect::Why::read: {
            LastAccess const& read = *finding.evidence.read;
            return fmt::format("the first to look at {} PTE, in this step",
                               read.whose ? name_of(*read.whose) + "'s" : "the");
        }
        case Suspect::Why::died:
            return "the kernel died here";
        case Suspect::Why::died_in_helper:
            break;
        case Suspect::Why::stopped:
            return "here another process got its turn";
        case Suspect::Why::only_failing:
        case Suspect::Why::more_failing:
            return how_often_it_ran(finding.evidence.spectrum, suspect.place);
        case Suspect::Why::asked:
            return "on the way to where the kernel died";
        case Suspect::Why::by_its_part:
            break;
    }
    return {};
}

std::string source_text(Finding const& finding, CodePlace const& place) {
    auto const& source = finding.evidence.source;
    auto const at = std::find_if(source.begin(), source.end(), [&](SourceText const& each) {
        return each.file == place.file && each.line == place.line;
    });
    return at == source.end() ? std::string{} : one_line(at->text);
}

}  // namespace vmcheck::report
