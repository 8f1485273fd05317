#pragma once
// The table of step kinds: one row for each alternative of Action. What a step is called, by which way it enters the
// kernel, and what its fields mean are stated here and nowhere else; the grammar, the shrinker, the generators, the
// walk of a program and the reports are written over these rows.
//
//     row<Load>("load", Way::fault, Place{&Load::at, Access::read, size_of_access<Load>}, AccessSize{&Load::size})
//
// The order of the fields is that of the corpus grammar. How to add a kind: spec/README.md.

#include "spec/address.h"
#include "spec/program.h"

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace vmcheck::spec {

// Sizes that belong to the ABI of xv6 (kernel/stat.h, kernel/param.h; wait and pipe in kernel/proc.c and sysfile.c).
inline constexpr std::size_t kStatBytes = 24;        // struct stat
inline constexpr std::size_t kStatusBytes = 4;       // wait's int
inline constexpr std::size_t kDescriptorsBytes = 8;  // pipe's two ints
inline constexpr std::size_t kPointerBytes = 8;      // each of exec's arguments
inline constexpr std::size_t kPathBytesMax = 128;    // MAXPATH, the terminator included

// The way through the kernel by which a step meets memory; the names are xv6's where it has one.
enum class Way : std::uint8_t { fault, copyin, copyout, copyinstr, fork, exec, sbrk, end, none };

// What is done to the bytes at an address. `none`: the address is only named.
enum class Access : std::uint8_t { none, read, write, execute };

// ---- fields: a member of an action, and its role

// An address, and how many bytes there the step may touch.
template <class Kind>
struct Place {
    Address Kind::*member;
    Access access;
    std::uint64_t (*bytes)(Kind const&);
};
// The same, where the step may also name none; written as nothing, or 0.
template <class Kind>
struct OptionalPlace {
    std::optional<Address> Kind::*member;
    Access access;
    std::uint64_t (*bytes)(Kind const&);
};
// 1, 2, 4 or 8 bytes of one instruction.
template <class Kind>
struct AccessSize {
    std::uint8_t Kind::*member;
};
constexpr bool is_access_size(std::uint64_t bytes) {
    return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
}
// What is stored; written behind '='.
template <class Kind>
struct StoredValue {
    std::uint64_t Kind::*member;
};
template <class Kind>
struct PageCount {
    std::uint32_t Kind::*member;
};
// Bytes of a copy.
template <class Kind>
struct ByteCount {
    std::uint32_t Kind::*member;
};
// By how many bytes the break moves.
template <class Kind>
struct BreakAmount {
    std::int64_t Kind::*member;
};
template <class Kind>
struct Mode {
    SbrkMode Kind::*member;
};
template <class Kind>
struct ProgramName {
    Executable Kind::*member;
};
template <class Kind>
struct ExitStatus {
    std::int32_t Kind::*member;
};
// A process that the step makes, under this name.
template <class Kind>
struct NewProcess {
    ProcId Kind::*member;
};
// A process that is there.
template <class Kind>
struct OtherProcess {
    ProcId Kind::*member;
};

// Clang 14 does not deduce the arguments of aggregates by itself.
template <class Kind>
Place(Address Kind::*, Access, std::uint64_t (*)(Kind const&)) -> Place<Kind>;
template <class Kind>
OptionalPlace(std::optional<Address> Kind::*, Access, std::uint64_t (*)(Kind const&)) -> OptionalPlace<Kind>;
template <class Kind>
AccessSize(std::uint8_t Kind::*) -> AccessSize<Kind>;
template <class Kind>
StoredValue(std::uint64_t Kind::*) -> StoredValue<Kind>;
template <class Kind>
PageCount(std::uint32_t Kind::*) -> PageCount<Kind>;
template <class Kind>
ByteCount(std::uint32_t Kind::*) -> ByteCount<Kind>;
template <class Kind>
BreakAmount(std::int64_t Kind::*) -> BreakAmount<Kind>;
template <class Kind>
Mode(SbrkMode Kind::*) -> Mode<Kind>;
template <class Kind>
ProgramName(Executable Kind::*) -> ProgramName<Kind>;
template <class Kind>
ExitStatus(std::int32_t Kind::*) -> ExitStatus<Kind>;
template <class Kind>
NewProcess(ProcId Kind::*) -> NewProcess<Kind>;
template <class Kind>
OtherProcess(ProcId Kind::*) -> OtherProcess<Kind>;

// ---- rows

template <std::uint64_t kBytes, class Kind>
constexpr std::uint64_t always(Kind const&) {
    return kBytes;
}
template <class Kind>
constexpr std::uint64_t bytes_asked_for(Kind const& action) {
    return action.bytes;
}
template <class Kind>
constexpr std::uint64_t size_of_access(Kind const& action) {
    return action.size;
}

// How far a touch reaches: one byte in its last page.
constexpr std::uint64_t span_of_touch(Touch const& touch) {
    return (std::uint64_t{touch.pages} - 1) * kPageBytes + 1;
}

template <class KindOfStep, class... Fields>
struct RowOf {
    using Kind = KindOfStep;
    std::string_view word;
    Way way;
    std::tuple<Fields...> fields;
};
template <class Kind, class... Fields>
constexpr RowOf<Kind, Fields...> row(std::string_view word, Way way, Fields... fields) {
    return {word, way, {fields...}};
}

// In the order of Action.
inline constexpr std::tuple kRows{
    row<Fork>("fork", Way::fork, NewProcess{&Fork::child}),
    row<Exit>("exit", Way::end, ExitStatus{&Exit::status}),
    // Without an address it only frees the child.
    row<Wait>("wait", Way::copyout, OptionalPlace{&Wait::status, Access::write, always<kStatusBytes, Wait>}),
    row<Kill>("kill", Way::end, OtherProcess{&Kill::target}),
    row<Sbrk>("sbrk", Way::sbrk, BreakAmount{&Sbrk::bytes}, Mode{&Sbrk::mode}),
    row<Load>("load", Way::fault, Place{&Load::at, Access::read, size_of_access<Load>}, AccessSize{&Load::size}),
    row<Store>("store", Way::fault, Place{&Store::at, Access::write, size_of_access<Store>}, AccessSize{&Store::size},
               StoredValue{&Store::value}),
    row<Touch>("touch", Way::fault, Place{&Touch::at, Access::read, span_of_touch}, PageCount{&Touch::pages}),
    row<PipeWrite>("pipe_write", Way::copyin, Place{&PipeWrite::from, Access::read, bytes_asked_for<PipeWrite>},
                   ByteCount{&PipeWrite::bytes}),
    row<PipeRead>("pipe_read", Way::copyout, Place{&PipeRead::to, Access::write, bytes_asked_for<PipeRead>},
                  ByteCount{&PipeRead::bytes}),
    row<FileRead>("file_read", Way::copyout, Place{&FileRead::to, Access::write, bytes_asked_for<FileRead>},
                  ByteCount{&FileRead::bytes}),
    row<Fstat>("fstat", Way::copyout, Place{&Fstat::to, Access::write, always<kStatBytes, Fstat>}),
    row<Pipe>("pipe", Way::copyout, Place{&Pipe::to, Access::write, always<kDescriptorsBytes, Pipe>}),
    row<Open>("open", Way::copyinstr, Place{&Open::path, Access::read, always<kPathBytesMax, Open>}),
    // Of the arguments' pointers there is at least one.
    row<Exec>("exec", Way::exec, ProgramName{&Exec::program},
              OptionalPlace{&Exec::arguments, Access::read, always<kPointerBytes, Exec>}),
    row<SetSp>("sp", Way::none, Place{&SetSp::to, Access::none, always<0, SetSp>}),
    row<Fetch>("fetch", Way::fault, Place{&Fetch::at, Access::execute, always<2, Fetch>}),
    row<Yield>("yield", Way::none),
};

// ---- the table as a whole

// Calls visit(std::in_place_type<Kind>) with each kind, in the order of Action.
template <class Visit>
constexpr void for_each_kind(Visit&& visit) {
    [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
        (visit(std::in_place_type<std::variant_alternative_t<kIndex, Action>>), ...);
    }
    (std::make_index_sequence<kActionKinds>{});
}

// The place of a kind in Action.
template <class Kind>
constexpr std::size_t index_of() {
    std::size_t index = 0, found = kActionKinds;
    for_each_kind([&]<class Each>(std::in_place_type_t<Each>) {
        if (std::is_same_v<Each, Kind>) found = index;
        ++index;
    });
    return found;
}

// The row of one kind.
template <class Kind>
struct Row {
    static constexpr auto row = std::get<index_of<Kind>()>(kRows);
    static_assert(std::is_same_v<typename decltype(row)::Kind, Kind>, "the rows are in the order of Action");
    static constexpr std::string_view word = row.word;
    static constexpr Way way = row.way;
    static constexpr auto fields = row.fields;
};

// Calls visit(field) with each field of the kind, in the order of the grammar.
template <class Kind, class Visit>
constexpr void for_each_field(Visit&& visit) {
    std::apply([&](auto const&... field) { (visit(field), ...); }, Row<Kind>::fields);
}

// An address that a step names, and what is done there.
struct AddressUse {
    Address at;
    Access access = Access::none;
    std::uint64_t bytes = 0;
};

// Calls visit(Address&, Access, bytes) with each address that the action names.
template <class Visit>
void for_each_address(Action& action, Visit visit) {
    std::visit(
        [&]<class Kind>(Kind& each) {
            for_each_field<Kind>([&]<class Field>(Field const& field) {
                if constexpr (std::is_same_v<Field, Place<Kind>>)
                    visit(each.*(field.member), field.access, field.bytes(each));
                else if constexpr (std::is_same_v<Field, OptionalPlace<Kind>>)
                    if (each.*(field.member)) visit(*(each.*(field.member)), field.access, field.bytes(each));
            });
        },
        action);
}

// The address that the action names; nothing where it names none. (No kind names two.)
std::optional<AddressUse> address_of(Action const& action);

// The way of a kind, by its index in Action.
Way way_of_kind(std::size_t action_index);

// By which way the action meets memory. A system call that is given no address copies nothing.
Way way_of(Action const& action);

// An instruction of the process itself, rather than a system call of it.
bool is_user_access(Action const& action);

// The action accesses memory of the process, or has the kernel copy to or from it, if it is given an address.
bool reaches_user_memory(Action const& action);

}  // namespace vmcheck::spec
