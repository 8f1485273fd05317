#include "impl/boot/probe.h"

#include "impl/agent/agent.h"
#include "impl/boot/boot.h"
#include "spec/advance.h"
#include "spec/bytes.h"
#include "spec/invariants.h"
#include "spec/world.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

namespace vmcheck {

namespace {

// xv6 kernel/memlayout.h and riscv.h: the top of every user address space in the family.
constexpr VirtAddr kMaxVa{std::uint64_t{1} << 38};

spec::ObservedPage const* page_in(spec::ObservedProcess const& process, Vpn page) {
    auto const at = std::lower_bound(process.pages.begin(), process.pages.end(), page,
                                     [](spec::ObservedPage const& each, Vpn wanted) { return each.page < wanted; });
    return at != process.pages.end() && at->page == page ? &*at : nullptr;
}

spec::Contents contents_of(elf::KernelImage const& image, Vpn page) {
    auto bytes = std::make_shared<spec::PageBytes>();
    bytes->fill(std::byte{0});
    VirtAddr const wanted = start_of(page);
    for (elf::Segment const& segment : image.segments()) {
        VirtAddr const from = std::max(wanted, segment.linked);
        VirtAddr const to = std::min(wanted + kPageBytes, segment.linked + segment.bytes.size());
        if (from < to)
            std::memcpy(bytes->data() + from.offset(), segment.bytes.data() + (from.value - segment.linked.value),
                        to.value - from.value);
    }
    return bytes;
}

// Nobody knows yet how long a kernel takes.
constexpr std::uint64_t kPagesOfAFirstStep = std::uint64_t{1} << 16;

spec::Address absolute(VirtAddr at) {
    return {spec::Anchor::absolute, static_cast<std::int64_t>(at.value)};
}

// Of what the machine survives.
std::string what_became(spec::Completion const& what) {
    if (auto const* returned = std::get_if<spec::Returned>(&what))
        return fmt::format("it returns {}", static_cast<std::int64_t>(returned->value));
    if (std::holds_alternative<spec::Blocked>(what)) return "the process sleeps in the kernel";
    return "the process is killed";
}

// Runs one step of p0 that must return a value that is not negative.
tl::expected<std::uint64_t, BootError> must_return(KernelExecution& execution, spec::Action const& action) {
    spec::Step const step{spec::kInit, action};
    spec::Completion const what = execution.run(step, kPagesOfAFirstStep).outcome.what;
    if (auto const value = success(what)) return *value;
    return tl::unexpected(
        BootError{fmt::format("the kernel boots, but its first {} fails: {}", spec::kind_name(step.action),
                              describe(what, "the kernel panics", what_became(what)))});
}

// What a step of p0 returned; -1 for anything else.
std::int64_t result_of(KernelExecution& execution, spec::Action const& action) {
    spec::Outcome const outcome = execution.run({spec::kInit, action, {}}, kPagesOfAProbe).outcome;
    auto const* returned = std::get_if<spec::Returned>(&outcome.what);
    return returned == nullptr ? -1 : static_cast<std::int64_t>(returned->value);
}

// Two of the defects that some bare trees have (spec::Traits). Each ends as it may: these are looks, not judgements.
void probe_copies(KernelExecution& execution, spec::Layout const& layout, ProbeResult& found) {
    execution.reset();
    found.copyout_ignores_write_right = result_of(execution, spec::FileRead{absolute(layout.rodata + 2048), 8}) == 8;
    execution.reset();
    // The data file starts with its own path of five bytes; read to the end of a page, it ends in the next one.
    VirtAddr const path = layout.heap + (kPageBytes - 5);
    bool const written =
        result_of(execution, spec::Sbrk{2 * static_cast<std::int64_t>(kPageBytes), spec::SbrkMode::lazy}) >= 0 &&
        result_of(execution, spec::FileRead{absolute(path), 5}) == 5;
    found.copyinstr_skips_reserved = written && result_of(execution, spec::Open{absolute(path)}) < 0;
}

// Whether sbrk refuses to go below the heap's start: with no heap, with one, and with a stack pointer that is not where
// a kernel might expect it.
bool keeps_to_the_heap(KernelExecution& execution, spec::Layout const& layout) {
    auto const refuses = [&](std::int64_t bytes) { return result_of(execution, spec::Sbrk{bytes}) < 0; };
    execution.reset();
    if (!refuses(-kPage) || result_of(execution, spec::Sbrk{kPage}) < 0 || !refuses(-2 * kPage)) return false;
    result_of(execution, spec::SetSp{absolute(layout.data + kPageBytes)});
    return refuses(-2 * kPage) && refuses(-kPage - 1);
}

// How many pages all processes had together when one was gone for the first time after the grower, init or one of its
// children, had touched a new one; nothing where none was.
std::optional<std::uint64_t> pages_before_one_goes(KernelExecution& execution, spec::Layout const& layout,
                                                   spec::ProcId grower) {
    constexpr std::uint64_t kMost = 256;
    auto const pages = [&] {
        std::uint64_t all = 0;
        for (spec::ObservedProcess const& process : execution.observe().processes)
            all += static_cast<std::uint64_t>(std::count_if(process.pages.begin(), process.pages.end(),
                                                            [](auto const& page) { return page.rights.user; }));
        return all;
    };
    auto const done = [&](spec::Action const& action) {
        return success(execution.run({grower, action, {}}, kPagesOfAProbe).outcome.what).has_value();
    };
    execution.reset();
    for (std::uint32_t child = 1; child <= grower.value; ++child)
        if (result_of(execution, spec::Fork{spec::ProcId{child}}) < 0) return {};
    std::uint64_t before = pages();
    for (std::uint64_t i = 0; i < kMost; ++i) {
        if (!done(spec::Sbrk{kPageBytes}) || !done(spec::Store{absolute(layout.heap + i * kPageBytes), 1, 1}))
            return {};
        std::uint64_t const now = pages();
        if (now <= before) return before;
        before = now;
    }
    return {};
}

// Some count the pages of each process; those that swap often spare init and the shell.
std::optional<std::uint64_t> pages_in_memory(KernelExecution& execution, spec::Layout const& layout) {
    auto const child = pages_before_one_goes(execution, layout, spec::ProcId{2});
    auto const init = child ? pages_before_one_goes(execution, layout, spec::kInit) : std::nullopt;
    return init ? std::min(init, child) : child;
}

// What is where it is on the stack is for the model to say, as long as the arguments are there.
bool arranges_arguments_otherwise(KernelExecution& execution, spec::World const& world) {
    execution.reset();
    spec::Step const exec{spec::kInit, spec::Exec{spec::Executable::init, absolute(agent::kArguments)}, {}};
    auto const after = spec::advance(world, exec, execution.run(exec, kPagesOfAFirstStep).outcome, {});
    if (!after) return false;
    spec::Observation const seen = execution.observe();
    Vpn const stack = (world.setting().layout.stack - 1).page();
    spec::CheckCounts counts;
    auto const violations = spec::inspect(spec::settle(*after, seen), seen, std::nullopt, counts);
    auto const* page = page_in(seen.processes.front(), stack);
    if (page == nullptr || !page->in_ram || !seen.memory) return false;
    auto const bytes = seen.memory->bytes(page->frame);
    using namespace std::string_view_literals;
    constexpr auto kArgument = "/data\0"sv;  // with its end
    bool const there =
        std::search(bytes.begin(), bytes.end(), kArgument.begin(), kArgument.end(),
                    [](std::byte byte, char wanted) { return byte == static_cast<std::byte>(wanted); }) != bytes.end();
    return there && std::any_of(violations.begin(), violations.end(), [&](spec::Violation const& each) {
               return each.invariant == spec::Invariant::contents && each.address && each.address->page() == stack;
           });
}

// p0's, as the kernel keeps it.
std::optional<std::uint64_t> break_in(KernelExecution& execution) {
    return execution.observe().processes.front().brk;
}

// Whether the kernel map shows the break that sbrk goes by, wherever that is moved to: others may mean by `sz` what is
// mapped, or round it.
bool shows_the_break(KernelExecution& execution) {
    constexpr std::array<std::int64_t, 4> kMoves{0, 1, kPageBytes + 8, -5};
    execution.reset();
    return std::all_of(kMoves.begin(), kMoves.end(), [&](std::int64_t bytes) {
        result_of(execution, spec::Sbrk{bytes});
        auto const returned = static_cast<std::uint64_t>(result_of(execution, spec::Sbrk{0}));
        return break_in(execution) == returned;
    });
}

// Whether lazy sbrk takes the break over the trapframe, be it by a page. The process is not brought to its end: some of
// these kernels panic then.
std::optional<PastTop> grow_past_top(KernelExecution& execution, spec::Layout const& layout, ProbeResult& found) {
    execution.reset();
    VirtAddr const goal = layout.trapframe + kPageBytes;
    auto const grow = [&](VirtAddr from, VirtAddr to) {
        auto const bytes = static_cast<std::int64_t>(to.value - from.value);
        auto const returned = static_cast<std::uint64_t>(result_of(execution, spec::Sbrk{bytes, spec::SbrkMode::lazy}));
        // What it returns need not be what it did.
        if (!found.break_is_seen) return returned == from.value;
        bool const grown = break_in(execution) == to.value;
        bool const truncated = returned != from.value && returned == as_int(from.value);
        found.sbrk_returns_int = found.sbrk_returns_int || (grown && truncated);
        return grown && (truncated || returned == from.value);
    };
    PastTop seen{0, layout.heap, goal};
    for (; goal.value - seen.from.value > PastTop::kMostOfAnSbrk; ++seen.calls) {
        VirtAddr const next = seen.from + PastTop::kMostOfAnSbrk;
        if (!grow(seen.from, next)) return std::nullopt;
        seen.from = next;
    }
    return grow(seen.from, seen.to) ? std::optional{seen} : std::nullopt;
}

// The leaf PTE of a process's page; 0 where there is none.
std::uint64_t pte_of(board::Board const& board, spec::ObservedProcess const& process, Vpn page) {
    if (process.table_frames.empty()) return 0;
    observe::Ram const ram = observe::ram_of(board);
    std::uint64_t pte = 0;
    PhysAddr table = start_of(process.table_frames.front());
    for (unsigned level = 3; level-- > 0;) {
        pte = ram.load(table + (page.value >> (9 * level) & 511) * 8, 8).value_or(0);
        table = PhysAddr{(pte >> 10 & ((std::uint64_t{1} << 44) - 1)) << 12};
    }
    return pte;
}

// Whether p1, which has just been forked, comes by frames with a store that its page table does not show, and gives
// them back at its end. `forked`: the account with it.
bool frames_beside_vary(KernelExecution& execution, spec::World const& world,
                        std::optional<spec::Baseline> const& forked) {
    constexpr spec::ProcId kChild{1};
    std::int64_t const data = static_cast<std::int64_t>(world.setting().layout.data.value) + 128;
    auto const step = [&](spec::ProcId actor, spec::Action const& action) {
        return !spec::is_mishap(execution.run({actor, action, {}}, kPagesOfAFirstStep).outcome);
    };
    if (!step(kChild, spec::Store{{spec::Anchor::absolute, data}, 8, 2})) return false;
    auto const stored = spec::take_baseline(world, execution.observe());
    if (!forked || !stored || stored->accounted_frames >= forked->accounted_frames) return false;
    std::uint64_t const missing = forked->accounted_frames - stored->accounted_frames;
    if (!step(kChild, spec::Exit{0}) || !step(spec::kInit, spec::Wait{})) return false;
    // A leak is still missing.
    if (!step(spec::kInit, spec::Fork{kChild})) return false;
    auto const again = spec::take_baseline(world, execution.observe());
    return again && again->accounted_frames + missing > forked->accounted_frames;
}

bool is_mapped(spec::Observation const& seen, Vpn page) {
    return page_in(seen.processes.front(), page) != nullptr;
}

}  // namespace

// Kernels before 2022 ignore the segments' flags and map all of an image read-write-execute (xv6 kernel/exec.c).
bool ignores_segment_rights(spec::ObservedProcess const& p0, VirtAddr heap) {
    return std::all_of(p0.pages.begin(), p0.pages.end(), [heap](spec::ObservedPage const& page) {
        return !page.rights.user || page.rights == spec::Rights{true, true, true, true} || page.page >= heap.page();
    });
}

constexpr spec::Rights kReadExecute{true, false, true, true}, kReadOnly{true, false, false, true},
    kReadWrite{true, true, false, true}, kAll{true, true, true, true};

std::vector<spec::ImagePage> pages_of_large(bool all_rights, bool at_first_touch) {
    auto const image = elf::KernelImage::parse(agent::elf_file(spec::Executable::large), "agent", elf::kUserSpace);
    std::vector<spec::ImagePage> pages;
    for (Vpn page = agent::kMoreText.page(); page < agent::kLargeEnd.page(); page = page + 1) {
        spec::Rights const rights = page < agent::kMoreData.page() ? kReadExecute : kReadWrite;
        auto contents = page > agent::kMoreData.page() ? spec::zero_page() : contents_of(*image, page);
        pages.push_back({page, all_rights ? kAll : rights, !at_first_touch, std::move(contents)});
    }
    return pages;
}

spec::Layout find_layout(spec::Observation const& seen, VirtAddr heap) {
    spec::ObservedProcess const& p0 = seen.processes.front();
    auto const image = elf::KernelImage::parse(agent::elf_file(spec::Executable::init), "agent", elf::kUserSpace);
    bool const all_rights = ignores_segment_rights(p0, heap);
    spec::Layout layout;
    auto const add = [&](Vpn page, spec::Rights rights, spec::Contents contents) {
        if (all_rights && rights.user) rights = kAll;
        layout.image.push_back({page, rights, page_in(p0, page) != nullptr, std::move(contents)});
    };
    constexpr spec::Rights kNone{};
    add(agent::kCode.page(), kReadExecute, contents_of(*image, agent::kCode.page()));
    add(agent::kVictimText.page(), kReadExecute, contents_of(*image, agent::kVictimText.page()));
    add(agent::kVictimRodata.page(), kReadOnly, contents_of(*image, agent::kVictimRodata.page()));
    add(agent::kVictimData.page(), kReadWrite, contents_of(*image, agent::kVictimData.page()));
    add(agent::kVictimBss.page(), kReadWrite, spec::zero_page());
    add(agent::kImageEnd.page(), kNone, nullptr);
    for (Vpn page = agent::kImageEnd.page() + 1; start_of(page) < heap; page = page + 1)
        add(page, kReadWrite, spec::zero_page());
    layout.text = agent::kVictimText;
    layout.rodata = agent::kVictimRodata;
    layout.data = agent::kVictimData;
    layout.bss = agent::kVictimBss;
    layout.guard = agent::kImageEnd;
    layout.stack = heap;
    layout.heap = heap;
    layout.trampoline = kMaxVa - kPageBytes;
    layout.trapframe = layout.trampoline - kPageBytes;
    layout.top = layout.trapframe;
    // In the course's page-table lab the kernel shows something of its own there: USYSCALL.
    Vpn const below = (layout.trapframe - kPageBytes).page();
    if (auto const* page = page_in(p0, below); page != nullptr && page->rights.user && page->rights.read) {
        layout.image.push_back({below, kReadOnly, true, nullptr});
        layout.top = start_of(below);
    }
    layout.maxva = kMaxVa;
    layout.kernel = VirtAddr{board::kRamStart.value};
    layout.agent_end = agent::kVictimText;
    return layout;
}

tl::expected<ProbeResult, BootError> probe(KernelExecution& execution, spec::Setting const& provisional,
                                           bool may_swap) {
    ProbeResult found;
    VirtAddr const heap = provisional.layout.heap;
    auto const world = spec::World::initial(std::make_shared<spec::Setting const>(provisional));

    // sbrk: is the new page mapped at once, in either mode of the kernels that have two?
    execution.reset();
    auto const lazily = must_return(execution, spec::Sbrk{kPageBytes, spec::SbrkMode::lazy});
    if (!lazily) return tl::unexpected(lazily.error());
    bool const mapped_when_lazy = is_mapped(execution.observe(), heap.page());
    auto const eagerly = must_return(execution, spec::Sbrk{kPageBytes, spec::SbrkMode::eager});
    if (!eagerly) return tl::unexpected(eagerly.error());
    bool const mapped_when_eager = is_mapped(execution.observe(), heap.page() + 1);
    if (auto const stored = must_return(execution, spec::Store{absolute(heap), 1, 1}); !stored)
        return tl::unexpected(stored.error());
    found.profile.sbrk = mapped_when_lazy ? spec::SbrkPolicy::eager : spec::SbrkPolicy::lazy;
    found.sbrk_takes_mode = mapped_when_lazy != mapped_when_eager;

    // fork: does the child map the parent's frame of a page that both may write?
    execution.reset();
    auto const stored = must_return(execution, spec::Store{absolute(provisional.layout.data + 128), 8, 1});
    if (!stored) return tl::unexpected(stored.error());
    Vpn const data = provisional.layout.data.page();
    std::uint64_t const unshared = pte_of(execution.board(), execution.observe().processes.front(), data);
    auto const before = spec::take_baseline(world, execution.observe());
    board::Parcels const began = execution.board().elapsed();
    auto const forked = must_return(execution, spec::Fork{spec::ProcId{1}});
    found.fork_takes = execution.board().elapsed() - began;
    if (!forked) return tl::unexpected(forked.error());
    spec::Observation const seen = execution.observe();
    if (seen.processes.size() < 2)
        return tl::unexpected(BootError{"the kernel boots, but the child of its first fork never runs"});
    auto const* parents = page_in(seen.processes[0], provisional.layout.data.page());
    auto const* childs = page_in(seen.processes[1], provisional.layout.data.page());
    bool const shared = parents != nullptr && childs != nullptr && parents->frame == childs->frame;
    found.profile.fork = shared ? spec::ForkPolicy::cow : spec::ForkPolicy::eager;
    if (shared) {
        constexpr std::uint64_t kAccessedOrDirty = 0xc0;
        found.fork_mark = pte_of(execution.board(), seen.processes[1], data) & ~unshared & ~kAccessedOrDirty;
    }
    auto const after = spec::take_baseline(world, seen);
    if (before && after && before->accounted_frames > after->accounted_frames)
        found.frames_per_process = before->accounted_frames - after->accounted_frames;
    found.frames_beside_vary = frames_beside_vary(execution, world, after);
    probe_copies(execution, provisional.layout, found);
    found.arranges_arguments_otherwise = arranges_arguments_otherwise(execution, world);
    found.sbrk_keeps_to_the_heap = keeps_to_the_heap(execution, provisional.layout);
    found.break_is_seen = shows_the_break(execution);
    if (may_swap) found.pages_in_memory = pages_in_memory(execution, provisional.layout);
    if (found.profile.sbrk == spec::SbrkPolicy::lazy)
        found.past_top = grow_past_top(execution, provisional.layout, found);
    execution.reset();
    return found;
}

}  // namespace vmcheck
