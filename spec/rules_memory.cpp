// sbrk, and what user instructions do: load, store, touch, fetch, a change of the stack pointer.

#include "spec/judgement.h"
#include "spec/memory_need.h"
#include "spec/reach.h"
#include "spec/sbrk_rules.h"
#include "spec/transition.h"

#include <fmt/format.h>

#include <algorithm>

namespace vmcheck::spec {

namespace {

std::uint64_t little_endian(std::vector<std::byte> const& bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) value = (value << 8) | std::to_integer<std::uint64_t>(bytes[i]);
    return value;
}

std::vector<std::byte> low_bytes(std::uint64_t value, std::size_t size) {
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<std::byte>((value >> (8 * i)) & 0xff));
    return bytes;
}

World killed(Asked const& asked) {
    Transition next{asked.world};
    next.end(asked.actor(), -1);
    return std::move(next).finish();
}

// The part that all user accesses have in common: whether the process may go on, and whether it may be killed.
// Nothing: it went on, with right.
std::optional<Judged> judge_survival(Asked const& asked, bool surely_legal, bool possibly_legal) {
    if (asked.ended()) {
        if (!surely_legal) return killed(asked);
        return wrong_result(asked, fmt::format("{} is legal, but the process was killed", words_for(asked)));
    }
    if (!asked.returned()) return wrong_result(asked, fmt::format("{} did not complete", words_for(asked)));
    if (!possibly_legal)
        return wrong_result(
            asked, fmt::format("{} must be fatal (usertrap kills the process), but it went through", words_for(asked)));
    return std::nullopt;
}

}  // namespace

Judged judge(Asked const& asked, Sbrk const& sbrk) {
    auto const value = asked.returned();
    if (!value) return wrong_result(asked, "sbrk did not return");
    VirtAddr const brk = asked.world.find(asked.actor())->space->brk;
    bool wants_excuse = false;
    for (SbrkVariant const& variant : sbrk_variants(asked.world, asked.actor(), sbrk)) {
        if (variant.returned != *value) continue;
        if (variant.needs_excuse &&
            !memory_was_short(asked.world, asked.outcome, asked.before, variant.frames_needed)) {
            wants_excuse = true;
            continue;
        }
        if (variant.brk_after == brk) return unchanged(asked.world);
        Transition next{asked.world};
        next.set_break(asked.actor(), variant.brk_after, variant.maps_pages);
        return std::move(next).finish();
    }
    if (wants_excuse) return wrong_result(asked, "sbrk failed although it had what it needs");
    if (*value == brk.value) return wrong_result(asked, "sbrk accepted a break that it must refuse");
    return wrong_result(asked,
                        fmt::format("sbrk returned neither the old break (sz = {:#x}) nor -1 as it should", brk.value));
}

Judged judge(Asked const& asked, Load const& load) {
    VirtAddr const at = asked.world.resolve(asked.actor(), load.at);
    Reach const reach = user_reach(asked.world, asked.actor(), at, load.size, Access::read);
    if (auto verdict = judge_survival(asked, reach.sure == load.size, reach.possible == load.size)) return *verdict;
    auto const bytes = asked.world.read(asked.actor(), at, load.size);
    if (!bytes || asked.returned() != little_endian(*bytes))
        return wrong_result(asked, fmt::format("{} read other bytes than were stored there", words_for(asked)));
    Transition next{asked.world};
    next.touch(asked.actor(), at, load.size, false);
    return std::move(next).finish();
}

Judged judge(Asked const& asked, Store const& store) {
    VirtAddr const at = asked.world.resolve(asked.actor(), store.at);
    Reach const reach = user_reach(asked.world, asked.actor(), at, store.size, Access::write);
    if (auto verdict = judge_survival(asked, reach.sure == store.size, reach.possible == store.size)) return *verdict;
    if (asked.returned() != std::uint64_t{0})
        return wrong_result(asked, "the process came back from a store with registers changed");
    Transition next{asked.world};
    next.touch(asked.actor(), at, store.size, true);
    next.write(asked.actor(), at, low_bytes(store.value, store.size));
    return std::move(next).finish();
}

Judged judge(Asked const& asked, Touch const& touch) {
    VirtAddr const at = asked.world.resolve(asked.actor(), touch.at);
    bool surely_legal = true;
    bool possibly_legal = true;
    for (std::uint32_t page = 0; page < touch.pages && possibly_legal; ++page) {
        Reach const reach = user_reach(asked.world, asked.actor(), at + page * kPageBytes, 1, Access::read);
        surely_legal = surely_legal && reach.sure == 1;
        possibly_legal = reach.possible == 1;
    }
    if (auto verdict = judge_survival(asked, surely_legal && possibly_legal, possibly_legal)) return *verdict;
    auto const last = asked.world.read(asked.actor(), at + (touch.pages - 1) * kPageBytes, 1);
    if (!last || asked.returned() != little_endian(*last))
        return wrong_result(asked,
                            fmt::format("{} read another byte than was stored on its last page", words_for(asked)));
    Transition next{asked.world};
    for (std::uint32_t page = 0; page < touch.pages; ++page)
        next.touch(asked.actor(), at + page * kPageBytes, 1, false);
    return std::move(next).finish();
}

Judged judge(Asked const& asked, Fetch const& fetch) {
    VirtAddr const at = asked.world.resolve(asked.actor(), fetch.at);
    bool const legal = user_reach(asked.world, asked.actor(), at, 1, Access::execute).sure == 1;
    if (auto verdict = judge_survival(asked, legal, legal)) return *verdict;
    if (asked.returned() != std::uint64_t{0})
        return wrong_result(asked, "the code that was called is made of returns, but a0 came back changed");
    return unchanged(asked.world);
}

Judged judge(Asked const& asked, SetSp const&) {
    if (asked.returned() != std::uint64_t{0})
        return wrong_result(asked,
                            "the process did not survive a change of its stack pointer, which touches no memory");
    return unchanged(asked.world);
}

}  // namespace vmcheck::spec
