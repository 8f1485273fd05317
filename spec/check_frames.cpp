// I5 no dangling: no mapped or page-table frame is on the free list, or in two roles; the list is sound.
// I6 conservation: free + reachable frames are constant.

#include "spec/picture.h"

#include <fmt/format.h>

#include <algorithm>

namespace vmcheck::spec {

namespace {

enum class Role : std::uint8_t { table, saved_registers, memory };

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
    explicit Uses(Picture const& picture)
        : references_(picture.references()), tables_(picture.table_frames()), top_(picture.layout().top.page()) {}

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

std::string describe_use(Picture const& picture, Use const& use) {
    switch (use.role) {
        case Role::table:
            return fmt::format("p{}'s page table", use.process.value);
        case Role::saved_registers:
            return fmt::format("p{}'s trapframe", use.process.value);
        case Role::memory:
            break;
    }
    return fmt::format("p{}'s page at {}", use.process.value, picture.place(start_of(use.page)));
}

Violation dangling(std::string story, std::string expected, std::string seen) {
    return Violation{.invariant = Invariant::dangling,
                     .process = std::nullopt,
                     .address = std::nullopt,
                     .story = std::move(story),
                     .expected = std::move(expected),
                     .seen = std::move(seen)};
}

Violation at_use(Use const& use, Violation violation) {
    violation.process = use.process;
    if (use.role != Role::table) violation.address = start_of(use.page);
    return violation;
}

void check_structures(Picture const& picture, Checked& checked) {
    if (std::string const& list = picture.observation().free_list_broken; !list.empty())
        checked.violations.push_back(
            dangling(fmt::format("the free list (kmem.freelist) is broken: {}", list), "a sound list", list));
    for (ObservedProcess const& process : picture.observation().processes) {
        if (process.broken.empty()) continue;
        auto violation =
            dangling(fmt::format("p{}'s page table cannot be walked: {}", process.id.value, process.broken),
                     "a sound page table", process.broken);
        violation.process = process.id;
        checked.violations.push_back(std::move(violation));
    }
}

// A table or a trapframe belongs to one process and to one place in it; only user memory may be shared.
void check_roles(Picture const& picture, std::span<Use const> same_frame, Checked& checked) {
    if (same_frame.size() < 2 || same_frame.front().role == Role::memory) return;
    checked.violations.push_back(at_use(
        same_frame[1], dangling(fmt::format("one frame is {} and {} at once: it was freed while in use",
                                            describe_use(picture, same_frame[0]), describe_use(picture, same_frame[1])),
                                "one role", fmt::format("{} roles", same_frame.size()))));
}

}  // namespace

Checked dangling_in(Picture const& picture) {
    Checked checked;
    check_structures(picture, checked);
    Uses uses{picture};
    bool list_known = false;
    for (auto same_frame = uses.next(); !same_frame.empty() && checked.violations.size() < kViolationsMax;
         same_frame = uses.next()) {
        check_roles(picture, same_frame, checked);
        Use const& first = same_frame.front();
        auto const free = picture.observation().memory->on_free_list(first.frame);
        list_known = list_known || free.has_value();
        if (free.value_or(false))
            checked.violations.push_back(
                at_use(first, dangling(fmt::format("the frame of {} is on the free list: it was freed while in use",
                                                   describe_use(picture, first)),
                                       "in use only", "in use and free")));
    }
    checked.judged = list_known;
    checked.skipped = !list_known;
    return checked;
}

namespace {

std::uint64_t reachable_frames(Picture const& picture) {
    std::uint64_t frames = 0;
    Uses uses{picture};
    while (!uses.next().empty()) ++frames;
    return frames;
}

}  // namespace

std::optional<Baseline> take_baseline(World const& world, Observation const& observation) {
    if (!observation.census.free) return std::nullopt;
    Picture const picture{world, observation};
    return Baseline{*observation.census.free + reachable_frames(picture)};
}

Checked conservation_in(Picture const& picture, std::optional<Baseline> const& baseline) {
    Checked checked;
    auto const free = picture.observation().census.free;
    bool const walked = std::all_of(picture.observation().processes.begin(), picture.observation().processes.end(),
                                    [](ObservedProcess const& process) { return process.broken.empty(); });
    if (!baseline || !free || !picture.complete() || !walked) {
        checked.skipped = true;
        return checked;
    }
    checked.judged = true;
    World const& world = picture.world();
    std::uint64_t const each = world.setting().traits.frames_per_process;
    std::uint64_t const seen = *free + reachable_frames(picture);
    // A zombie's invisible frames (a kernel stack, say) may be gone or not.
    std::uint64_t const with_living = seen + each * (world.running().size() - 1);
    std::uint64_t const with_zombies = seen + each * (world.processes().size() - 1);
    std::uint64_t const expected = baseline->accounted_frames;
    if (with_living <= expected && expected <= with_zombies) return checked;
    bool const lost = with_zombies < expected;
    std::uint64_t const difference = lost ? expected - with_zombies : with_living - expected;
    checked.violations.push_back(Violation{
        .invariant = Invariant::conservation,
        .process = std::nullopt,
        .address = std::nullopt,
        .story = lost ? fmt::format("{} frame{} neither free nor reachable from any page table: leaked", difference,
                                    difference == 1 ? " is" : "s are")
                      : fmt::format("{} frame{} too many: a frame is free or mapped that was in use elsewhere",
                                    difference, difference == 1 ? "" : "s"),
        .expected = fmt::format("{} frames in all", expected),
        .seen = fmt::format("{}", lost ? with_zombies : with_living)});
    return checked;
}

}  // namespace vmcheck::spec
