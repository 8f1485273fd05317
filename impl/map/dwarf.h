#pragma once
// libdw's C interface, reduced to the questions that the DWARF reader asks. Answers are "nothing" where the file is
// silent or damaged. Private to the reader: no other part of the project includes libdw.

#include "impl/map/debug_info.h"

#include <elfutils/libdw.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

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

// ---- types: each is copied out once, however often and in whatever circles they refer to each other

// The qualified names of DIEs, where the walk over the tree found them.
using QualifiedNames = std::unordered_map<DieKey, std::string>;

class TypeReader {
  public:
    explicit TypeReader(QualifiedNames const& names) : names_(names), types_(1) {}

    // The index that the type of `die` (its DW_AT_type) has, or will have after finish(); 0 where it has none.
    TypeIndex type_of(Dwarf_Die& die);

    // Makes sure that this type DIE is among the types: the definition of something that is elsewhere only declared.
    void add(Dwarf_Die const& die) { index_of(die); }

    // All types, with sizes of arrays worked out and declarations replaced by their definitions.
    std::vector<Type> finish();

  private:
    TypeIndex index_of(Dwarf_Die die);
    void fill(Dwarf_Die& die, TypeIndex at);
    void fill_array(Dwarf_Die& die, TypeIndex at);
    void fill_structure(Dwarf_Die& die, Type& type);
    void fill_enumeration(Dwarf_Die& die, Type& type);
    std::string name_of(Dwarf_Die& die) const;
    void replace_declarations();
    void measure_arrays();

    struct Pending {
        Dwarf_Die die;
        TypeIndex index;
    };
    QualifiedNames const& names_;
    std::vector<Type> types_;
    std::vector<TypeIndex> declarations_;  // structures without contents
    std::vector<Pending> pending_;         // a work list in place of recursion: hostile types nest as deep as they like
    std::unordered_map<DieKey, TypeIndex> known_;
};

}  // namespace vmcheck::map::dwarf
