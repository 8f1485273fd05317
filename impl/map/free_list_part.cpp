// Where the lists of free frames start.

#include "impl/map/parts.h"

#include <fmt/format.h>

#include <algorithm>

namespace vmcheck::map::parts {
namespace {

constexpr std::uint64_t kPointerBytes = 8;
constexpr std::uint64_t kHeadsMax = 256;  // more are not one list per hart, but something else

// xv6 kernel/kalloc.c: `struct { struct spinlock lock; struct run *freelist; } kmem`, with 24 bytes of lock; one per
// hart after the lab on locks (kernel/param.h: NCPU).
constexpr std::uint64_t kXv6LockBytes = 24;
constexpr std::uint64_t kXv6KmemBytes = 32;
constexpr std::uint64_t kXv6Harts = 8;

tl::unexpected<Missing> missing(std::string reason) {
    return tl::make_unexpected(Missing{std::move(reason)});
}

Part<FreeList> from_place(Sources const& from, std::string const& name, Place const& place) {
    Type::Kind const kind = from.debug.types[place.type].kind;
    if (place.behind_pointer)
        return missing(fmt::format("{} lies behind a pointer; the list's head must be a variable.", name));
    if (place.bytes != kPointerBytes || (kind != Type::Kind::kPointer && kind != Type::Kind::kInteger))
        return missing(fmt::format("{} is not a pointer to a free frame.", name));
    if (place.count > kHeadsMax)
        return missing(fmt::format("{} has {} elements, too many for lists of free frames.", name, place.count));
    FreeList list;
    list.name = name;
    auto const first = physical(from, place);
    if (!first) return missing(fmt::format("{} does not lie inside the kernel's memory.", name));
    for (std::uint64_t i = 0; i < place.count; ++i) list.heads.push_back(*first + i * place.stride);
    return list;
}

Part<FreeList> from_symbol(Sources const& from, std::string const& name, elf::Symbol const& symbol,
                           std::uint64_t offset, std::uint64_t stride) {
    FreeList list;
    list.name = name;
    list.guessed = offset > 0;
    for (std::uint64_t at = offset; at + kPointerBytes <= symbol.bytes && list.heads.size() < kHeadsMax; at += stride) {
        auto const head = from.image.to_physical(symbol.address + at, kPointerBytes);
        if (!head) return missing(fmt::format("{} does not lie inside the kernel's memory.", name));
        list.heads.push_back(*head);
    }
    return list;
}

// Without DWARF: the one layout that nearly every xv6 has, or a variable that is nothing but the head.
Part<FreeList> without_types(Sources const& from) {
    std::string const& name = from.names.free_list;
    if (name == MapNames{}.free_list) {
        elf::Symbol const* const kmem = from.image.find_symbol("kmem");
        if (kmem != nullptr && (kmem->bytes == kXv6KmemBytes || kmem->bytes == kXv6KmemBytes * kXv6Harts))
            return from_symbol(from, name, *kmem, kXv6LockBytes, kXv6KmemBytes);
    }
    auto const symbols = from.image.find_by_source_name(name);
    if (symbols.size() == 1 && symbols.front()->bytes == kPointerBytes)
        return from_symbol(from, name, *symbols.front(), 0, kPointerBytes);
    return missing(fmt::format("The list of free frames ({}) was not found. {}", name, from.debug.note));
}

// For kernels whose author renamed or moved `kmem`: a member called freelist, or any pointer to a `struct run`.
Part<FreeList> by_search(Sources const& from, Missing const& reason) {
    std::vector<Scalar> found;
    for (Scalar& scalar : scalars_of(from.debug)) {
        Type const& type = from.debug.types[scalar.place.type];
        if (type.kind != Type::Kind::kPointer) continue;
        std::string_view const name = scalar.name;
        bool const is_named_so = name == "freelist" || name.ends_with(".freelist");
        if (is_named_so || from.debug.types[type.target].name == "run") found.push_back(std::move(scalar));
    }
    if (found.size() == 1) return from_place(from, found.front().name, found.front().place);
    if (found.empty()) return missing(reason.reason);
    return missing(fmt::format("{} Both {} and {} could be the list of free frames; name one in a map file.",
                               reason.reason, found[0].name, found[1].name));
}

}  // namespace

Part<FreeList> free_list(Sources const& from) {
    if (from.debug.variables.empty()) return without_types(from);
    auto const place = find_variable(from.debug, from.names.free_list);
    if (place) return from_place(from, from.names.free_list, *place);
    if (from.names.free_list != MapNames{}.free_list) return missing(place.error().reason);
    return by_search(from, place.error());
}

}  // namespace vmcheck::map::parts
