#include "spec/rules/memory_need.h"

#include "spec/step_kinds.h"

#include <algorithm>
#include <set>
#include <variant>

namespace vmcheck::spec {

namespace {

constexpr std::uint64_t kTableLevelsBelowRoot = 2;
constexpr unsigned kLastLevelShift = 9;     // pages that one last-level table maps: 2^9
constexpr unsigned kMiddleLevelShift = 18;  // pages that one middle-level table leads to: 2^18

std::uint64_t with_slack(std::uint64_t frames) {
    return frames == 0 ? 0 : frames + kFrameSlack;
}

// Page-table pages for this address space, at its actual sparse shape: root, the two above the trapframe and
// trampoline, and one for each region that has a page.
std::uint64_t table_frames(AddressSpace const& space) {
    std::set<std::uint64_t> last_level, middle_level;
    for (auto const& [vpn, page] : space.pages) {
        last_level.insert(vpn.value >> kLastLevelShift);
        middle_level.insert(vpn.value >> kMiddleLevelShift);
    }
    return 1 + kTableLevelsBelowRoot + last_level.size() + middle_level.size();
}

std::uint64_t fork_need(World const& world, ProcId actor) {
    AddressSpace const& space = *world.find(actor)->space;
    bool const copies = world.setting().profile.fork == ForkPolicy::eager;
    return table_frames(space) + (copies ? space.pages.size() : 0) + world.setting().traits.frames_per_process;
}

std::uint64_t exec_need(World const& world, Exec const& exec) {
    std::uint64_t const pages = world.setting().layout_of(exec.program).heap.page().value + 1;
    // xv6 keeps each of at most 9 arguments in a page of its own meanwhile (sys_exec in kernel/sysfile.c); each, and
    // its pointer, may lie in a page that is not there yet.
    std::uint64_t const arguments = exec.arguments ? 9 + std::uint64_t{2} * 9 * (1 + kTableLevelsBelowRoot) : 0;
    return arguments + 2 * pages + 3 * (1 + kTableLevelsBelowRoot) + world.setting().traits.frames_per_process;
}

// Frames that making a range accessible can take: for what is not surely mapped, the page and its tables; for what a
// cow kernel may still have marked as shared, the copy. (It may be the sole owner: taking the frame over is better, but
// the labs' texts allow the copy.)
std::uint64_t access_need(World const& world, ProcId actor, VirtAddr at, std::size_t bytes, bool writes) {
    if (bytes == 0) return 0;
    bool const copies = writes && world.setting().profile.fork == ForkPolicy::cow;
    std::uint64_t frames = 0;
    Vpn const last = (at + (bytes - 1)).page();
    for (Vpn vpn = at.page(); vpn <= last; vpn = vpn + 1) {
        auto const page = world.page_at(actor, vpn);
        if (!page || !page->rights.user) break;
        if (page->presence != Presence::present)
            frames += 1 + kTableLevelsBelowRoot;
        else if (copies)
            frames += 1;
    }
    return frames;
}

// Frames for what a kernel makes beside memory of the process: an open file, a pipe.
std::uint64_t object_need(Action const& action) {
    return std::holds_alternative<FileRead>(action) || std::holds_alternative<Pipe>(action) ||
                   std::holds_alternative<Open>(action)
               ? 1
               : 0;
}

// Of the access that the step makes, or the kernel for it. A file is read to its end at most.
std::uint64_t access_need(World const& world, Step const& step) {
    auto const use = address_of(step.action);
    if (!use || use->access == Access::none) return 0;
    std::uint64_t bytes = use->bytes;
    if (std::holds_alternative<FileRead>(step.action))
        bytes = std::min<std::uint64_t>(bytes, world.setting().data_file.contents.size());
    return access_need(world, step.actor, world.resolve(step.actor, use->at), bytes, use->access == Access::write);
}

// sbrk's is that of its variant: sbrk_rules.h.
std::uint64_t need_of(World const& world, Step const& step) {
    if (std::holds_alternative<Fork>(step.action)) return fork_need(world, step.actor);
    if (auto const* exec = std::get_if<Exec>(&step.action)) return exec_need(world, *exec);
    return object_need(step.action) + access_need(world, step);
}

// Frames that may be in use by the model's own account; nothing while zombies hold nobody knows how many.
std::optional<std::uint64_t> frames_in_use_at_most(World const& world) {
    std::uint64_t frames = 0;
    for (auto const& [id, process] : world.processes()) {
        if (process.life == Life::zombie) return std::nullopt;
        frames += process.space->pages.size() + table_frames(*process.space) +
                  world.setting().traits.frames_per_process + kFrameSlack;
    }
    return frames;
}

}  // namespace

std::uint64_t frames_needed(World const& world, Step const& step) {
    return with_slack(need_of(world, step));
}

std::uint64_t frames_needed_to_grow(VirtAddr from, VirtAddr to) {
    std::uint64_t const pages = round_up_to_page(to).page().value - round_up_to_page(from).page().value;
    if (pages == 0) return 0;
    std::uint64_t const tables = (pages >> kLastLevelShift) + 2 + (pages >> kMiddleLevelShift) + 2;
    return with_slack(pages + tables);
}

bool memory_was_short(World const& world, Outcome const& outcome, FrameCensus const& before, std::uint64_t needed) {
    if (outcome.allocations_failed > 0 || outcome.allocator_dry) return true;
    if (needed == 0) return false;
    if (before.free) return *before.free < needed;
    // Nobody has counted what the ballast leaves.
    if (world.setting().traits.ballast_processes > 0) return true;
    // No free list is known: by the model's own account, generously, so that a kernel without symbols is not accused.
    std::uint64_t const total = world.setting().traits.frames_total;
    auto const used = frames_in_use_at_most(world);
    return total == 0 || !used || total < *used + needed;
}

}  // namespace vmcheck::spec
