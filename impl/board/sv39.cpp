#include "impl/board/sv39.h"

namespace vmcheck::board {
namespace {

constexpr unsigned kLevels = 3;
constexpr unsigned kIndexBits = 9;
constexpr std::uint64_t kLeafBits = pte::read | pte::write | pte::execute;

// All of bits 63:39 equal bit 38.
constexpr bool is_canonical(VirtAddr address) {
    std::uint64_t const high = address.value >> 38;
    return high == 0 || high == (std::uint64_t{1} << 26) - 1;
}

Translation untranslated(VirtAddr address) {
    Translation result;
    result.address = PhysAddr{address.value};
    result.readable = result.writable = result.executable = true;
    return result;
}

bool privilege_allows(std::uint64_t entry, WalkRequest const& request) {
    if (request.privilege == Privilege::user) return (entry & pte::user) != 0;
    if ((entry & pte::user) == 0) return true;
    return request.supervisor_user_memory && request.access != Access::fetch;
}

bool permission_allows(Translation const& leaf, Access access) {
    switch (access) {
        case Access::load:
            return leaf.readable;
        case Access::store:
            return leaf.writable;
        case Access::fetch:
            return leaf.executable;
    }
    return false;
}

// The last step: whether this leaf at this level serves the request, and where it leads.
tl::expected<Translation, PageFault> use_leaf(std::uint64_t entry, PhysAddr entry_at, unsigned level,
                                              WalkRequest const& request) {
    if ((entry & pte::write) && !(entry & pte::read)) return tl::unexpected(PageFault::reserved_bits);
    if (!privilege_allows(entry, request)) return tl::unexpected(PageFault::privilege);

    Translation leaf;
    leaf.pte = entry;
    leaf.pte_at = entry_at;
    leaf.level = level;
    leaf.readable = (entry & pte::read) || (request.make_executable_readable && (entry & pte::execute));
    leaf.writable = (entry & pte::write) != 0;
    leaf.executable = (entry & pte::execute) != 0 && !(request.privilege != Privilege::user && (entry & pte::user));
    if (!permission_allows(leaf, request.access)) return tl::unexpected(PageFault::permission);

    std::uint64_t const frame = (entry >> pte::ppn_shift) & pte::ppn_mask;
    if (frame & ((std::uint64_t{1} << (kIndexBits * level)) - 1)) {
        return tl::unexpected(PageFault::misaligned_superpage);
    }
    std::uint64_t const offset_mask = (std::uint64_t{1} << (kPageShift + kIndexBits * level)) - 1;
    leaf.address = PhysAddr{(frame << kPageShift) | (request.address.value & offset_mask)};
    return leaf;
}

}  // namespace

tl::expected<Translation, PageFault> walk(Memory const& memory, WalkRequest const& request) {
    std::uint64_t const mode = request.satp >> 60;
    if (request.privilege == Privilege::machine || mode == 0) return untranslated(request.address);
    if (mode != kSatpModeSv39 >> 60) return tl::unexpected(PageFault::unsupported_mode);
    if (!is_canonical(request.address)) return tl::unexpected(PageFault::non_canonical);

    PhysAddr table{(request.satp & pte::ppn_mask) << kPageShift};
    for (unsigned level = kLevels; level-- > 0;) {
        std::uint64_t const index = (request.address.value >> (kPageShift + kIndexBits * level)) & 511;
        PhysAddr const entry_at = table + index * 8;
        std::optional<std::uint64_t> const entry = memory.load<std::uint64_t>(entry_at);
        if (!entry) return tl::unexpected(PageFault::table_outside_ram);
        if (!(*entry & pte::valid)) return tl::unexpected(PageFault::invalid);
        if (*entry & pte::reserved) return tl::unexpected(PageFault::reserved_bits);
        if (*entry & kLeafBits) return use_leaf(*entry, entry_at, level, request);
        if (*entry & (pte::accessed | pte::dirty | pte::user)) return tl::unexpected(PageFault::reserved_bits);
        table = PhysAddr{((*entry >> pte::ppn_shift) & pte::ppn_mask) << kPageShift};
    }
    return tl::unexpected(PageFault::no_leaf);
}

tl::expected<Translation, PageFault> walk_and_mark(Memory& memory, WalkRequest const& request) {
    tl::expected<Translation, PageFault> result = walk(memory, request);
    if (!result || result->pte == 0) return result;
    std::uint64_t const wanted = pte::accessed | (request.access == Access::store ? pte::dirty : 0);
    if ((result->pte & wanted) != wanted) {
        result->pte |= wanted;
        memory.store<std::uint64_t>(result->pte_at, result->pte);
    }
    return result;
}

}  // namespace vmcheck::board
