// How processes are recorded.

#include "impl/map/parts.h"

#include <fmt/format.h>

#include <charconv>
#include <set>
#include <string_view>

namespace vmcheck::map::parts {
namespace {

constexpr std::uint64_t kProcessesMax = 1U << 16;

tl::unexpected<Missing> missing(std::string reason) {
    return tl::make_unexpected(Missing{std::move(reason)});
}

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
        return missing(fmt::format("The member {} of a process is not a number or pointer.", path));
    if (member->offset > table.stride || member->bytes > table.stride - member->offset)
        return missing(
            fmt::format("The member {} lies outside of its structure: the debug information is damaged.", path));
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
    if (values.empty()) return missing(fmt::format("There is no enumerator {} among the states of a process.", name));
    return missing(fmt::format("There are several enumerators {} with different values.", name));
}

Part<Place> table_place(Sources const& from) {
    std::string const& name = from.names.processes;
    auto const place = find_variable(from.debug, name);
    if (!place) return missing(fmt::format("The process table was not found. {}", place.error().reason));
    if (place->behind_pointer)
        return missing(fmt::format("The process table {} lies behind a pointer; it must be a variable.", name));
    if (!place->is_array || from.debug.types[place->type].kind != Type::Kind::kStructure)
        return missing(fmt::format("The process table {} is not an array of structures.", name));
    if (place->count > kProcessesMax)
        return missing(fmt::format("The process table {} has {} elements, which is too many.", name, place->count));
    return *place;
}

}  // namespace

Part<ProcessTable> processes(Sources const& from) {
    auto const place = table_place(from);
    if (!place) return tl::make_unexpected(place.error());
    auto const base = physical(from, *place);
    if (!base)
        return missing(
            fmt::format("The process table {} does not lie inside the kernel's memory.", from.names.processes));

    auto const pid = scalar_member(from, *place, from.names.process_pid);
    if (!pid) return tl::make_unexpected(pid.error());
    auto const state = scalar_member(from, *place, from.names.process_state);
    if (!state) return tl::make_unexpected(state.error());
    auto const root = scalar_member(from, *place, from.names.process_root);
    if (!root) return tl::make_unexpected(root.error());
    if (root->field.bytes != 8)
        return missing(
            fmt::format("The member {} of a process is not an address of 8 bytes.", from.names.process_root));
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

}  // namespace vmcheck::map::parts
