// I3 isolation: a frame that a living process may write has no other living reference. A zombie never runs again: it
// neither writes nor reads, and what it refers to is I4's.
// I4 reference counts: the kernel's count of a frame is the number of PTEs that refer to it.

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

}  // namespace

Checked isolation_in(FrameMap const& map) {
    Checked checked;
    for_each_user_frame(map, [&](std::span<Reference const> references) {
        checked.judged = true;
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
