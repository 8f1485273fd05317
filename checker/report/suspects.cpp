#include "checker/report/suspects.h"

#include "checker/report/escape.h"
#include "spec/step_kinds.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

namespace vmcheck::report {

namespace {

// Functions by what they are for, the more telling ones first: xv6's names, then those that the reference kernel has
// for the same. A finding asks for topics in an order, by its kind of step and its invariant.
using Topic = std::span<std::string_view const>;
constexpr std::array<std::string_view, 7> kCopyAtFork = {
    "uvmcopy",     "AddressSpace::share_page", "AddressSpace::copy_page", "AddressSpace::fork", "fork", "kfork",
    "fork_process"};
constexpr std::array<std::string_view, 17> kPageFault = {"cowfault",
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
                                                         "usertrap",
                                                         "user_trap"};
constexpr std::array<std::string_view, 7> kCopyBetween = {
    "copyout", "copyinstr", "copyin", "AddressSpace::copy_out", "AddressSpace::copy_in_string", "AddressSpace::copy_in",
    "walkaddr"};
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
constexpr std::array<std::string_view, 10> kFrames = {"kfree",
                                                      "kalloc",
                                                      "frame_add_reference",
                                                      "frame_release",
                                                      "frame_allocate",
                                                      "mappages",
                                                      "AddressSpace::map",
                                                      "walk",
                                                      "PageTable::find_or_create",
                                                      "PageTable::find"};
constexpr std::array<Topic, 7> kTopics = {kCopyAtFork,      kPageFault,    kCopyBetween, kHeap,
                                          kAddressSpaceEnd, kProgramImage, kFrames};

// The files of xv6 in which a student works on this; a function there that xv6 does not have is the student's own, and
// the likeliest place.
constexpr std::array<std::string_view, 4> kFilesOfTheLabs = {"vm.c", "kalloc.c", "trap.c", "cow.c"};
// What the bare trees of all years have there beyond kKnown and kNoise.
constexpr std::array<std::string_view, 13> kStock = {
    "kvminit",  "kvmmake",   "kvminithart", "kvmmap",   "uvmcreate",    "uvminit", "uvmfirst",
    "uvmclear", "freerange", "kinit",       "ismapped", "trapinithart", "PA2PTE"};

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
    return is_special_member(name) || std::find(kNoise.begin(), kNoise.end(), name) != kNoise.end() ||
           std::any_of(kNoiseOfTypes.begin(), kNoiseOfTypes.end(),
                       [&](std::string_view type) { return name.substr(0, type.size()) == type; });
}

bool is_students_own(CodePlace const& place) {
    std::string_view file = place.file;
    file.remove_prefix(std::min(file.rfind('/') + 1, file.size()));
    if (std::find(kFilesOfTheLabs.begin(), kFilesOfTheLabs.end(), file) == kFilesOfTheLabs.end()) return false;
    bool const known = std::any_of(kTopics.begin(), kTopics.end(), [&](Topic topic) {
        return std::find(topic.begin(), topic.end(), place.function) != topic.end();
    });
    return !known && std::find(kStock.begin(), kStock.end(), place.function) == kStock.end();
}

std::vector<Topic> topics_of(spec::Way way) {
    using spec::Way;
    if (way == Way::fork) return {kCopyAtFork};
    if (way == Way::sbrk) return {kHeap, kAddressSpaceEnd};
    if (way == Way::end) return {kAddressSpaceEnd, kCopyBetween};
    if (way == Way::exec) return {kProgramImage, kAddressSpaceEnd};
    if (way == Way::fault || way == Way::none) return {kPageFault};
    return {kCopyBetween, kPageFault};
}

std::vector<Topic> topics_of(Finding const& finding) {
    using spec::Invariant;
    bool const waits = finding.signature.kind == spec::index_of<spec::Wait>();
    Invariant const invariant = finding.signature.invariant;
    auto topics = topics_of(waits ? spec::Way::end : spec::way_of_kind(finding.signature.kind));
    // A wait reaps: a wrong status or pid is a matter of copying, lost memory one of freeing.
    if (waits && invariant != Invariant::conservation && invariant != Invariant::counts)
        topics.insert(topics.begin(), kCopyBetween);
    if (invariant == Invariant::counts || invariant == Invariant::dangling || invariant == Invariant::conservation)
        topics.push_back(kFrames);
    return topics;
}

}  // namespace

bool share_code(Finding const& one, Finding const& other, bool helpers_too) {
    // Every trap goes through these, and every system call.
    constexpr std::array<std::string_view, 5> kEveryStep{"usertrap", "user_trap", "syscall", "system_call", "argaddr"};
    auto const tells = [&](CodePlace const& place) {
        auto const is_in = [&](auto const& names) {
            return std::find(names.begin(), names.end(), place.function) != names.end();
        };
        return !is_in(kEveryStep) && (helpers_too || (!is_in(kFrames) && !is_in(kStock)));
    };
    auto const others = suspects_in(other).ran;
    auto const ran = suspects_in(one).ran;
    return std::any_of(ran.begin(), ran.end(), [&](CodePlace const& place) {
        return tells(place) && std::any_of(others.begin(), others.end(),
                                           [&](CodePlace const& each) { return each.function == place.function; });
    });
}

std::string_view place_label(Finding const& finding, std::size_t i) {
    bool const died = finding.evidence.trace.last.has_value();
    if (i == 0) return died ? "Died in" : "Look at";
    return died && i == 1 ? "Look at" : "";
}

std::string describe(FailedAllocation const& failed) {
    return fmt::format("step {}: {} asked for one and got none", failed.at.value + 1, to_string(failed.caller));
}

std::string to_string(CodePlace const& place) {
    if (place.line == 0) return place.function;
    return fmt::format("{}, {}:{}", place.function, place.file, place.line);
}

Suspects suspects_in(Finding const& finding) {
    constexpr std::size_t kMost = 4;
    Suspects suspects;
    for (CodePlace const& place : finding.evidence.trace.functions)
        if (CodePlace shown = readable(place); !is_noise(shown.function)) suspects.ran.push_back(std::move(shown));
    auto const add = [&](CodePlace place) {
        bool const known = std::any_of(suspects.at.begin(), suspects.at.end(),
                                       [&](CodePlace const& each) { return each.function == place.function; });
        if (!known && suspects.at.size() < kMost) suspects.at.push_back(std::move(place));
    };
    // Where it died is where to begin.
    if (finding.evidence.trace.last) add(readable(*finding.evidence.trace.last));
    for (CodePlace const& place : suspects.ran)
        if (is_students_own(place)) add(place);
    for (Topic topic : topics_of(finding))
        for (std::string_view known : topic)
            for (CodePlace const& place : suspects.ran)
                if (place.function == known) add(place);
    return suspects;
}

}  // namespace vmcheck::report
