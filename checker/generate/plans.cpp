#include "checker/generate/plans.h"

#include "checker/generate/arguments.h"
#include "checker/generate/draw.h"

#include <algorithm>

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
Plan fork_that_fails_late(Draw& draw, PlanContext const& context) {
    Faults const late{static_cast<std::uint32_t>(draw(between(4, 9))), std::nullopt};
    return {{context.actor, Sbrk{kSparsePages * kPage}, {}},
            {context.actor, Store{Address{Anchor::brk, -8}, 8, 1}, {}},
            {context.actor, Fork{context.child}, late}};
}

// The kernel's own first access to a page, in a region without a last-level table, where a frame can be had and then
// the table cannot (or the other way round). Not by p0: it would end, and the world with it.
Plan first_touch_that_fails(Draw& draw, PlanContext const& context) {
    // Both the start of the page, where a kernel keeps a free frame's list entry, and elsewhere.
    Address const at{Anchor::brk, -kPage + (draw(chance(1, 2)) ? 0 : 8 * draw(between(0, 63)))};
    Faults const second{static_cast<std::uint32_t>(draw(chance(1, 2)) ? 2 : draw(between(1, 3))), std::nullopt};
    Plan steps{{context.actor, Sbrk{kSparsePages * kPage - odd_bytes(context)}, {}}};
    ProcId user = context.actor, child = context.child;
    if (user == kInit) {
        user = child;
        child = ProcId{child.value + 1};
        steps.push_back({context.actor, Fork{user}, {}});
    }
    switch (draw(below(8U))) {
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

// More than half of what is free is in use when the process forks: a kernel that shares has memory for that, one that
// copies has not. Then both store, for which a kernel that shares has no memory in the end.
Plan fork_with_half_in_use(PlanContext const& context, std::uint32_t frames) {
    std::int64_t const pages = frames / 2 + frames / 8;
    Address const first{Anchor::brk, -pages * kPage}, last{Anchor::brk, -8};
    return {{context.actor, Sbrk{pages * kPage}, {}},
            {context.actor, Touch{first, static_cast<std::uint32_t>(pages)}, {}},
            {context.actor, Fork{context.child}, {}},
            {context.child, Store{last, 8, 1}, {}},
            {context.child, Store{first, 8, 2}, {}},
            {context.child, FileRead{first, 6000}, {}},
            {context.child, Exit{0}, {}},
            {context.actor, Wait{}, {}},
            {context.actor, Sbrk{-pages * kPage}, {}}};
}

// Everything that is free, and a little more or less, in one process that is not p0; then back again.
Plan growth_to_the_limit(Draw& draw, PlanContext const& context, std::uint32_t frames) {
    std::int64_t const pages = std::max<std::int64_t>(1, std::int64_t{frames} + draw(between(-16, 2)));
    Address const first{Anchor::brk, -pages * kPage};
    return {{context.actor, Fork{context.child}, {}},
            {context.child, Sbrk{pages * kPage}, {}},
            {context.child, Touch{first, static_cast<std::uint32_t>(pages)}, {}},
            {context.child, Store{Address{Anchor::brk, -8}, 8, 1}, {}},
            {context.child, Sbrk{-pages * kPage}, {}},
            {context.child, Sbrk{kPage}, {}},
            {context.child, Store{Address{Anchor::brk, -8}, 8, 2}, {}}};
}

// As many processes as the table has slots, and one more: children of one, or of one another as well.
Plan full_process_table(Draw& draw, PlanContext const& context) {
    Plan steps;
    ProcId parent = context.actor;
    bool const one_parent = draw(chance(1, 2));
    for (std::uint32_t i = 0; i < context.world.setting().traits.processes_max; ++i) {
        ProcId const child{context.child.value + i};
        steps.push_back({parent, Fork{child}, {}});
        if (!one_parent && draw(chance(1, 4))) parent = child;
    }
    return steps;
}

// Nearly every frame there is, or a few more, in one process that is not p0, which then gives them back.
Plan all_of_memory(Draw& draw, PlanContext const& context) {
    auto const frames = static_cast<std::int64_t>(context.world.setting().traits.frames_total);
    // Beside them a page-table page for each 512; two processes need some more.
    std::int64_t const pages = frames - frames / 512 - draw(between(-60, 40));
    if (pages <= 0) return {};
    Address const first{Anchor::brk, -pages * kPage};
    return {{context.actor, Fork{context.child}, {}},
            {context.child, Sbrk{pages * kPage}, {}},
            {context.child, Touch{first, static_cast<std::uint32_t>(pages)}, {}},
            {context.child, Exit{0}, {}},
            {context.actor, Wait{}, {}}};
}

Plan plan_with_little_memory(Draw& draw, PlanContext const& context, std::uint32_t frames) {
    if (draw(chance(1, 2))) return growth_to_the_limit(draw, context, frames);
    // Rare: after each of these steps all of these processes are looked at.
    if (draw(chance(1, 12))) return full_process_table(draw, context);
    return fork_with_half_in_use(context, frames);
}

Plan plan_with_memory_to_spare(Draw& draw, PlanContext const& context) {
    bool const lazy = context.world.setting().profile.sbrk == SbrkPolicy::lazy;
    if (context.allocation_faults && draw(chance(1, 4))) return fork_that_fails_late(draw, context);
    if (context.allocation_faults && lazy && draw(chance(1, 3))) return first_touch_that_fails(draw, context);
    if (!draw(chance(1, 16))) return path_into_untouched_page(context);
    // Rare: many kernels walk such a heap page by page.
    if (lazy) return heap_beyond_an_int(context);
    return {};
}

}  // namespace

rc::Gen<Plan> plans(PlanContext context) {
    return drawn([context](Draw& draw) {
        return context.memory ? plan_with_little_memory(draw, context, *context.memory)
                              : plan_with_memory_to_spare(draw, context);
    });
}

rc::Gen<Plan> plans_to(Limit limit, PlanContext context) {
    return drawn([limit, context](Draw& draw) {
        return limit == Limit::memory ? all_of_memory(draw, context) : full_process_table(draw, context);
    });
}

}  // namespace vmcheck::generate
