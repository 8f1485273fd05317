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

// The uses of each frame, one frame after the other; tables first, then trapframes, then memory.
class Uses {
  public:
    explicit Uses(FrameMap const& map)
        : references_(map.references()), tables_(map.table_frames()), top_(map.layout().top.page()) {}

    // The next frame's uses; empty when there are no more.
    std::span<Use const> next() {
        uses_.clear();
        if (references_.empty() && tables_.empty()) return uses_;
        FrameNo const frame = references_.empty() ? tables_.front().frame
                              : tables_.empty()   ? references_.front().frame
                                                  : std::min(tables_.front().frame, references_.front().frame);
        for (; !tables_.empty() && tables_.front().frame == frame; tables_ = tables_.subspan(1))
            uses_.push_back(Use{frame, Role::table, tables_.front().process, Vpn{}});
        for (; !references_.empty() && references_.front().frame == frame; references_ = references_.subspan(1)) {
            Reference const& reference = references_.front();
            bool const registers = !reference.rights.user && reference.page >= top_;
            uses_.push_back(
                Use{frame, registers ? Role::saved_registers : Role::memory, reference.process, reference.page});
        }
        if (uses_.size() > 1)
            std::stable_sort(uses_.begin(), uses_.end(), [](Use const& a, Use const& b) { return a.role < b.role; });
        return uses_;
    }

  private:
    std::span<Reference const> references_;
    std::span<TableFrame const> tables_;
    Vpn top_;
    std::vector<Use> uses_;
};

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
    Uses uses{map};
    bool list_known = false;
    for (auto same_frame = uses.next(); !same_frame.empty(); same_frame = uses.next()) {
        check_roles(map, same_frame, checked);
        Use const& first = same_frame.front();
        auto const free = map.observation().memory->on_free_list(first.frame);
        list_known = list_known || free.has_value();
        if (free.value_or(false)) checked.violations.push_back(at_use(map, first, FreeInUse{told(map, first)}));
    }
    checked.judged = list_known;
    checked.skipped = !list_known;
    return checked;
}

namespace {

std::uint64_t reachable_frames(FrameMap const& map) {
    std::uint64_t frames = 0;
    Uses uses{map};
    while (!uses.next().empty()) ++frames;
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
