#include "checker/generate/arguments.h"

#include <algorithm>
#include <array>

namespace vmcheck::generate {

namespace {

using spec::Address;
using spec::Anchor;

// Pages of the heap that a process has, by its break; 0 when it was shrunk into the image.
std::int64_t heap_pages(spec::World const& world, spec::ProcId actor) {
    std::uint64_t const start = world.setting().layout.heap.value;
    std::uint64_t const end = round_up_to_page(world.find(actor)->space->brk).value;
    return end > start ? static_cast<std::int64_t>((end - start) / kPageBytes) : 0;
}

// Offsets within a page: its start, its end, something aligned between, or across the boundary to the next one.
std::int64_t offset_in_page(Dice& dice) {
    switch (dice.below(8)) {
        case 0:
            return kPage - 8;
        case 1:
            return kPage - dice.between(1, 7);
        case 2:
            return dice.between(0, kPage - 1);
        case 3:
            return 8 * dice.between(0, kPage / 8 - 1);
        case 4:
            return kPage - std::int64_t{kPathBytes};
        default:
            return 8 * dice.between(0, 3);
    }
}

Address in_heap(Dice& dice, spec::World const& world, spec::ProcId actor) {
    std::int64_t const pages = heap_pages(world, actor);
    // Few pages, used again and again, so that steps meet each other; far ones now and then.
    std::int64_t const page = pages <= 4 || dice.chance(3, 4) ? dice.between(0, std::min<std::int64_t>(pages, 4) - 1)
                                                              : dice.between(0, pages - 1);
    return {Anchor::heap, page * kPage + offset_in_page(dice)};
}

Address usable(Dice& dice, spec::World const& world, spec::ProcId actor, Use use) {
    bool const has_heap = heap_pages(world, actor) > 0;
    switch (dice.below(use == Use::read ? 9 : 7)) {
        case 0:
            return {Anchor::data, offset_in_page(dice)};
        case 1:
            return {Anchor::bss, offset_in_page(dice)};
        case 2:
            return {Anchor::stack, -8 * dice.between(1, 8)};
        case 3:
            return has_heap ? Address{Anchor::brk, -dice.between(1, 16)} : Address{Anchor::data, 0};
        case 7:
            return {Anchor::rodata, offset_in_page(dice)};
        case 8:
            return {Anchor::text, offset_in_page(dice)};
        default:
            return has_heap ? in_heap(dice, world, actor) : Address{Anchor::data, offset_in_page(dice)};
    }
}

Address doubtful(Dice& dice) {
    static constexpr std::array<Address, 18> kDoubtful{{
        {Anchor::text, 0},
        {Anchor::rodata, 8},
        {Anchor::guard, 0},
        {Anchor::guard, kPage - 8},
        {Anchor::guard, kPage - 4},  // the second reaches into the stack for 8 bytes
        {Anchor::brk, 0},
        {Anchor::brk, -4},
        {Anchor::brk, kPage},
        {Anchor::top, -8},
        {Anchor::trapframe, 0},
        {Anchor::trampoline, 0},
        {Anchor::trampoline, kPage - 4},  // an access of 8 bytes ends beyond MAXVA
        {Anchor::maxva, 0},
        {Anchor::maxva, -8},
        {Anchor::kernel, 0},
        {Anchor::absolute, std::int64_t{1} << 40},  // not canonical
        {Anchor::absolute, -8},                     // the highest address
        {Anchor::absolute, static_cast<std::int64_t>(0x8000000000000000)},
    }};
    return dice.pick<Address>(kDoubtful);
}

}  // namespace

spec::Address address(Dice& dice, spec::World const& world, spec::ProcId actor, Use use) {
    // p0 may not be killed, so a doubtful address is of use to it in system calls only; why_not() sorts that out.
    return dice.chance(1, 6) ? doubtful(dice) : usable(dice, world, actor, use);
}

std::int64_t sbrk_bytes(Dice& dice, spec::World const& world, spec::ProcId actor) {
    std::int64_t const heap = heap_pages(world, actor) * kPage;
    std::int64_t const heap_bytes = std::max<std::int64_t>(
        0, static_cast<std::int64_t>(world.find(actor)->space->brk.value - world.setting().layout.heap.value));
    bool const lazy = world.setting().profile.sbrk == spec::SbrkPolicy::lazy;
    std::uint64_t const kind = dice.below(64);
    if (kind < 24) return kPage * dice.between(1, 4);
    // Not below the start of the heap: programs do not give their stack and image back, and kernels differ in what
    // becomes of one that does.
    auto const back = [&](std::int64_t bytes) { return -std::min(bytes, heap_bytes); };
    if (kind < 34) return back(kPage * dice.between(1, 3));
    if (kind < 42) return dice.between(1, 3 * kPage);
    if (kind < 48) return back(dice.between(1, 2 * kPage));
    if (kind < 54) return -heap_bytes;
    // Into the stack, only where it must be refused; past zero.
    if (kind < 55 && world.setting().traits.sbrk_keeps_to_the_heap && dice.chance(1, 2)) return -heap_bytes - kPage;
    if (kind < 55) return -heap - (std::int64_t{1} << 30);
    if (kind < 57) return kPage * dice.between(5, 64);
    if (kind < 58) return 0;
    // What follows makes the kernel loop over many pages: rare, and rarer where each page costs a frame.
    if (!dice.chance(1, lazy ? 6 : 64)) return kPage;
    // Sizes that no longer fit an int.
    if (lazy && heap > (std::int64_t{1} << 30)) return (std::int64_t{1} << 31) - kPage;
    switch (dice.below(lazy ? 80 : 5)) {
        case 0:
            return (std::int64_t{1} << 31) - kPage;
        case 1:
            return (std::int64_t{1} << 31) - 1;
        case 2:
            return (std::int64_t{1} << 32) + kPage;  // an int sees one page
        case 3:
            return std::int64_t{1} << 31;  // an int sees the most negative number
        case 4:
            return (std::int64_t{1} << 38) + kPage;  // beyond all user addresses; an int sees one page
        case 5:
            return std::int64_t{1} << 30;
        default:
            return kPage * dice.between(500, 2000);  // reaches new last-level and middle-level tables
    }
}

std::uint32_t copy_bytes(Dice& dice, std::uint32_t most) {
    switch (dice.below(8)) {
        case 0:
            return most;
        case 1:
            return static_cast<std::uint32_t>(dice.between(1, most));
        case 2:
            return 1;
        case 3:
            return std::min(most, kPathBytes);
        default:
            return static_cast<std::uint32_t>(dice.between(1, std::min<std::int64_t>(most, 24)));
    }
}

std::uint8_t access_size(Dice& dice) {
    return dice.chance(1, 2) ? std::uint8_t{8} : static_cast<std::uint8_t>(1U << dice.below(4));
}

std::uint64_t store_value(Dice& dice) {
    return dice.chance(1, 8) ? dice.bits() : 1 + dice.below(255);
}

}  // namespace vmcheck::generate
