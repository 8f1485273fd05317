// I3 isolation: a frame that a living process may write has no other living reference. A zombie never runs again: it
// neither writes nor reads, and what it refers to is I4's.
// I4 reference counts: the kernel's count of a frame is the number of PTEs that refer to it.

#include "spec/bytes.h"
#include "spec/checks/frame_map.h"

#include <algorithm>

namespace vmcheck::spec {

namespace {

// Calls `visit` with all references to one frame, for each frame that a user PTE refers to.
template <class Visit>
void for_each_user_frame(FrameMap const& map, Visit visit) {
    auto const references = map.references();
    for (std::size_t first = 0; first < references.size();) {
        std::size_t last = first;
        bool user = false;
        for (; last < references.size() && references[last].frame == references[first].frame; ++last)
            user = user || references[last].rights.user;
        if (user) visit(references.subspan(first, last - first));
        first = last;
    }
}

// Of those who map one frame as their page below the trapframe, one whose pid it holds: the others have a wrong one.
// (A page that holds none of theirs is something else that the kernel shows to all.)
Reference const* owner_of_shared_usyscall(FrameMap const& map, std::span<Reference const> references) {
    if (references.size() == 1 || !map.layout().has_usyscall()) return nullptr;
    auto const held = load_little_endian(map.observation().memory->bytes(references.front().frame).first<4>());
    for (Reference const& each : references) {
        if (each.zombie || each.page != map.layout().top.page()) continue;
        constexpr std::uint64_t kPidOfInit = 1;
        Process const* const process = map.world().find(each.process);
        if (process && held == (each.process == kInit ? kPidOfInit : process->pid)) return &each;
    }
    return nullptr;
}

}  // namespace

Checked isolation_in(FrameMap const& map) {
    Checked checked;
    for_each_user_frame(map, [&](std::span<Reference const> references) {
        checked.judged = true;
        if (Reference const* const owner = owner_of_shared_usyscall(map, references))
            return checked.add(map.at(Invariant::isolation, owner->process, start_of(owner->page),
                                      UsyscallShared{map.sharers_of(references)}));
        auto const living = std::count_if(references.begin(), references.end(),
                                          [](Reference const& reference) { return !reference.zombie; });
        auto const writer = std::find_if(references.begin(), references.end(), [](Reference const& reference) {
            return !reference.zombie && reference.rights.user && reference.rights.write;
        });
        if (writer == references.end() || living == 1) return;
        checked.add(map.at(Invariant::isolation, writer->process, start_of(writer->page),
                           WritableShared{map.sharers_of(references), writer->rights}));
    });
    return checked;
}

Checked counts_in(FrameMap const& map) {
    Checked checked;
    if (!map.complete()) {
        checked.skipped = true;
        return checked;
    }
    for_each_user_frame(map, [&](std::span<Reference const> references) {
        Reference const& first = references.front();
        auto const count = map.observation().memory->reference_count(first.frame);
        if (!count) return;
        checked.judged = true;
        auto const expected = static_cast<std::int64_t>(references.size());
        if (*count == expected) return;
        checked.add(map.at(Invariant::counts, first.process, start_of(first.page),
                           WrongCount{expected, *count, map.sharers_of(references)}));
    });
    checked.skipped = !checked.judged;
    return checked;
}

}  // namespace vmcheck::spec
