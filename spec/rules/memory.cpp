// sbrk, and what user instructions do: load, store, touch, fetch, a change of the stack pointer.

#include "spec/bytes.h"
#include "spec/rules/memory_need.h"
#include "spec/rules/reach.h"
#include "spec/rules/rules.h"
#include "spec/rules/sbrk_rules.h"
#include "spec/rules/transition.h"

#include <algorithm>

namespace vmcheck::spec {

namespace {

// The range of a user access: surely legal, or only possibly, or neither.
struct Legality {
    bool surely = true;
    bool possibly = true;
};

Legality legality(Question question, VirtAddr at, std::size_t bytes, Access access) {
    Reach const reach = user_reach(question.world, question.actor(), at, bytes, access);
    return {reach.sure == bytes, reach.possible == bytes};
}

// A user access goes on with `result` where it is legal, and is fatal where it is not.
Answers served_or_fatal(Question question, Legality legal, Result const& result,
                        std::function<World(Outcome const&)> served) {
    Answers all;
    Reason const reason = legal.surely ? Reason::required : Reason::on_the_breaks_page;
    if (legal.possibly) all.push_back({.result = result, .reason = reason, .after = std::move(served)});
    if (legal.surely) return all;
    auto const killed = [question](Outcome const&) {
        Transition next{question.world};
        next.end(question.actor(), -1);
        return std::move(next).finish();
    };
    all.push_back({.result = Ends{}, .reason = legal.possibly ? reason : Reason::required, .after = killed});
    return all;
}

}  // namespace

Answers answers(Question question, Sbrk const& sbrk) {
    World const& world = question.world;
    VirtAddr const brk = world.find(question.actor())->space->brk;
    Answers all;
    for (SbrkVariant const& variant : sbrk_variants(world, question.actor(), sbrk)) {
        auto const moved = [question, brk, variant](Outcome const&) {
            if (variant.brk_after == brk) return unchanged(question.world);
            Transition next{question.world};
            next.set_break(question.actor(), variant.brk_after, variant.maps_pages);
            return std::move(next).finish();
        };
        Answer answer{.result = Exactly{variant.returned}, .reason = variant.reason, .after = moved};
        if (variant.needs_excuse) answer.excuse = WantOfMemory{variant.frames_needed};
        all.push_back(std::move(answer));
    }
    return all;
}

Answers answers(Question question, Load const& load) {
    VirtAddr const at = question.at(load.at);
    Legality const legal = legality(question, at, load.size, Access::read);
    auto const bytes = question.world.read(question.actor(), at, load.size);
    auto const loaded = [question, at, size = load.size](Outcome const&) {
        Transition next{question.world};
        next.touch(question.actor(), at, size, false);
        return std::move(next).finish();
    };
    return served_or_fatal(question, {legal.surely, legal.possibly && bytes},
                           Exactly{bytes ? load_little_endian(*bytes) : 0}, loaded);
}

Answers answers(Question question, Store const& store) {
    VirtAddr const at = question.at(store.at);
    auto const stored = [question, at, store](Outcome const&) {
        Transition next{question.world};
        next.touch(question.actor(), at, store.size, true);
        next.write(question.actor(), at, little_endian(store.value, store.size));
        return std::move(next).finish();
    };
    return served_or_fatal(question, legality(question, at, store.size, Access::write), GoesOn{}, stored);
}

Answers answers(Question question, Touch const& touch) {
    VirtAddr const at = question.at(touch.at);
    Legality legal;
    for (std::uint32_t page = 0; page < touch.pages && legal.possibly; ++page) {
        Legality const here = legality(question, at + page * kPageBytes, 1, Access::read);
        legal = {legal.surely && here.surely, here.possibly};
    }
    auto const last = question.world.read(question.actor(), at + (touch.pages - 1) * kPageBytes, 1);
    auto const touched = [question, at, pages = touch.pages](Outcome const&) {
        Transition next{question.world};
        for (std::uint32_t page = 0; page < pages; ++page)
            next.touch(question.actor(), at + page * kPageBytes, 1, false);
        return std::move(next).finish();
    };
    return served_or_fatal(question, {legal.surely && legal.possibly, legal.possibly && last},
                           Exactly{last ? load_little_endian(*last) : 0}, touched);
}

Answers answers(Question question, Fetch const& fetch) {
    bool const legal = legality(question, question.at(fetch.at), 1, Access::execute).surely;
    return served_or_fatal(question, {legal, legal}, GoesOn{},
                           [question](Outcome const&) { return unchanged(question.world); });
}

Answers answers(Question question, SetSp const&) {
    return {{.result = GoesOn{}, .after = [question](Outcome const&) { return unchanged(question.world); }}};
}

}  // namespace vmcheck::spec
