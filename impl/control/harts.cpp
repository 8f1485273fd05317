#include "impl/control/harts.h"

#include <utility>

namespace vmcheck {

using board::HartIndex;
using board::Register;

bool Harts::stands_at_hypercall(HartIndex hart) const {
    std::optional<spec::ProcId> const who = standing_.at[hart.value];
    if (!who || roster_.is_at_work(*who)) return false;
    // It may have been interrupted in its turn since, and another may have come.
    Agent const* agent = roster_.find(*who);
    return agent != nullptr && board_.read(hart, Register::privilege) == 0 &&
           root_of(board_.read(hart, Register::satp)) == agent->root;
}

std::optional<HartIndex> Harts::hart_of(spec::ProcId who) const {
    for (std::uint64_t i = 0; several() && i < board_.harts(); ++i)
        if (standing_.at[i] == who && stands_at_hypercall(HartIndex{i})) return HartIndex{i};
    return std::nullopt;
}

void Harts::order_begins() {
    standing_.at[board_.current_hart().value].reset();
    standing_.gave_way.reset();
}

void Harts::turn_to(HartIndex hart) {
    board_.ask_again(board_.current_hart());
    board_.select_hart(hart);
}

// Every other time, since a hart that looks for something to do for ever seems to be at work too.
bool Harts::give_way() {
    HartIndex const here = board_.current_hart();
    if (std::exchange(standing_.gave_way, std::nullopt) == here) return false;
    for (std::uint64_t i = 1; i < board_.harts(); ++i) {
        HartIndex const other{(here.value + i) % board_.harts()};
        if (stands_at_hypercall(other) || !board_.can_go_on(other)) continue;
        turn_to(other);
        standing_.gave_way = here;
        return true;
    }
    return false;
}

HartIndex Harts::next() const {
    return HartIndex{(board_.current_hart().value + 1) % board_.harts()};
}

void Harts::turn_to_next_that_stands() {
    if (HartIndex const hart = next(); stands_at_hypercall(hart)) turn_to(hart);
}

HartIndex Harts::park_current() {
    HartIndex const here = board_.current_hart();
    HartIndex const other = next();
    board_.ask_again(here);
    board_.park_hart(here, true);
    board_.select_hart(other);
    return here;
}

void Harts::park_all_that_stand_but(HartIndex hart) {
    for (std::uint64_t i = 0; i < board_.harts(); ++i)
        board_.park_hart(HartIndex{i}, i != hart.value && stands_at_hypercall(HartIndex{i}));
}

void Harts::release_all() {
    for (std::uint64_t i = 0; i < board_.harts(); ++i) release(HartIndex{i});
}

}  // namespace vmcheck
