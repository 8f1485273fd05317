// I2 rights: U, R and X of each user PTE are the logical ones; W only where logically writable; nothing else for U.

#include "spec/checks/frame_map.h"

namespace vmcheck::spec {

namespace {

using What = WrongRights::What;

// What is wrong with the PTE of `page`, which has U, where `logical` are the rights that it should have.
std::optional<What> fault_of_user_pte(Layout const& layout, Vpn page, Rights logical, Rights seen) {
    if (!logical.user) return page == layout.guard.page() ? What::guard_opened : What::opened;
    if (seen.write && !logical.write) return What::gained_write;
    if (seen.execute && !logical.execute) return What::gained_execute;
    // Where all memory is mapped with X, it is of use to the code alone, and may be missing elsewhere.
    if (!seen.execute && logical.execute && page < layout.rodata.page()) return What::lost_execute;
    if (!seen.read && logical.read) return What::lost_read;
    if (seen.read && !logical.read) return What::gained_read;
    // W may be missing: a cow kernel takes it away at fork and gives it back with the first store.
    return std::nullopt;
}

std::optional<WrongRights> judge_pte(Layout const& layout, PagePair const& both) {
    Page const* const page = both.model;
    Rights const seen = both.seen->rights;
    if (!seen.user) {
        // A PTE without U is the kernel's own business (guard, trapframe), unless it stands where the user's page must
        // be.
        if (!page || !page->rights.user || page->presence != Presence::present) return std::nullopt;
        return WrongRights{What::user_lost, page->rights, seen};
    }
    if (!page) return WrongRights{What::outside_memory, std::nullopt, seen};
    auto const what = fault_of_user_pte(layout, both.page, page->rights, seen);
    if (!what) return std::nullopt;
    return WrongRights{*what, page->rights.user ? std::optional{page->rights} : std::nullopt, seen};
}

}  // namespace

Checked rights_in(FrameMap const& map) {
    Checked checked;
    for (PairedProcess const& process : map.processes()) {
        Layout const& layout = map.world().layout_of(process.id);
        for (PagePair const& each : process.pages) {
            if (!each.seen) continue;
            checked.judged = true;
            if (auto const wrong = judge_pte(layout, each))
                checked.add(map.at(Invariant::rights, process.id, start_of(each.page), *wrong));
        }
    }
    return checked;
}

}  // namespace vmcheck::spec
