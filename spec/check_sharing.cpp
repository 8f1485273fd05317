// I3 isolation: a frame that any user PTE may write has exactly one reference.
// I4 reference counts: the kernel's count of a frame is the number of PTEs that refer to it.

#include "spec/picture.h"

#include <fmt/format.h>

#include <algorithm>

namespace vmcheck::spec {

namespace {

// Calls `visit` with all references to one frame, for each frame that a user PTE refers to.
template <class Visit>
void for_each_user_frame(Picture const& picture, Visit visit) {
    auto const references = picture.references();
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

Checked isolation_in(Picture const& picture) {
    Checked checked;
    for_each_user_frame(picture, [&](std::span<Reference const> references) {
        checked.judged = true;
        auto const writer = std::find_if(references.begin(), references.end(), [](Reference const& reference) {
            return reference.rights.user && reference.rights.write;
        });
        if (writer == references.end() || references.size() == 1 || checked.violations.size() >= kViolationsMax) return;
        checked.violations.push_back(
            Violation{.invariant = Invariant::isolation,
                      .process = writer->process,
                      .address = start_of(writer->page),
                      .story = fmt::format("{} map one frame, and p{}'s PTE can write it (PTE_W)",
                                           list_of(picture, references), writer->process.value),
                      .expected = "PTE_W only with one reference",
                      .seen = fmt::format("PTE {} with {} references", to_string(writer->rights), references.size())});
    });
    return checked;
}

Checked counts_in(Picture const& picture) {
    Checked checked;
    if (!picture.complete()) {
        checked.skipped = true;
        return checked;
    }
    for_each_user_frame(picture, [&](std::span<Reference const> references) {
        Reference const& first = references.front();
        auto const count = picture.observation().memory->reference_count(first.frame);
        if (!count) return;
        checked.judged = true;
        auto const expected = static_cast<std::int64_t>(references.size());
        if (*count == expected || checked.violations.size() >= kViolationsMax) return;
        checked.violations.push_back(Violation{
            .invariant = Invariant::counts,
            .process = first.process,
            .address = start_of(first.page),
            .story =
                fmt::format("the frame at {} is counted {} time{}: {}", list_of(picture, references), *count,
                            *count == 1 ? "" : "s",
                            *count < expected ? "it will be freed while it is still mapped" : "it will never be freed"),
            .expected = fmt::format("count {}", expected),
            .seen = fmt::format("count {}", *count)});
    });
    checked.skipped = !checked.judged;
    return checked;
}

}  // namespace vmcheck::spec
