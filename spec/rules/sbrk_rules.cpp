#include "spec/rules/sbrk_rules.h"

#include "spec/bytes.h"
#include "spec/rules/memory_need.h"

#include <algorithm>

namespace vmcheck::spec {

namespace {

bool grows_eagerly(Setting const& setting, SbrkMode mode) {
    if (setting.traits.sbrk_takes_mode && mode != SbrkMode::by_profile) return mode == SbrkMode::eager;
    return setting.profile.sbrk == SbrkPolicy::eager;
}

std::vector<SbrkVariant> grow(World const& world, ProcId actor, std::uint64_t bytes, SbrkMode mode) {
    Setting const& setting = world.setting();
    VirtAddr const brk = world.find(actor)->space->brk;
    VirtAddr const heap = world.layout_of(actor).heap;
    SbrkVariant const refused{.returned = kFailed, .brk_after = brk};
    VirtAddr const target = brk + bytes;
    // No break may pass `top`: the trapframe would be unmapped or exposed.
    if (target > setting.layout.top) return {refused};
    SbrkVariant done{.returned = brk.value, .brk_after = target};
    SbrkVariant failed = refused;
    failed.reason = Reason::want_of_memory;
    if (grows_eagerly(setting, mode)) {
        std::uint64_t const pages = round_up_to_page(target).page().value - round_up_to_page(brk).page().value;
        std::uint64_t const frames = setting.traits.frames_total;
        if (pages > (frames == 0 ? kEagerPagesMax : frames)) return {refused};
        done.maps_pages = true;
        failed.needs_excuse = true;
        failed.frames_needed = frames_needed_to_grow(brk, target);
    } else {
        bool const may_refuse = target.value - heap.value > kLazyGrowthSure && target > heap;
        failed.needs_excuse = !may_refuse;
        if (may_refuse) done.reason = failed.reason = Reason::far_growth;
    }
    return {done, failed};
}

std::vector<SbrkVariant> shrink(World const& world, ProcId actor, std::uint64_t bytes) {
    VirtAddr const brk = world.find(actor)->space->brk;
    SbrkVariant const refused{.returned = kFailed, .brk_after = brk};
    // Below zero: stock kernels compute a huge new size, find it above the old one, do nothing and return the old
    // break (uvmdealloc in vm.c); others refuse. What nobody may do is to unmap or to move the break.
    if (bytes > brk.value)
        return {{.returned = kFailed, .brk_after = brk, .reason = Reason::below_zero},
                {.returned = brk.value, .brk_after = brk, .reason = Reason::below_zero}};
    SbrkVariant done{.returned = brk.value, .brk_after = brk - bytes};
    // Into the stack and the image: stock kernels do what they are told; refusing it protects the process from itself,
    // and a kernel that refuses it does so always.
    if (done.brk_after < world.layout_of(actor).heap) {
        if (world.setting().traits.sbrk_keeps_to_the_heap) return {refused};
        done.reason = Reason::below_the_heap;
        return {done, {.returned = kFailed, .brk_after = brk, .reason = Reason::below_the_heap}};
    }
    return {done};
}

std::vector<SbrkVariant> read_as(World const& world, ProcId actor, std::int64_t bytes, SbrkMode mode) {
    VirtAddr const brk = world.find(actor)->space->brk;
    if (bytes == 0) return {SbrkVariant{.returned = brk.value, .brk_after = brk}};
    if (bytes > 0) return grow(world, actor, static_cast<std::uint64_t>(bytes), mode);
    return shrink(world, actor, 0 - static_cast<std::uint64_t>(bytes));
}

std::int64_t low_half(Sbrk const& sbrk) {
    return static_cast<std::int64_t>(as_int(static_cast<std::uint64_t>(sbrk.bytes)));
}

}  // namespace

std::vector<SbrkVariant> sbrk_variants(World const& world, ProcId actor, Sbrk const& sbrk) {
    auto variants = read_as(world, actor, sbrk.bytes, sbrk.mode);
    if (low_half(sbrk) != sbrk.bytes)
        for (SbrkVariant const& variant : read_as(world, actor, low_half(sbrk), sbrk.mode))
            if (std::find(variants.begin(), variants.end(), variant) == variants.end()) {
                variants.push_back(variant);
                variants.back().reason = Reason::int_or_long;
            }
    if (world.setting().traits.sbrk_returns_int)
        for (SbrkVariant& variant : variants) variant.returned = as_int(variant.returned);
    return variants;
}

bool grows_lazily_past_top(World const& world, ProcId actor, Sbrk const& sbrk) {
    if (grows_eagerly(world.setting(), sbrk.mode)) return false;
    VirtAddr const brk = world.find(actor)->space->brk;
    std::uint64_t const room = world.setting().layout.top.value - brk.value;
    auto const passes = [&](std::int64_t bytes) { return bytes > 0 && static_cast<std::uint64_t>(bytes) > room; };
    return passes(sbrk.bytes) || passes(low_half(sbrk));
}

bool ambiguous(std::vector<SbrkVariant> const& variants) {
    for (SbrkVariant const& one : variants)
        for (SbrkVariant const& other : variants)
            if (one.returned == other.returned && one.brk_after != other.brk_after) return true;
    return false;
}

}  // namespace vmcheck::spec
