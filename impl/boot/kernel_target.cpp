#include "impl/boot/kernel_target.h"

#include "impl/boot/ballast.h"
#include "impl/boot/boot.h"
#include "impl/boot/kernel_machine.h"
#include "impl/boot/probe.h"
#include "impl/boot/vintage.h"
#include "impl/map/map_file.h"
#include "impl/map/memory_code.h"
#include "spec/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <utility>

namespace vmcheck {

namespace {

constexpr std::array<std::string_view, 6> kSwapping{"swap", "Swap", "evict", "page_out", "pageout", "pageOut"};

// What one reference counts as, if all pages of p0 (which shares nothing) agree about it.
std::optional<std::int64_t> count_for_one(observe::ReferenceCounts const& counts, observe::Ram ram,
                                          spec::ObservedProcess const& p0) {
    std::optional<std::int64_t> one;
    for (spec::ObservedPage const& page : p0.pages) {
        if (!page.rights.user) continue;
        auto const raw = counts.raw(ram, page.frame);
        if (!raw || (one && *one != *raw)) return std::nullopt;
        one = raw;
    }
    return one;
}

// Whether a function's name says that it is about pages that are not in memory.
bool names_swapping(elf::KernelImage const& image) {
    return std::any_of(image.symbols().begin(), image.symbols().end(), [](elf::Symbol const& symbol) {
        return std::any_of(kSwapping.begin(), kSwapping.end(),
                           [&](std::string_view word) { return symbol.name.find(word) != std::string::npos; });
    });
}

class WindowFinder {
  public:
    WindowFinder(map::KernelMap const& map, observe::Ram ram, TargetSummary& summary)
        : map_(map), ram_(ram), summary_(summary) {}

    void find_free_list() {
        if (!map_.free_list) return miss(map_.free_list.error().reason, "I5 and I6 are not checked");
        auto list = observe::GoldenFreeList::take(ram_, map_.free_list->heads);
        if (!list) {
            // One that is sound for long is a list of frames, so that it is broken and not read amiss.
            constexpr std::uint64_t kEntriesToTell = 256;
            if (!map_.free_list->guessed && list.error().sound >= kEntriesToTell)
                summary_.wrong.push_back(
                    {.invariant = spec::Invariant::dangling, .facts = spec::FreeListBroken{list.error().why}});
            return miss(fmt::format("{} is no sound list of frames right after boot.", map_.free_list->name),
                        "I5 and I6 are not checked");
        }
        summary_.windows.push_back(fmt::format("free list {}{} ({} frames)", map_.free_list->name,
                                               map_.free_list->guessed ? " (guessed)" : "", list->length()));
        windows_.free_list = std::make_shared<observe::GoldenFreeList const>(std::move(*list));
    }

    void find_processes() {
        if (!map_.processes)
            return miss(map_.processes.error().reason, "I4 and I6 are not checked while zombies exist");
        windows_.processes.emplace(*map_.processes);
        summary_.windows.push_back(fmt::format("processes {}[{}]", map_.processes->name, map_.processes->count));
    }

    void find_allocator() {
        if (!map_.allocate)
            miss("The frame allocator (kalloc) was not found.",
                 "No allocation can be made to fail, and I10 is checked only where memory runs out by itself");
    }

    // Where no map file names the array, it is looked for later, by probing.
    void find_counts(spec::ObservedProcess const& p0) {
        constexpr char const* kConsequence = "I4 is not checked";
        if (!map_.reference_counts) return;
        map::ReferenceCounts const& layout = *map_.reference_counts;
        FrameNo const base = layout.index_base == map::IndexBase::kZero ? FrameNo{0} : ram_.first();
        observe::ReferenceCounts counts(layout, base);
        auto const one = count_for_one(counts, ram_, p0);
        if (!one)
            return miss(fmt::format("{} has no one value for frames with one reference", layout.name), kConsequence);
        summary_.windows.push_back("counts " + describe(layout, *one));
        windows_.counts.emplace(std::move(counts));
        windows_.raw_count_for_one = *one;
    }

    observe::Windows take() { return std::move(windows_); }

  private:
    void miss(std::string const& reason, std::string_view consequence) {
        summary_.missing.push_back(fmt::format("{} {}.", reason, consequence));
    }

    map::KernelMap const& map_;
    observe::Ram ram_;
    TargetSummary& summary_;
    observe::Windows windows_;
};

// xv6 of 2025 has two calls in user space for the two modes of its one sbrk.
// Names of what other system calls do to memory; parts of a name, since each kernel has its own.
constexpr std::array<std::string_view, 12> kMemoryWords{"map", "mprotect", "mremap", "madvise", "clone", "vfork",
                                                        "shm", "share",    "thread", "brk",     "mlock", "swap"};

// Bits 8 and 9 of a PTE are the kernel's own (privileged spec, "Sv39"); others that fork marks a shared page with have
// a meaning, or are reserved for one.
void advise_on_mark(std::uint64_t mark, TargetSummary& summary) {
    constexpr std::uint64_t kGlobal = std::uint64_t{1} << 5, kReserved = ~((std::uint64_t{1} << 54) - 1);
    if ((mark & (kGlobal | kReserved)) == 0) return;
    summary.advice.push_back(
        (mark & kGlobal) != 0
            ? "fork marks shared pages with PTE_G (bit 5), by which hardware may keep a translation for all processes: "
              "bits 8 and 9 are free"
            : fmt::format(
                  "fork marks shared pages with bits {:#x} of the PTE, which are reserved: bits 8 and 9 are free",
                  mark & kReserved));
}

void find_never_called(map::SystemCalls const& calls, TargetSummary& summary) {
    for (auto const& [name, number] : calls) {
        auto const names_it = [&name = name](std::string_view word) { return name.find(word) != std::string::npos; };
        if (name != "sbrk" && std::any_of(kMemoryWords.begin(), kMemoryWords.end(), names_it))
            summary.never_called.push_back(name);
    }
    if (!summary.never_called.empty())
        summary.missing.push_back(fmt::format("No step calls {}. What they do to memory is not checked.",
                                              fmt::join(summary.never_called, ", ")));
}

std::string profile_in_words(spec::Profile profile, bool sbrk_takes_mode) {
    bool const lazy = profile.sbrk == spec::SbrkPolicy::lazy;
    return fmt::format("{} fork, {}", profile.fork == spec::ForkPolicy::cow ? "cow" : "eager",
                       !lazy             ? "eager sbrk"
                       : sbrk_takes_mode ? "eager sbrk, lazy sbrklazy"
                                         : "lazy sbrk");
}

// What the kernel is asked to do: what it does, and what the lab asks for that its tree names.
spec::Profile asked_for(spec::Profile does, std::optional<Lab> lab) {
    if (lab == Lab::cow) does.fork = spec::ForkPolicy::cow;
    if (lab == Lab::lazy) does.sbrk = spec::SbrkPolicy::lazy;
    return does;
}

// What it does, where that is less than it is asked for.
std::optional<spec::Profile> instead_of(spec::Profile asked, spec::Profile does) {
    bool const copies = asked.fork == spec::ForkPolicy::cow && does.fork == spec::ForkPolicy::eager;
    bool const maps = asked.sbrk == spec::SbrkPolicy::lazy && does.sbrk == spec::SbrkPolicy::eager;
    if (copies) asked.fork = does.fork;
    if (maps) asked.sbrk = does.sbrk;
    return copies || maps ? std::optional(asked) : std::nullopt;
}

observe::Windows find_windows(map::KernelMap const& map, Booted& booted, TargetSummary& summary,
                              spec::Observation& p0) {
    observe::Ram const ram = observe::ram_of(booted.board);
    WindowFinder finder(map, ram, summary);
    finder.find_free_list();
    finder.find_processes();
    finder.find_allocator();
    // A first look, with no window but RAM itself: p0's page table.
    observe::Observer observer(booted.board, std::make_shared<observe::Windows const>());
    std::vector<observe::Subject> subjects{{spec::kInit, booted.agents.roster.agents().front().root}};
    p0 = observer.observe(subjects, {});
    p0.memory = nullptr;
    finder.find_counts(p0.processes.front());
    return finder.take();
}

spec::Violation heap_over_trapframe(PastTop const& seen, spec::Layout const& layout) {
    return {
        .invariant = spec::Invariant::results,
        .process = spec::kInit,
        .address = layout.trapframe,
        .place = spec::place_of(layout, layout.trapframe),
        .facts = spec::GrowsOverTrapframe{layout.trapframe, seen.calls, PastTop::kMostOfAnSbrk, seen.from, seen.to}};
}

// What the bare tree of the vintage does wrong is put up with, and said. What it does right is asked of everybody.
void inherit(Vintage vintage, ProbeResult const& probed, spec::Layout const& layout, spec::Traits& traits,
             TargetSummary& summary) {
    summary.vintage = to_string(vintage);
    if (probed.copyout_ignores_write_right && vintage.may_be_before(2023)) {
        traits.copyout_ignores_write_right = true;
        summary.inherited.push_back(
            "copyout does not ask whether a page is writable (bare trees before 2023 do not either)");
    }
    if (probed.copyinstr_skips_reserved && vintage.from == 2025) {
        traits.copyinstr_skips_reserved = true;
        summary.inherited.push_back(
            "copyinstr does not bring in pages that lazy sbrk has promised (the bare tree of 2025 does not either)");
    }
    if (probed.sbrk_returns_int && vintage.may_be_before(2022)) {
        traits.sbrk_returns_int = true;
        summary.inherited.push_back(
            "sbrk returns the break as an int, beyond 2 GiB another address (bare trees before 2022 do too)");
    }
    if (!probed.past_top) return;
    traits.lazy_sbrk_has_no_limit = true;
    if (vintage.from == 2025)
        summary.inherited.push_back(
            "lazy sbrk lets the break pass the trapframe (in the bare tree of 2025 too), which is not asked of it");
    else
        summary.wrong.push_back(heap_over_trapframe(*probed.past_top, layout));
}

// Whether exec leaves out pages of a program that it can bring in when they are touched, be it from the file.
bool comes_at_first_touch(spec::Layout const& layout) {
    return std::any_of(layout.image.begin(), layout.image.end(),
                       [](spec::ImagePage const& page) { return page.rights.user && !page.mapped; });
}

spec::Setting describe_kernel(map::KernelMap const& map, Booted const& booted, observe::Windows const& windows,
                              spec::Observation const& p0, Disk const& disk) {
    spec::Setting setting;
    setting.layout = find_layout(p0, booted.heap);
    setting.data_file = disk.data_file;
    if (map.processes) setting.traits.processes_max = static_cast<std::uint32_t>(map.processes->count);
    setting.traits.frames_total = windows.free_list
                                      ? windows.free_list->length()
                                      : (booted.board.ram_end().value - booted.board.ram_start().value) / kPageBytes;
    setting.traits.first_free_descriptor = static_cast<std::uint32_t>(booted.descriptors.data_file) + 1;
    return setting;
}

}  // namespace

KernelTarget::KernelTarget(KernelOptions options, std::shared_ptr<BootedKernel const> kernel, TargetSummary summary)
    : options_(std::move(options)), kernel_(std::move(kernel)), summary_(std::move(summary)) {
    auto const one_at_a_time = std::make_shared<std::mutex>();
    scarce_ = std::make_shared<LazyKernel>(
        [kernel = kernel_]() -> LazyKernel::Made {
            if (kernel->setting->traits.pages_in_memory)
                return tl::unexpected<std::string>("The kernel moves pages out of memory.");
            return with_ballast(kernel);
        },
        one_at_a_time);
    for (std::uint32_t harts = 2; harts <= spec::kHartsMax; ++harts)
        by_harts_[harts] = std::make_shared<LazyKernel>(
            [kernel = kernel_, options = options_, harts] { return with_harts(*kernel, options, harts); },
            one_at_a_time);
}

tl::expected<std::unique_ptr<KernelTarget>, BootError> KernelTarget::boot(KernelOptions const& asked) {
    auto const started = std::chrono::steady_clock::now();
    auto up = bring_up(asked);
    if (!up) return tl::unexpected(up.error());
    KernelOptions options = asked;
    options.ram_bytes = up->booted.config.ram_bytes;
    options.disk = up->disk;
    options.reached = up->booted.config.reached;
    auto const& image = up->image;
    auto* const booted = &up->booted;
    auto kernel = std::make_shared<BootedKernel>();
    kernel->image = image;
    kernel->map = up->map;

    TargetSummary summary;
    summary.name = options.tree.value_or(options.kernel).string();
    summary.as_found = options.built && !options.built->scratch;
    if (options.built) summary.left_out = options.built->left_out;
    summary.ram_bytes = booted->config.ram_bytes;
    summary.image = options.kernel;
    summary.legacy_disk = booted->config.disk_interface == board::DiskInterface::legacy;
    find_never_called(system_calls_of(*image, options.tree), summary);
    spec::Observation p0;
    auto windows = find_windows(*kernel->map, *booted, summary, p0);
    auto setting = describe_kernel(*kernel->map, *booted, windows, p0, *up->disk);
    if (comes_at_first_touch(setting.layout))
        summary.windows.emplace_back("pages of a program that may come at their first touch");
    if (setting.layout.has_usyscall()) summary.windows.emplace_back("a read-only page below the trapframe (usyscall)");
    auto golden = booted->board.take_golden(options.like);
    if (!golden) return tl::unexpected(BootError{golden.error().message, BootError::Kind::machine});
    kernel->windows = std::make_shared<observe::Windows const>(std::move(windows));
    kernel->golden = *golden;
    kernel->config = booted->config;
    kernel->entries = booted->entries;
    kernel->agents = booted->agents;
    kernel->descriptors = booted->descriptors;
    kernel->budgets = options.budgets;

    // Probed on a provisional setting; what is found makes the real one.
    kernel->setting = std::make_shared<spec::Setting const>(setting);
    KernelExecution execution(kernel, std::move(booted->board));
    auto const probed = probe(execution, setting, names_swapping(*image));
    if (auto failure = execution.engine_failure())
        return tl::unexpected(BootError{std::move(*failure), BootError::Kind::machine});
    if (!probed) return tl::unexpected(BootError{probed.error().message + ".", BootError::Kind::kernel, image->name()});
    // Some make a page table of all memory for each process.
    constexpr std::uint64_t kAsLongAsItsFork = 8;
    kernel->budgets.step.value = std::max(kernel->budgets.step.value, kAsLongAsItsFork * probed->fork_takes.value);
    setting.profile = options.profile.value_or(asked_for(probed->profile, options.lab));
    summary.instead = instead_of(setting.profile, probed->profile);
    setting.traits.sbrk_takes_mode = probed->sbrk_takes_mode;
    setting.traits.sbrk_keeps_to_the_heap = probed->sbrk_keeps_to_the_heap;
    advise_on_mark(probed->fork_mark, summary);
    bool const all_segments_rwx = ignores_segment_rights(p0.processes.front(), booted->heap);
    // The same kernels map what sbrk gives as they map the image (uvmalloc in kernel/vm.c); a lazy one need not, nor
    // need a copy keep X. Where it may be missing is in spec/checks/rights.cpp.
    setting.layout.heap_rights.execute = all_segments_rwx;
    if (booted->has_programs && !probed->pages_in_memory)
        setting.set_more_pages(pages_of_large(all_segments_rwx, comes_at_first_touch(setting.layout)));
    else if (!booted->has_programs)
        summary.missing.push_back("Its disk has no room for a second program. exec is checked with /init alone.");
    setting.traits.arranges_arguments_otherwise = probed->arranges_arguments_otherwise;
    inherit(find_vintage(*image, {all_segments_rwx, probed->sbrk_takes_mode}, options.tree), *probed, setting.layout,
            setting.traits, summary);
    if (probed->pages_in_memory) {
        // Zombies may have more than the model sees, and an sbrk or exec both what was and what will be.
        setting.traits.pages_in_memory = *probed->pages_in_memory * 3 / 4;
        summary.missing.push_back(fmt::format(
            "The kernel moves pages out of memory when all processes together have {}. Programs have fewer, "
            "and exec only /init; what it does beyond is not checked.",
            *probed->pages_in_memory));
    }
    setting.traits.frames_per_process = probed->frames_per_process;
    setting.traits.frames_beside_vary = probed->frames_beside_vary;
    if (probed->frames_beside_vary)
        summary.missing.push_back(
            "A process holds frames beside its page table, and not always as many (for a kernel page table of its "
            "own?). "
            "I6 is not checked.");
    if (kernel->windows->processes && !probed->break_is_seen) {
        auto windows_without_breaks = std::make_shared<observe::Windows>(*kernel->windows);
        windows_without_breaks->processes->forget_breaks();
        kernel->windows = std::move(windows_without_breaks);
    }
    auto final = std::make_shared<BootedKernel>(*kernel);
    if (!kernel->windows->counts && probed->profile.fork == spec::ForkPolicy::eager) {
        summary.nothing_counted = true;
        summary.windows.push_back("fork copies: nothing is counted");
    } else if (!kernel->windows->counts && !kernel->map->reference_counts) {
        auto windows_with_counts = std::make_shared<observe::Windows>(*kernel->windows);
        if (auto found = find_reference_counts(execution, kernel->map->candidates, *image)) {
            summary.windows.push_back("counts " + describe(found->layout, found->raw_for_one) +
                                      (found->layout.by_use ? ", recognised by its use; not checked on several harts"
                                                            : ", found by probing"));
            windows_with_counts->counts.emplace(std::move(found->counts));
            windows_with_counts->raw_count_for_one = found->raw_for_one;
        } else {
            summary.missing.push_back(
                "No array of reference counts by frame, or words with keys beside them, was recognised. I4 is not "
                "checked.");
        }
        final->windows = std::move(windows_with_counts);
    }
    final->setting = std::make_shared<spec::Setting const>(std::move(setting));
    summary.profile = profile_in_words(final->setting->profile, probed->sbrk_takes_mode);
    summary.boot_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    return std::unique_ptr<KernelTarget>(new KernelTarget(options, std::move(final), std::move(summary)));
}

tl::expected<std::unique_ptr<KernelExecution>, BootError> KernelTarget::start_on_board() const {
    return KernelExecution::start(kernel_);
}

Anatomy KernelTarget::anatomy() const {
    KernelEntries const& entries = kernel_->entries;
    SyscallNumbers const& numbers = entries.numbers;
    Anatomy anatomy{.panic = entries.panic,
                    .allocate = entries.allocate,
                    .free_lists = entries.free_list_heads,
                    .pipe = numbers.of(syscalls::kPipe),
                    .open = numbers.of(syscalls::kOpen),
                    .exec = numbers.of(syscalls::kExec),
                    .sleep = numbers.of(syscalls::kSleep),
                    .sbrk = numbers.of(syscalls::kSbrk),
                    .wait = numbers.of(syscalls::kWait),
                    .disk = {options_.disk, &options_.disk->bytes}};
    // Of the ways to count, the plainest alone.
    auto const& counts = kernel_->windows->counts;
    if (counts && counts->layout().arrays == 1 && !counts->layout().key && !counts->layout().never_shared) {
        map::ReferenceCounts const& layout = counts->layout();
        anatomy.counts = Anatomy::Counts{.base = layout.base,
                                         .bytes = layout.element_bytes,
                                         .stride = layout.stride,
                                         .is_signed = layout.is_signed,
                                         .behind_pointer = layout.behind_pointer,
                                         .offset = layout.offset_behind_pointer,
                                         .first = counts->index_base(),
                                         .for_one = kernel_->windows->raw_count_for_one};
    }
    return anatomy;
}

Coverage KernelTarget::coverage() const {
    auto const has_run = [&](map::CodeRange const& code) {
        auto const from = kernel_->image->to_physical(code.from);
        return from && options_.reached->any(*from, *from + (code.to.value - code.from.value));
    };
    Coverage coverage;
    for (map::CodeFunction& each : map::functions_of(*kernel_->image, *kernel_->map)) {
        Coverage::Function function{.name = std::move(each.name),
                                    .file = std::move(each.file),
                                    .about_memory = each.about_memory,
                                    .reached = std::ranges::any_of(each.code, has_run)};
        for (map::CodeLine const& line : each.lines)
            function.lines.push_back({line.number, std::ranges::any_of(line.code, has_run), line.only_panics});
        coverage.functions.push_back(std::move(function));
    }
    return coverage;
}

tl::expected<std::unique_ptr<KernelMachine>, BootError> KernelTarget::start_machine() const {
    auto execution = start_on_board();
    if (!execution) return tl::unexpected(execution.error());
    return std::make_unique<KernelMachine>(std::move(*execution), scarce_, by_harts_);
}

tl::expected<std::unique_ptr<Execution>, BootError> KernelTarget::start() const {
    auto machine = start_machine();
    if (!machine) return tl::unexpected(machine.error());
    return std::unique_ptr<Execution>(std::move(*machine));
}

tl::expected<std::unique_ptr<Target>, BootError> KernelTarget::reboot(spec::Profile profile,
                                                                      std::stop_token stop) const {
    KernelOptions options = options_;
    options.profile = profile;
    options.stop = std::move(stop);
    options.like = kernel_->golden;
    auto target = boot(options);
    if (!target) return tl::unexpected(target.error());
    return std::unique_ptr<Target>(std::move(*target));
}

}  // namespace vmcheck
