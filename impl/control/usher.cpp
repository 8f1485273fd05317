#include "impl/control/usher.h"

#include <fmt/format.h>

namespace vmcheck {

using board::HartIndex;

std::optional<Mishap> Usher::bring(spec::ProcId who) {
    for (unsigned asked = 0; now_.roster.current() != who; ++asked) {
        if (asked > patience()) return autopsy_.stuck(fmt::format("p{} is not scheduled any more", who.value));
        if (auto const hart = harts_.hart_of(who))
            harts_.turn_to(*hart);
        else if (auto mishap = switch_process())
            return mishap;
        Event const event = listener_.next();
        if (auto const* mishap = std::get_if<Mishap>(&event)) return *mishap;
        if (std::holds_alternative<Asleep>(event)) return autopsy_.stuck("every process sleeps");
    }
    return std::nullopt;
}

std::optional<Mishap> Usher::switch_process() {
    if (harts_.several()) {
        if (harts_.give_way()) return std::nullopt;
        // The harts are interrupted one after the other: a process that was killed may stand on any of them, and ends
        // when it is.
        harts_.turn_to_next_that_stands();
    }
    if (board_.raise_timer()) return std::nullopt;
    return autopsy_.stuck("the kernel has no timer set, so no other process can be scheduled");
}

// Several rounds of a fair scheduler. Of two whose steps overlap, one may sleep until the other has done all of its
// step.
unsigned Usher::patience() const {
    unsigned const rounds = now_.roster.orders() > 1 ? 16 : 4;
    return rounds * static_cast<unsigned>(now_.roster.agents().size()) + 8;
}

tl::expected<bool, Mishap> Usher::bring_side_by_side(spec::ProcId first, spec::ProcId second) {
    if (!harts_.several()) return false;
    // The first keeps its hart while the other harts look for the second, and the second while the first is made ready.
    if (auto mishap = bring(second)) return tl::unexpected(*mishap);
    HartIndex const there = harts_.park_current();
    auto both = bring_while_another_is_parked(first);
    harts_.release(there);
    if (!both || !*both) {
        harts_.turn_to(there);
        now_.roster.nobody_is_current();
    }
    return both;
}

// False: it does not come.
tl::expected<bool, Mishap> Usher::bring_while_another_is_parked(spec::ProcId who) {
    for (unsigned asked = 0; asked <= patience(); ++asked) {
        if (auto const hart = harts_.hart_of(who))
            harts_.turn_to(*hart);
        else
            board_.raise_timer();
        Event const event = listener_.next();
        if (auto const* mishap = std::get_if<Mishap>(&event)) return tl::unexpected(*mishap);
        if (std::holds_alternative<Asleep>(event)) return false;
        if (std::get<Asks>(event).who == who) return true;
    }
    return false;
}

std::optional<Mishap> Usher::come_to_rest() {
    // More than a kernel needs to get from the last that a process does to its scheduler.
    constexpr board::Parcels kOnItsWay{20'000};
    std::optional<Mishap> mishap;
    for (std::uint64_t i = 0; harts_.several() && i < board_.harts() && !mishap; ++i) {
        HartIndex const hart{i};
        if (harts_.stands_at_hypercall(hart)) continue;
        harts_.turn_to(hart);
        now_.roster.nobody_is_current();
        harts_.park_all_that_stand_but(hart);
        auto const event = listener_.next_until(board_.elapsed() + kOnItsWay);
        if (auto const* what = event ? std::get_if<Mishap>(&*event) : nullptr) mishap = *what;
        harts_.release_all();
        harts_.turn_to(hart);
        now_.roster.nobody_is_current();
    }
    return mishap;
}

}  // namespace vmcheck
