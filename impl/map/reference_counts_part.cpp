// Which array holds the reference counts: the one that a map file names, or every one that could.

#include "impl/map/parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace vmcheck::map::parts {
namespace {

tl::unexpected<Missing> missing(std::string reason) {
    return tl::make_unexpected(Missing{std::move(reason)});
}

std::optional<IndexBase> index_base(MapNames const& names) {
    if (!names.reference_base_is_ram) return std::nullopt;
    return *names.reference_base_is_ram ? IndexBase::kRam : IndexBase::kZero;
}

// The counts at `place`, whose values are integers, or, for one pointer to integers, behind that pointer.
Part<ReferenceCounts> from_place(Sources const& from, std::string const& name, Place place) {
    Type const* type = &from.debug.types[place.type];
    if (type->kind == Type::Kind::kPointer && !place.is_array) {
        place.behind_pointer = true;
        place.count = 0;
        place.type = unwrap(from.debug, type->target);
        type = &from.debug.types[place.type];
        place.bytes = type->bytes;
        place.stride = from.debug.types[place.type].bytes;
    }
    if (type->kind != Type::Kind::kInteger || !is_word_size(place.bytes) || place.stride < place.bytes)
        return missing(fmt::format("{} does not hold integers.", name));
    if (!place.is_array && !place.behind_pointer) return missing(fmt::format("{} is one number, not an array.", name));
    auto const base = physical(from, place);
    if (!base) return missing(fmt::format("{} does not lie inside the kernel's memory.", name));
    return ReferenceCounts{.name = name,
                           .base = *base,
                           .element_bytes = place.bytes,
                           .stride = place.stride,
                           .count = place.count,
                           .is_signed = type->is_signed,
                           .behind_pointer = place.behind_pointer,
                           .offset_behind_pointer = place.offset_behind_pointer,
                           .index_base = index_base(from.names)};
}

// Without DWARF: symbols whose size is that of an array with one integer for each frame, counted from RAM or from 0.
std::vector<ReferenceCounts> candidates_by_size(Sources const& from) {
    std::uint64_t const frames = from.ram.bytes / kPageBytes;
    std::uint64_t const frames_from_zero = (from.ram.start.value + from.ram.bytes) / kPageBytes;
    std::vector<ReferenceCounts> found;
    for (elf::Symbol const& symbol : from.image.symbols()) {
        auto const base = from.image.to_physical(symbol.address, symbol.bytes);
        if (symbol.kind != elf::SymbolKind::kObject || symbol.bytes == 0 || !base) continue;
        for (std::uint64_t const count : {frames, frames_from_zero}) {
            if (count == 0 || symbol.bytes % count != 0 || !is_word_size(symbol.bytes / count)) continue;
            std::uint64_t const bytes = symbol.bytes / count;
            found.push_back(ReferenceCounts{.name = elf::source_name(symbol.name),
                                            .base = *base,
                                            .element_bytes = bytes,
                                            .stride = bytes,
                                            .count = count,
                                            .is_signed = true,
                                            .index_base = index_base(from.names),
                                            .guessed = true});
            break;
        }
    }
    return found;
}

}  // namespace

Part<ReferenceCounts> reference_counts(Sources const& from) {
    if (!from.names.reference_counts)
        return missing("No map file names the array of reference counts; it is looked for by probing.");
    auto const place = find_variable(from.debug, *from.names.reference_counts);
    if (!place) return tl::make_unexpected(place.error());
    return from_place(from, *from.names.reference_counts, *place);
}

std::vector<ReferenceCounts> candidates(Sources const& from) {
    if (from.debug.variables.empty()) return candidates_by_size(from);
    std::vector<ReferenceCounts> arrays;
    std::vector<ReferenceCounts> pointers;
    for (Scalar const& scalar : scalars_of(from.debug)) {
        auto counts = from_place(from, scalar.name, scalar.place);
        if (!counts) continue;
        if (counts->behind_pointer) {
            // A `char*` points to text.
            Type const& pointer = from.debug.types[scalar.place.type];
            if (from.debug.types[pointer.target].name != "char") pointers.push_back(std::move(*counts));
        } else if (counts->count >= from.ram.bytes / kPageBytes)
            arrays.push_back(std::move(*counts));
    }
    std::ranges::stable_sort(arrays, {}, &ReferenceCounts::base);
    std::ranges::move(pointers, std::back_inserter(arrays));
    return arrays;
}

}  // namespace vmcheck::map::parts
