// I2 rights: U, R and X of each user PTE are the logical ones; W only where logically writable; nothing else for U.

#include "spec/picture.h"

#include <fmt/format.h>

namespace vmcheck::spec {

namespace {

Violation broken(Picture const& picture, ProcId id, ObservedPage const& seen, std::string story, std::string expected) {
    VirtAddr const at = start_of(seen.page);
    return Violation{.invariant = Invariant::rights,
                     .process = id,
                     .address = at,
                     .story = fmt::format("p{}'s page at {} {}", id.value, picture.place(at), story),
                     .expected = std::move(expected),
                     .seen = "PTE " + to_string(seen.rights)};
}

// What is wrong with a PTE that has U.
std::optional<Violation> judge_user_pte(Picture const& picture, ProcId id, ObservedPage const& seen) {
    auto const page = picture.world().page_at(id, seen.page);
    if (!page)
        return broken(picture, id, seen, "is mapped for the user (PTE_U), but lies outside its memory (sz)",
                      "no PTE_U");
    Rights const logical = page->rights;
    if (!logical.user) {
        bool const guard = seen.page == picture.layout().guard.page();
        return broken(picture, id, seen,
                      guard ? "is the stack's guard page, and now open to the user (PTE_U)"
                            : "is not the user's, but open to it (PTE_U)",
                      "no PTE_U");
    }
    std::string const expected = "PTE " + to_string(logical);
    if (seen.rights.write && !logical.write)
        return broken(picture, id, seen, "was never writable, and now has PTE_W", expected);
    if (seen.rights.execute && !logical.execute)
        return broken(picture, id, seen, "was never executable, and now has PTE_X", expected);
    if (!seen.rights.execute && logical.execute) return broken(picture, id, seen, "has lost PTE_X", expected);
    if (!seen.rights.read && logical.read) return broken(picture, id, seen, "has lost PTE_R", expected);
    if (seen.rights.read && !logical.read)
        return broken(picture, id, seen, "was never readable, and now has PTE_R", expected);
    // W may be missing: a cow kernel takes it away at fork and gives it back with the first store.
    return std::nullopt;
}

// A PTE without U is the kernel's own business (guard, trapframe), unless it stands where the user's page must be.
std::optional<Violation> judge_kernel_pte(Picture const& picture, ProcId id, ObservedPage const& seen) {
    auto const page = picture.world().page_at(id, seen.page);
    if (!page || !page->rights.user || page->presence != Presence::present) return std::nullopt;
    return broken(picture, id, seen, "has lost PTE_U", "PTE " + to_string(page->rights));
}

}  // namespace

Checked rights_in(Picture const& picture) {
    Checked checked;
    for (ProcId id : picture.world().running()) {
        ObservedProcess const* const process = picture.find(id);
        if (!process) continue;
        for (ObservedPage const& seen : process->pages) {
            checked.judged = true;
            auto violation = seen.rights.user ? judge_user_pte(picture, id, seen) : judge_kernel_pte(picture, id, seen);
            if (violation && checked.violations.size() < kViolationsMax)
                checked.violations.push_back(std::move(*violation));
        }
    }
    return checked;
}

}  // namespace vmcheck::spec
