// I5 no dangling: no mapped or page-table frame is on the free list, or in two roles; the list is sound.
// I6 conservation: free + reachable frames are constant.

#include "spec/checks/frame_map.h"

#include <algorithm>

namespace vmcheck::spec {

namespace {

using Role = FrameUse::Role;

// One use of a frame by a process.
struct Use {
    FrameNo frame;
    Role role;
    ProcId process;
    Vpn page;  // of a leaf
};

// Calls `visit` with the tables and the leaves that use a frame, for each frame, ascending.
template <class Visit>
void for_each_frame(FrameMap const& map, Visit visit) {
    auto references = map.references();
    auto tables = map.table_frames();
    while (!references.empty() || !tables.empty()) {
        FrameNo const frame = references.empty() ? tables.front().frame
                              : tables.empty()   ? references.front().frame
                                                 : std::min(tables.front().frame, references.front().frame);
        std::size_t as_tables = 0, as_leaves = 0;
        while (as_tables < tables.size() && tables[as_tables].frame == frame) ++as_tables;
        while (as_leaves < references.size() && references[as_leaves].frame == frame) ++as_leaves;
        visit(tables.first(as_tables), references.first(as_leaves));
        tables = tables.subspan(as_tables);
        references = references.subspan(as_leaves);
    }
}

Use use_of(FrameMap const& map, Reference const& leaf) {
    bool const registers = !leaf.rights.user && leaf.page >= map.layout().top.page();
    return {leaf.frame, registers ? Role::saved_registers : Role::memory, leaf.process, leaf.page};
}

// Of one frame: tables first, then trapframes, then memory.
std::vector<Use> uses_of(FrameMap const& map, std::span<TableFrame const> tables, std::span<Reference const> leaves) {
    std::vector<Use> uses;
    for (TableFrame const& each : tables) uses.push_back({each.frame, Role::table, each.process, Vpn{}});
    for (Reference const& each : leaves) uses.push_back(use_of(map, each));
    std::stable_sort(uses.begin(), uses.end(), [](Use const& a, Use const& b) { return a.role < b.role; });
    return uses;
}

FrameUse told(FrameMap const& map, Use const& use) {
    Address const place =
        use.role == Role::memory ? place_of(map.world().layout_of(use.process), start_of(use.page)) : Address{};
    return {use.role, use.process, place};
}

Violation at_use(FrameMap const& map, Use const& use, Facts facts) {
    Violation violation{.invariant = Invariant::dangling, .process = use.process, .facts = std::move(facts)};
    if (use.role != Role::table) {
        violation.address = start_of(use.page);
        violation.place = place_of(map.world().layout_of(use.process), *violation.address);
    }
    return violation;
}

void check_structures(FrameMap const& map, Checked& checked) {
    if (std::string const& list = map.observation().free_list_broken; !list.empty())
        checked.violations.push_back({.invariant = Invariant::dangling, .facts = FreeListBroken{list}});
    for (ObservedProcess const& process : map.observation().processes)
        if (!process.broken.empty())
            checked.violations.push_back(
                {.invariant = Invariant::dangling, .process = process.id, .facts = TableBroken{process.broken}});
}

// A table or a trapframe belongs to one process and to one place in it; only user memory may be shared.
void check_roles(FrameMap const& map, std::span<Use const> same_frame, Checked& checked) {
    if (same_frame.size() < 2 || same_frame.front().role == Role::memory) return;
    checked.violations.push_back(
        at_use(map, same_frame[1], TwoRoles{told(map, same_frame[0]), told(map, same_frame[1]), same_frame.size()}));
}

}  // namespace

Checked dangling_in(FrameMap const& map) {
    Checked checked;
    check_structures(map, checked);
    bool list_known = false;
    Vpn const top = map.layout().top.page();
    for_each_frame(map, [&](std::span<TableFrame const> tables, std::span<Reference const> leaves) {
        FrameNo const frame = tables.empty() ? leaves.front().frame : tables.front().frame;
        auto const free = map.observation().memory->on_free_list(frame);
        list_known = list_known || free.has_value();
        // Nearly every frame is the memory of processes and no more, or has one use.
        bool const plain = tables.size() + leaves.size() == 1 ||
                           (tables.empty() && std::ranges::none_of(leaves, [&](Reference const& each) {
                                return !each.rights.user && each.page >= top;
                            }));
        if (plain && !free.value_or(false)) return;
        auto const uses = uses_of(map, tables, leaves);
        check_roles(map, uses, checked);
        Use const& first = uses.front();
        if (free.value_or(false)) checked.violations.push_back(at_use(map, first, FreeInUse{told(map, first)}));
    });
    checked.judged = list_known;
    checked.skipped = !list_known;
    return checked;
}

namespace {

std::uint64_t reachable_frames(FrameMap const& map) {
    std::uint64_t frames = 0;
    for_each_frame(map, [&](auto const&, auto const&) { ++frames; });
    return frames;
}

}  // namespace

std::optional<Baseline> take_baseline(World const& world, Observation const& observation) {
    if (!observation.census.free || world.setting().traits.frames_beside_vary) return std::nullopt;
    FrameMap const map{world, observation};
    return Baseline{*observation.census.free + reachable_frames(map)};
}

Baseline without_found(Baseline baseline, World const& world, Observation const& observation) {
    auto const seen = baseline.lost == 0 ? std::nullopt : take_baseline(world, observation);
    if (!seen) return baseline;
    std::uint64_t const frames =
        seen->accounted_frames + world.setting().traits.frames_per_process * (world.running().size() - 1);
    if (frames <= baseline.accounted_frames)
        baseline.lost = std::min(baseline.lost, baseline.accounted_frames - frames);
    return baseline;
}

Checked conservation_in(FrameMap const& map, std::optional<Baseline> const& baseline) {
    Checked checked;
    auto const free = map.observation().census.free;
    bool const walked = std::all_of(map.observation().processes.begin(), map.observation().processes.end(),
                                    [](ObservedProcess const& process) { return process.broken.empty(); });
    if (!baseline || !free || !map.complete() || !walked) {
        checked.skipped = true;
        return checked;
    }
    checked.judged = true;
    World const& world = map.world();
    std::uint64_t const each = world.setting().traits.frames_per_process;
    std::uint64_t const seen = *free + reachable_frames(map);
    // A zombie's invisible frames (a kernel stack, say) may be gone or not.
    std::uint64_t const with_living = seen + each * (world.running().size() - 1);
    std::uint64_t const with_zombies = seen + each * (world.processes().size() - 1);
    std::uint64_t const most = baseline->accounted_frames, least = most - baseline->lost;
    if (with_living <= most && least <= with_zombies) return checked;
    checked.violations.push_back(
        {.invariant = Invariant::conservation,
         .facts = with_zombies < least ? WrongTotal{least, with_zombies} : WrongTotal{most, with_living}});
    return checked;
}

}  // namespace vmcheck::spec
