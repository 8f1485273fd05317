#pragma once
// libdw's C interface, reduced to the questions that the DWARF reader asks. Answers are "nothing" where the file is
// silent or damaged. Private to the reader: no other part of the project includes libdw.

#include <elfutils/libdw.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace vmcheck::map::dwarf {

struct EndDwarf {
    void operator()(Dwarf* dwarf) const { dwarf_end(dwarf); }
};
struct EndElf {
    void operator()(Elf* elf) const { elf_end(elf); }
};
using DwarfHandle = std::unique_ptr<Dwarf, EndDwarf>;
using ElfHandle = std::unique_ptr<Elf, EndElf>;

// A DIE's identity: where it lies in memory. Unlike its offset it is unique over all sections.
using DieKey = void const*;
inline DieKey key_of(Dwarf_Die const& die) {
    return die.addr;
}

// DW_AT_name of this DIE itself; empty where it has none.
std::string own_name(Dwarf_Die& die);

// The DIE that `attribute` of this one refers to.
std::optional<Dwarf_Die> referred(Dwarf_Die& die, unsigned attribute);

// The DIE that this one completes or instantiates (DW_AT_specification, DW_AT_abstract_origin); itself where none.
// Follows several steps.
Dwarf_Die declaration_of(Dwarf_Die die);

// A constant attribute; nothing where it is missing, negative, or computed at run time.
std::optional<std::uint64_t> unsigned_value(Dwarf_Die& die, unsigned attribute);

// DW_AT_const_value of an enumerator, whatever its form.
std::optional<std::int64_t> constant_value(Dwarf_Die& die);

bool flag(Dwarf_Die& die, unsigned attribute);

// The address that DW_AT_location gives, where it is a fixed one.
std::optional<std::uint64_t> fixed_address(Dwarf_Die& die);

// DW_AT_data_member_location: a constant, or (DWARF 2) the expression "add a constant". 0 where it is missing
// (members of unions); nothing where it is computed (virtual base classes).
std::optional<std::uint64_t> member_offset(Dwarf_Die& die);

// Calls visit(die) for each child, while it returns true.
template <class Visit>
void for_each_child(Dwarf_Die& parent, Visit visit) {
    Dwarf_Die child;
    if (dwarf_child(&parent, &child) != 0) return;
    while (visit(child)) {
        Dwarf_Die next;
        if (dwarf_siblingof(&child, &next) != 0) return;
        child = next;
    }
}

}  // namespace vmcheck::map::dwarf
