#pragma once
// Copies types out of DWARF, each once, however often and in whatever circles they refer to each other.

#include "impl/map/debug_info.h"
#include "impl/map/dwarf_die.h"

#include <string>
#include <unordered_map>
#include <vector>

namespace vmcheck::map::dwarf {

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
