#include "checker/report/suspects.h"

#include "checker/report/escape.h"
#include "spec/step_kinds.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace vmcheck::report {

namespace {

// What a function is for. A finding asks for topics in an order, by its kind of step and its invariant.
enum class Topic { copy_at_fork, page_fault, copy_between, heap, address_space_end, program_image, frames };

struct Known {
    std::string_view function;
    Topic topic;
};

// Within a topic the more telling ones come first. xv6's names, then those that the reference kernel has for the same.
constexpr std::array kKnown = {
    Known{"uvmcopy", Topic::copy_at_fork},
    Known{"AddressSpace::share_page", Topic::copy_at_fork},
    Known{"AddressSpace::copy_page", Topic::copy_at_fork},
    Known{"AddressSpace::fork", Topic::copy_at_fork},
    Known{"fork", Topic::copy_at_fork},
    Known{"kfork", Topic::copy_at_fork},
    Known{"fork_process", Topic::copy_at_fork},
    Known{"cowfault", Topic::page_fault},
    Known{"cow_fault", Topic::page_fault},
    Known{"cow_handler", Topic::page_fault},
    Known{"cowhandler", Topic::page_fault},
    Known{"cowcopy", Topic::page_fault},
    Known{"cowalloc", Topic::page_fault},
    Known{"cow_alloc", Topic::page_fault},
    Known{"uvmcow", Topic::page_fault},
    Known{"vmfault", Topic::page_fault},
    Known{"lazyalloc", Topic::page_fault},
    Known{"lazy_alloc", Topic::page_fault},
    Known{"uvmlazy", Topic::page_fault},
    Known{"AddressSpace::make_private", Topic::page_fault},
    Known{"AddressSpace::map_zeroed", Topic::page_fault},
    Known{"AddressSpace::resolve", Topic::page_fault},
    Known{"usertrap", Topic::page_fault},
    Known{"user_trap", Topic::page_fault},
    Known{"copyout", Topic::copy_between},
    Known{"copyinstr", Topic::copy_between},
    Known{"copyin", Topic::copy_between},
    Known{"AddressSpace::copy_out", Topic::copy_between},
    Known{"AddressSpace::copy_in_string", Topic::copy_between},
    Known{"AddressSpace::copy_in", Topic::copy_between},
    Known{"walkaddr", Topic::copy_between},
    Known{"sys_sbrk", Topic::heap},
    Known{"growproc", Topic::heap},
    Known{"uvmalloc", Topic::heap},
    Known{"uvmdealloc", Topic::heap},
    Known{"AddressSpace::grow", Topic::heap},
    Known{"AddressSpace::shrink", Topic::heap},
    Known{"AddressSpace::move_break", Topic::heap},
    Known{"call_sbrk", Topic::heap},
    Known{"uvmunmap", Topic::address_space_end},
    Known{"freewalk", Topic::address_space_end},
    Known{"uvmfree", Topic::address_space_end},
    Known{"proc_freepagetable", Topic::address_space_end},
    Known{"freeproc", Topic::address_space_end},
    Known{"release_tables", Topic::address_space_end},
    Known{"AddressSpace::~AddressSpace", Topic::address_space_end},
    Known{"AddressSpace::unmap", Topic::address_space_end},
    Known{"exit", Topic::address_space_end},
    Known{"kexit", Topic::address_space_end},
    Known{"wait", Topic::address_space_end},
    Known{"kwait", Topic::address_space_end},
    Known{"wait_for_child", Topic::address_space_end},
    Known{"exec", Topic::program_image},
    Known{"kexec", Topic::program_image},
    Known{"exec_program", Topic::program_image},
    Known{"loadseg", Topic::program_image},
    Known{"AddressSpace::add_image_page", Topic::program_image},
    Known{"kfree", Topic::frames},
    Known{"kalloc", Topic::frames},
    Known{"frame_add_reference", Topic::frames},
    Known{"frame_release", Topic::frames},
    Known{"frame_allocate", Topic::frames},
    Known{"mappages", Topic::frames},
    Known{"AddressSpace::map", Topic::frames},
    Known{"walk", Topic::frames},
    Known{"PageTable::find_or_create", Topic::frames},
    Known{"PageTable::find", Topic::frames},
};

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

// Symbols and file names are a file's that nobody vouches for.
std::string one_line(std::string_view bytes) {
    std::string text = printable(bytes);
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
}

std::string short_name(std::string_view symbol) {
    std::string name = one_line(symbol);
    for (std::string_view part : {std::string_view{"(anonymous namespace)::"}, std::string_view{"kernel::"}})
        for (std::size_t at = name.find(part); at != std::string::npos; at = name.find(part))
            name.erase(at, part.size());
    return name;
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
    bool const known =
        std::any_of(kKnown.begin(), kKnown.end(), [&](Known const& each) { return each.function == place.function; });
    return !known && std::find(kStock.begin(), kStock.end(), place.function) == kStock.end();
}

spec::Way way_of_kind(std::size_t kind) {
    spec::Way way = spec::Way::none;
    std::size_t index = 0;
    spec::for_each_kind([&]<class Kind>(std::in_place_type_t<Kind>) {
        if (index++ == kind) way = spec::Row<Kind>::way;
    });
    return way;
}

void append_for_way(spec::Way way, std::vector<Topic>& topics) {
    switch (way) {
        case spec::Way::fork:
            topics.push_back(Topic::copy_at_fork);
            break;
        case spec::Way::sbrk:
            topics.insert(topics.end(), {Topic::heap, Topic::address_space_end});
            break;
        case spec::Way::end:
            topics.insert(topics.end(), {Topic::address_space_end, Topic::copy_between});
            break;
        case spec::Way::exec:
            topics.insert(topics.end(), {Topic::program_image, Topic::address_space_end});
            break;
        case spec::Way::fault:
        case spec::Way::none:
            topics.push_back(Topic::page_fault);
            break;
        case spec::Way::copyin:
        case spec::Way::copyout:
        case spec::Way::copyinstr:
            topics.insert(topics.end(), {Topic::copy_between, Topic::page_fault});
            break;
    }
}

std::vector<Topic> topics_of(Finding const& finding) {
    using spec::Invariant;
    bool const waits = finding.signature.kind == spec::index_of<spec::Wait>();
    Invariant const invariant = finding.signature.invariant;
    std::vector<Topic> topics;
    // A wait reaps: a wrong status or pid is a matter of copying, lost memory one of freeing.
    if (waits && invariant != Invariant::conservation && invariant != Invariant::counts)
        topics.push_back(Topic::copy_between);
    append_for_way(waits ? spec::Way::end : way_of_kind(finding.signature.kind), topics);
    if (invariant == Invariant::counts || invariant == Invariant::dangling || invariant == Invariant::conservation)
        topics.push_back(Topic::frames);
    return topics;
}

}  // namespace

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
    for (CodePlace place : finding.evidence.trace.functions) {
        place.function = short_name(place.function);
        place.file = one_line(place.file);
        if (!is_noise(place.function)) suspects.ran.push_back(std::move(place));
    }
    auto const add = [&](CodePlace place) {
        place.function = short_name(place.function);
        place.file = one_line(place.file);
        bool const known = std::any_of(suspects.at.begin(), suspects.at.end(),
                                       [&](CodePlace const& each) { return each.function == place.function; });
        if (!known && suspects.at.size() < kMost) suspects.at.push_back(std::move(place));
    };
    // Where it died is where to begin.
    if (finding.evidence.trace.last) add(*finding.evidence.trace.last);
    for (CodePlace const& place : suspects.ran)
        if (is_students_own(place)) add(place);
    for (Topic topic : topics_of(finding))
        for (Known const& known : kKnown)
            for (CodePlace const& place : suspects.ran)
                if (known.topic == topic && place.function == known.function) add(place);
    return suspects;
}

}  // namespace vmcheck::report
