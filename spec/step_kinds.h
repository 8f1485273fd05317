#pragma once
// The table of step kinds: one row for each alternative of Action. What a step is called, by which way it enters the
// kernel, and what its fields mean are stated here and nowhere else; the grammar, the shrinker, the generators, the
// walk of a program and the reports are written over these rows.
//
//     template <> struct Row<Load> {
//         static constexpr std::string_view word = "load";
//         static constexpr Way way = Way::fault;
//         static constexpr std::tuple fields{Place{&Load::at, Access::read, size_of_access<Load>},
//         AccessSize{&Load::size}};
//     };
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

template <class Kind>
struct Row;

template <>
struct Row<Fork> {
    static constexpr std::string_view word = "fork";
    static constexpr Way way = Way::fork;
    static constexpr std::tuple fields{NewProcess{&Fork::child}};
};
template <>
struct Row<Exit> {
    static constexpr std::string_view word = "exit";
    static constexpr Way way = Way::end;
    static constexpr std::tuple fields{ExitStatus{&Exit::status}};
};
template <>
struct Row<Wait> {
    static constexpr std::string_view word = "wait";
    static constexpr Way way = Way::copyout;  // without an address it only frees the child
    static constexpr std::tuple fields{OptionalPlace{&Wait::status, Access::write, always<kStatusBytes, Wait>}};
};
template <>
struct Row<Kill> {
    static constexpr std::string_view word = "kill";
    static constexpr Way way = Way::end;
    static constexpr std::tuple fields{OtherProcess{&Kill::target}};
};
template <>
struct Row<Sbrk> {
    static constexpr std::string_view word = "sbrk";
    static constexpr Way way = Way::sbrk;
    static constexpr std::tuple fields{BreakAmount{&Sbrk::bytes}, Mode{&Sbrk::mode}};
};
template <>
struct Row<Load> {
    static constexpr std::string_view word = "load";
    static constexpr Way way = Way::fault;
    static constexpr std::tuple fields{Place{&Load::at, Access::read, size_of_access<Load>}, AccessSize{&Load::size}};
};
template <>
struct Row<Store> {
    static constexpr std::string_view word = "store";
    static constexpr Way way = Way::fault;
    static constexpr std::tuple fields{Place{&Store::at, Access::write, size_of_access<Store>},
                                       AccessSize{&Store::size}, StoredValue{&Store::value}};
};
template <>
struct Row<Touch> {
    static constexpr std::string_view word = "touch";
    static constexpr Way way = Way::fault;
    static constexpr std::uint64_t span(Touch const& touch) {
        return (std::uint64_t{touch.pages} - 1) * kPageBytes + 1;
    }
    static constexpr std::tuple fields{Place{&Touch::at, Access::read, span}, PageCount{&Touch::pages}};
};
template <>
struct Row<PipeWrite> {
    static constexpr std::string_view word = "pipe_write";
    static constexpr Way way = Way::copyin;
    static constexpr std::tuple fields{Place{&PipeWrite::from, Access::read, bytes_asked_for<PipeWrite>},
                                       ByteCount{&PipeWrite::bytes}};
};
template <>
struct Row<PipeRead> {
    static constexpr std::string_view word = "pipe_read";
    static constexpr Way way = Way::copyout;
    static constexpr std::tuple fields{Place{&PipeRead::to, Access::write, bytes_asked_for<PipeRead>},
                                       ByteCount{&PipeRead::bytes}};
};
template <>
struct Row<FileRead> {
    static constexpr std::string_view word = "file_read";
    static constexpr Way way = Way::copyout;
    static constexpr std::tuple fields{Place{&FileRead::to, Access::write, bytes_asked_for<FileRead>},
                                       ByteCount{&FileRead::bytes}};
};
template <>
struct Row<Fstat> {
    static constexpr std::string_view word = "fstat";
    static constexpr Way way = Way::copyout;
    static constexpr std::tuple fields{Place{&Fstat::to, Access::write, always<kStatBytes, Fstat>}};
};
template <>
struct Row<Pipe> {
    static constexpr std::string_view word = "pipe";
    static constexpr Way way = Way::copyout;
    static constexpr std::tuple fields{Place{&Pipe::to, Access::write, always<kDescriptorsBytes, Pipe>}};
};
template <>
struct Row<Open> {
    static constexpr std::string_view word = "open";
    static constexpr Way way = Way::copyinstr;
    static constexpr std::tuple fields{Place{&Open::path, Access::read, always<kPathBytesMax, Open>}};
};
template <>
struct Row<Exec> {
    static constexpr std::string_view word = "exec";
    static constexpr Way way = Way::exec;
    static constexpr std::tuple<> fields{};
};
template <>
struct Row<SetSp> {
    static constexpr std::string_view word = "sp";
    static constexpr Way way = Way::none;
    static constexpr std::tuple fields{Place{&SetSp::to, Access::none, always<0, SetSp>}};
};
template <>
struct Row<Fetch> {
    static constexpr std::string_view word = "fetch";
    static constexpr Way way = Way::fault;
    static constexpr std::tuple fields{Place{&Fetch::at, Access::execute, always<2, Fetch>}};
};
template <>
struct Row<Yield> {
    static constexpr std::string_view word = "yield";
    static constexpr Way way = Way::none;
    static constexpr std::tuple<> fields{};
};

// ---- the table as a whole

// Calls visit(field) with each field of the kind, in the order of the grammar.
template <class Kind, class Visit>
constexpr void for_each_field(Visit&& visit) {
    std::apply([&](auto const&... field) { (visit(field), ...); }, Row<Kind>::fields);
}

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

// By which way the action meets memory. A system call that is given no address copies nothing.
Way way_of(Action const& action);

// An instruction of the process itself, rather than a system call of it.
bool is_user_access(Action const& action);

// The action accesses memory of the process, or has the kernel copy to or from it, if it is given an address.
bool reaches_user_memory(Action const& action);

}  // namespace vmcheck::spec
