#include "checker/generate/plans.h"

#include "checker/generate/arguments.h"

namespace vmcheck::generate {

namespace {

using namespace spec;

using Plan = std::vector<Step>;

// More than a last-level table maps: however the heap lies, its last page is in a region whose table is not there.
constexpr std::int64_t kSparsePages = 600;

// How far the break lies above a page boundary.
std::int64_t odd_bytes(PlanContext const& context) {
    return static_cast<std::int64_t>(context.world.find(context.actor)->space->brk.offset());
}

// A fork that fails when most of its page-table pages are made: the heap reaches into a second last level.
Plan fork_that_fails_late(Dice& dice, PlanContext const& context) {
    Faults const late{static_cast<std::uint32_t>(dice.between(4, 9)), std::nullopt};
    return {{context.actor, Sbrk{kSparsePages * kPage}, {}},
            {context.actor, Store{Address{Anchor::brk, -8}, 8, 1}, {}},
            {context.actor, Fork{context.child}, late}};
}

// The kernel's own first access to a page, in a region without a last-level table, where a frame can be had and then
// the table cannot (or the other way round). Not by p0: it would end, and the world with it.
Plan first_touch_that_fails(Dice& dice, PlanContext const& context) {
    // Both the start of the page, where a kernel keeps a free frame's list entry, and elsewhere.
    Address const at{Anchor::brk, -kPage + (dice.chance(1, 2) ? 0 : 8 * dice.between(0, 63))};
    Faults const second{static_cast<std::uint32_t>(dice.chance(1, 2) ? 2 : dice.between(1, 3)), std::nullopt};
    Plan steps{{context.actor, Sbrk{kSparsePages * kPage - odd_bytes(context)}, {}}};
    ProcId user = context.actor, child = context.child;
    if (user == kInit) {
        user = child;
        child = ProcId{child.value + 1};
        steps.push_back({context.actor, Fork{user}, {}});
    }
    switch (dice.below(8)) {
        case 0:
            steps.push_back({user, Fork{child}, {}});
            steps.push_back({child, Exit{7}, {}});
            steps.push_back({user, Wait{at}, second});
            break;
        case 1:
            steps.push_back({user, PipeWrite{Address{Anchor::data, 0}, 8}, {}});
            steps.push_back({user, PipeRead{at, 8}, second});
            break;
        case 2:
            steps.push_back({user, PipeWrite{at, 8}, second});
            break;
        case 3:
            steps.push_back({user, Open{at}, second});
            break;
        case 4:
            steps.push_back({user, Fstat{at}, second});
            break;
        case 5:
            steps.push_back({user, Pipe{at}, second});
            break;
        case 6:
            steps.push_back({user, Store{at, 8, 1}, second});
            break;
        default:
            steps.push_back({user, FileRead{at, 8}, second});
            break;
    }
    return steps;
}

// A path that ends in a page that was never touched: the data file's first bytes, read to the end of a page.
Plan path_into_untouched_page(PlanContext const& context) {
    Address const path{Anchor::brk, -kPage - std::int64_t{kPathBytes}};
    return {{context.actor, Sbrk{-odd_bytes(context)}, {}},
            {context.actor, Sbrk{2 * kPage}, {}},
            {context.actor, FileRead{path, kPathBytes}, {}},
            {context.actor, Open{path}, {}}};
}

// A heap whose size no int can hold, and a child that inherits it.
Plan heap_beyond_an_int(PlanContext const& context) {
    constexpr std::int64_t kGigabyte = std::int64_t{1} << 30;
    return {{context.actor, Sbrk{kGigabyte}, {}},
            {context.actor, Sbrk{kGigabyte}, {}},
            {context.actor, Sbrk{kPage}, {}},
            {context.actor, Store{Address{Anchor::brk, -8}, 8, 1}, {}},
            {context.actor, Fork{context.child}, {}}};
}

}  // namespace

std::vector<spec::Step> plan(Dice& dice, PlanContext const& context) {
    bool const lazy = context.world.setting().profile.sbrk == SbrkPolicy::lazy;
    if (context.allocation_faults && dice.chance(1, 4)) return fork_that_fails_late(dice, context);
    if (context.allocation_faults && lazy && dice.chance(1, 3)) return first_touch_that_fails(dice, context);
    if (!dice.chance(1, 16)) return path_into_untouched_page(context);
    // Rare: many kernels walk such a heap page by page.
    if (lazy) return heap_beyond_an_int(context);
    return {};
}

}  // namespace vmcheck::generate
