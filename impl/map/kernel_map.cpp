#include "impl/map/kernel_map.h"

#include "impl/map/variable_path.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <set>
#include <string_view>

namespace vmcheck::map {
namespace {

// What all parts are made from.
struct Sources {
    elf::KernelImage const& image;
    DebugInfo const& debug;
    MapNames const& names;
    elf::AddressRange ram;
};

template <class... Parts>
tl::unexpected<Missing> missing(fmt::format_string<Parts...> reason, Parts&&... parts) {
    return tl::make_unexpected(Missing{fmt::format(reason, std::forward<Parts>(parts)...)});
}

// The sizes of integers that can be read in one go.
bool is_word_size(std::uint64_t bytes) {
    return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
}

Part<VirtAddr> function(Sources const& from, std::string const& name) {
    elf::Symbol const* found = nullptr;
    for (elf::Symbol const* const symbol : from.image.find_by_source_name(name)) {
        if (symbol->kind == elf::SymbolKind::kObject || !from.image.to_physical(symbol->address)) continue;
        if (found != nullptr && found->address != symbol->address) {
            return missing("There are several functions {}, at {:#x} and at {:#x}; name one by its ELF symbol.", name,
                           found->address.value, symbol->address.value);
        }
        found = symbol;
    }
    if (found != nullptr) return found->address;
    if (from.image.symbols().empty()) return missing("The kernel has no symbols, so {} cannot be found.", name);
    return missing("There is no function {} in the kernel's symbols.", name);
}

// Where `place` lies in RAM; nothing where a part of it lies outside of the kernel's segments. For a place behind a
// pointer, where the pointer is.
std::optional<PhysAddr> physical(Sources const& from, Place const& place) {
    if (place.behind_pointer) return from.image.to_physical(place.address, 8);
    std::uint64_t before_last = 0;
    if (place.count == 0 || __builtin_mul_overflow(place.count - 1, place.stride, &before_last)) return std::nullopt;
    std::uint64_t total = 0;
    if (__builtin_add_overflow(before_last, place.bytes, &total)) return std::nullopt;
    return from.image.to_physical(place.address, total);
}

// ---- where the lists of free frames start

constexpr std::uint64_t kPointerBytes = 8;
constexpr std::uint64_t kHeadsMax = 256;  // more are not one list per hart, but something else

// xv6 kernel/kalloc.c: `struct { struct spinlock lock; struct run *freelist; } kmem`, with 24 bytes of lock; one per
// hart after the lab on locks (kernel/param.h: NCPU).
constexpr std::uint64_t kXv6LockBytes = 24;
constexpr std::uint64_t kXv6KmemBytes = 32;
constexpr std::uint64_t kXv6Harts = 8;

Part<FreeList> free_list_at(Sources const& from, std::string const& name, Place const& place) {
    Type::Kind const kind = from.debug.types[place.type].kind;
    if (place.behind_pointer) return missing("{} lies behind a pointer; the list's head must be a variable.", name);
    if (place.bytes != kPointerBytes || (kind != Type::Kind::kPointer && kind != Type::Kind::kInteger))
        return missing("{} is not a pointer to a free frame.", name);
    if (place.count > kHeadsMax)
        return missing("{} has {} elements, too many for lists of free frames.", name, place.count);
    FreeList list;
    list.name = name;
    auto const first = physical(from, place);
    if (!first) return missing("{} does not lie inside the kernel's memory.", name);
    for (std::uint64_t i = 0; i < place.count; ++i) list.heads.push_back(*first + i * place.stride);
    return list;
}

Part<FreeList> free_list_of_symbol(Sources const& from, std::string const& name, elf::Symbol const& symbol,
                                   std::uint64_t offset, std::uint64_t stride) {
    FreeList list;
    list.name = name;
    list.guessed = offset > 0;
    for (std::uint64_t at = offset; at + kPointerBytes <= symbol.bytes && list.heads.size() < kHeadsMax; at += stride) {
        auto const head = from.image.to_physical(symbol.address + at, kPointerBytes);
        if (!head) return missing("{} does not lie inside the kernel's memory.", name);
        list.heads.push_back(*head);
    }
    return list;
}

// Without DWARF: the one layout that nearly every xv6 has, or a variable that is nothing but the head.
Part<FreeList> free_list_without_types(Sources const& from) {
    std::string const& name = from.names.free_list;
    if (name == MapNames{}.free_list) {
        elf::Symbol const* const kmem = from.image.find_symbol("kmem");
        if (kmem != nullptr && (kmem->bytes == kXv6KmemBytes || kmem->bytes == kXv6KmemBytes * kXv6Harts))
            return free_list_of_symbol(from, name, *kmem, kXv6LockBytes, kXv6KmemBytes);
    }
    auto const symbols = from.image.find_by_source_name(name);
    if (symbols.size() == 1 && symbols.front()->bytes == kPointerBytes)
        return free_list_of_symbol(from, name, *symbols.front(), 0, kPointerBytes);
    return missing("The list of free frames ({}) was not found. {}", name, from.debug.note);
}

// For kernels whose author renamed or moved `kmem`: a member called freelist, or any pointer to a `struct run`.
Part<FreeList> free_list_by_search(Sources const& from, Missing const& reason) {
    std::vector<Scalar> found;
    for (Scalar& scalar : scalars_of(from.debug)) {
        Type const& type = from.debug.types[scalar.place.type];
        if (type.kind != Type::Kind::kPointer) continue;
        std::string_view const name = scalar.name;
        bool const is_named_so = name == "freelist" || name.ends_with(".freelist");
        if (is_named_so || from.debug.types[type.target].name == "run") found.push_back(std::move(scalar));
    }
    if (found.size() == 1) return free_list_at(from, found.front().name, found.front().place);
    if (found.empty()) return tl::make_unexpected(reason);
    return missing("{} Both {} and {} could be the list of free frames; name one in a map file.", reason.reason,
                   found[0].name, found[1].name);
}

Part<FreeList> free_list(Sources const& from) {
    if (from.debug.variables.empty()) return free_list_without_types(from);
    auto const place = find_variable(from.debug, from.names.free_list);
    if (place) return free_list_at(from, from.names.free_list, *place);
    if (from.names.free_list != MapNames{}.free_list) return tl::make_unexpected(place.error());
    return free_list_by_search(from, place.error());
}

// ---- how processes are recorded

constexpr std::uint64_t kProcessesMax = 1U << 16;

// A member and its type, which `state` needs for its enumerators.
struct TypedField {
    Field field;
    TypeIndex type = 0;
};

Part<TypedField> scalar_member(Sources const& from, Place const& table, std::string const& path) {
    auto const member = find_member(from.debug, table.type, path);
    if (!member) return tl::make_unexpected(member.error());
    Type const& type = from.debug.types[member->type];
    bool const is_scalar =
        type.kind == Type::Kind::kInteger || type.kind == Type::Kind::kPointer || type.kind == Type::Kind::kEnumeration;
    if (!is_scalar || !is_word_size(member->bytes))
        return missing("The member {} of a process is not a number or pointer.", path);
    if (member->offset > table.stride || member->bytes > table.stride - member->offset)
        return missing("The member {} lies outside of its structure: the debug information is damaged.", path);
    return TypedField{Field{member->offset, member->bytes, type.is_signed}, member->type};
}

// The value of a state: a number, or an enumerator of the state's own type, or, where states are kept in an integer,
// of any enumeration.
Part<std::uint64_t> state_value(Sources const& from, TypeIndex state, std::string const& name) {
    std::uint64_t number = 0;
    auto const [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc{} && end == name.data() + name.size()) return number;

    Type const& type = from.debug.types[state];
    bool const own = type.kind == Type::Kind::kEnumeration && !type.enumerators.empty();
    // `State::zombie`, `kernel::State::zombie`: the last word is what the type's own list has.
    std::size_t const scope = name.rfind("::");
    std::string_view const last =
        scope == std::string::npos ? std::string_view(name) : std::string_view(name).substr(scope + 2);
    std::string_view const wanted = own ? last : std::string_view(name);
    std::set<std::int64_t> values;
    for (Enumerator const& enumerator : own ? type.enumerators : from.debug.enumerators)
        if (enumerator.name == wanted) values.insert(enumerator.value);
    if (values.size() == 1) return static_cast<std::uint64_t>(*values.begin());
    if (values.empty()) return missing("There is no enumerator {} among the states of a process.", name);
    return missing("There are several enumerators {} with different values.", name);
}

Part<Place> table_place(Sources const& from) {
    std::string const& name = from.names.processes;
    auto const place = find_variable(from.debug, name);
    if (!place) return missing("The process table was not found. {}", place.error().reason);
    if (place->behind_pointer)
        return missing("The process table {} lies behind a pointer; it must be a variable.", name);
    if (!place->is_array || from.debug.types[place->type].kind != Type::Kind::kStructure)
        return missing("The process table {} is not an array of structures.", name);
    if (place->count > kProcessesMax)
        return missing("The process table {} has {} elements, which is too many.", name, place->count);
    return *place;
}

Part<ProcessTable> processes(Sources const& from) {
    auto const place = table_place(from);
    if (!place) return tl::make_unexpected(place.error());
    auto const base = physical(from, *place);
    if (!base) return missing("The process table {} does not lie inside the kernel's memory.", from.names.processes);

    auto const pid = scalar_member(from, *place, from.names.process_pid);
    if (!pid) return tl::make_unexpected(pid.error());
    auto const state = scalar_member(from, *place, from.names.process_state);
    if (!state) return tl::make_unexpected(state.error());
    auto const root = scalar_member(from, *place, from.names.process_root);
    if (!root) return tl::make_unexpected(root.error());
    if (root->field.bytes != 8)
        return missing("The member {} of a process is not an address of 8 bytes.", from.names.process_root);
    auto const unused = state_value(from, state->type, from.names.process_state_unused);
    if (!unused) return tl::make_unexpected(unused.error());
    auto const zombie = state_value(from, state->type, from.names.process_state_zombie);
    if (!zombie) return tl::make_unexpected(zombie.error());
    auto const brk = scalar_member(from, *place, from.names.process_break);
    // xv6's `sz` may be gone in a kernel of another make; but what a map file names is wanted.
    if (!brk && from.names.process_break != MapNames{}.process_break) return tl::make_unexpected(brk.error());

    return ProcessTable{.name = from.names.processes,
                        .base = *base,
                        .stride = place->stride,
                        .count = place->count,
                        .pid = pid->field,
                        .state = state->field,
                        .state_unused = *unused,
                        .state_zombie = *zombie,
                        .root = root->field,
                        .brk = brk ? std::optional(brk->field) : std::nullopt};
}

// ---- which array holds the reference counts: the one that a map file names, or every one that could

std::optional<IndexBase> index_base(MapNames const& names) {
    if (!names.reference_base_is_ram) return std::nullopt;
    return *names.reference_base_is_ram ? IndexBase::kRam : IndexBase::kZero;
}

std::uint64_t frames_of_ram(Sources const& from) {
    return std::min(from.ram.bytes, elf::kDefaultRam.bytes) / kPageBytes;
}

// The counts at `place`, whose values are integers, or, for one pointer to integers, behind that pointer.
Part<ReferenceCounts> counts_at(Sources const& from, std::string const& name, Place place) {
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
        return missing("{} does not hold integers.", name);
    if (!place.is_array && !place.behind_pointer) return missing("{} is one number, not an array.", name);
    auto const base = physical(from, place);
    if (!base) return missing("{} does not lie inside the kernel's memory.", name);
    // Two may as well be two things that are known of each frame.
    constexpr std::uint64_t kHartsMin = 3;
    bool const by_hart = place.row >= frames_of_ram(from) && place.count / place.row >= kHartsMin;
    return ReferenceCounts{.name = name,
                           .base = *base,
                           .element_bytes = place.bytes,
                           .stride = place.stride,
                           .count = by_hart ? place.row : place.count,
                           .arrays = by_hart ? place.count / place.row : 1,
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

Part<ReferenceCounts> reference_counts(Sources const& from) {
    if (!from.names.reference_counts)
        return missing("No map file names the array of reference counts; it is looked for by probing.");
    std::string const& name = *from.names.reference_counts;
    return find_variable(from.debug, name).and_then([&](Place const& place) { return counts_at(from, name, place); });
}

std::vector<ReferenceCounts> candidates(Sources const& from) {
    if (from.debug.variables.empty()) return candidates_by_size(from);
    std::vector<ReferenceCounts> arrays;
    std::vector<ReferenceCounts> pointers;
    for (Scalar const& scalar : scalars_of(from.debug)) {
        auto counts = counts_at(from, scalar.name, scalar.place);
        if (!counts) continue;
        if (counts->behind_pointer) {
            // A `char*` points to text.
            Type const& pointer = from.debug.types[scalar.place.type];
            if (from.debug.types[pointer.target].name != "char") pointers.push_back(std::move(*counts));
        } else if (counts->count >= frames_of_ram(from))
            arrays.push_back(std::move(*counts));
    }
    std::ranges::stable_sort(arrays, {}, &ReferenceCounts::base);
    std::ranges::move(pointers, std::back_inserter(arrays));
    return arrays;
}

}  // namespace

KernelMap make_kernel_map(elf::KernelImage const& image, MapNames const& names, elf::AddressRange ram) {
    auto const debug = std::make_shared<DebugInfo const>(read_debug_info(image));
    Sources const from{image, *debug, names, ram};
    return KernelMap{.allocate = function(from, names.allocate),
                     .panic = function(from, names.panic),
                     .memset = function(from, names.memset),
                     .memmove = function(from, names.memmove),
                     .free_list = free_list(from),
                     .processes = processes(from),
                     .reference_counts = reference_counts(from),
                     .candidates = names.reference_counts ? std::vector<ReferenceCounts>{} : candidates(from),
                     .memory_files = names.memory_files,
                     .memory_functions = names.memory_functions,
                     .lines = debug->lines,
                     .debug = debug};
}

}  // namespace vmcheck::map
