#include "impl/map/debug_info.h"

#include "impl/map/dwarf_die.h"
#include "impl/map/dwarf_lines.h"
#include "impl/map/dwarf_types.h"

#include <dwarf.h>
#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <tuple>

namespace vmcheck::map {
namespace {

using dwarf::key_of;

constexpr std::uint64_t kDiesMax = 4U << 20;
constexpr int kNestingMax = 256;

// Walks over all DIEs once. Names are settled on the way down, where the enclosing namespaces and classes are known;
// variables and types are collected and read afterwards, when every name is known.
class Reader {
  public:
    Reader() : types_(names_) {}

    void read_unit(Dwarf_Die& unit) {
        unit_file_ = dwarf::own_name(unit);
        lines_.start_unit(unit);
        walk_children(unit, Scope{});
    }

    DebugInfo finish();

  private:
    struct Scope {
        std::string prefix;  // "kernel::" inside namespace kernel
        int nesting = 0;
        unsigned inlined = 0;  // levels of inlined functions around
    };
    struct Found {
        Dwarf_Die die;
        std::string file;
    };

    void walk_children(Dwarf_Die& parent, Scope const& scope);
    void visit(Dwarf_Die& die, Scope const& scope);
    std::string qualified(Dwarf_Die& die, Scope const& scope);

    dwarf::QualifiedNames names_;
    dwarf::TypeReader types_;
    dwarf::LineReader lines_;
    std::vector<Found> variables_;
    std::vector<Dwarf_Die> structures_;
    std::vector<Dwarf_Die> enumerations_;
    std::string unit_file_;
    std::uint64_t dies_ = 0;
    bool gave_up_ = false;
};

void Reader::walk_children(Dwarf_Die& parent, Scope const& scope) {
    if (scope.nesting > kNestingMax) {
        gave_up_ = true;
        return;
    }
    dwarf::for_each_child(parent, [&](Dwarf_Die& child) {
        if (++dies_ > kDiesMax) {
            gave_up_ = true;
            return false;
        }
        visit(child, scope);
        return true;
    });
}

// The name of a DIE with the names around it; empty where it has none. A definition outside its namespace
// (DW_AT_specification) has the name of its declaration.
std::string Reader::qualified(Dwarf_Die& die, Scope const& scope) {
    Dwarf_Die declaration = dwarf::declaration_of(die);
    if (key_of(declaration) != key_of(die)) {
        if (auto const named = names_.find(key_of(declaration)); named != names_.end()) return named->second;
        return dwarf::own_name(declaration);
    }
    std::string const own = dwarf::own_name(die);
    return own.empty() ? own : scope.prefix + own;
}

void Reader::visit(Dwarf_Die& die, Scope const& scope) {
    int const tag = dwarf_tag(&die);
    Scope inner{scope.prefix, scope.nesting + 1, scope.inlined};
    std::string const name = qualified(die, scope);
    switch (tag) {
        case DW_TAG_structure_type:
        case DW_TAG_class_type:
        case DW_TAG_union_type:
            structures_.push_back(die);
            break;
        case DW_TAG_enumeration_type:
            enumerations_.push_back(die);
            break;
        case DW_TAG_typedef:
        case DW_TAG_member:
            if (!name.empty()) names_[key_of(die)] = name;
            return;
        case DW_TAG_variable:
            if (!name.empty()) names_[key_of(die)] = name;
            variables_.push_back({die, unit_file_});
            return;
        case DW_TAG_inlined_subroutine:
            lines_.add_function(die, name, ++inner.inlined);
            return walk_children(die, inner);
        case DW_TAG_subprogram:
            lines_.add_function(die, name, 0);
            inner.inlined = 0;
            break;
        case DW_TAG_namespace:
        case DW_TAG_lexical_block:
            break;
        default:
            return;
    }
    if (!name.empty()) {
        names_[key_of(die)] = name;
        inner.prefix = name + "::";
    }
    walk_children(die, inner);
}

// Each variable once per address: a declaration in a header is described by every unit that includes it.
void sort_variables(std::vector<Variable>& variables) {
    auto const key = [](Variable const& v) { return std::tie(v.address, v.name); };
    std::ranges::stable_sort(variables, {}, key);
    auto const same = [&](Variable const& a, Variable const& b) { return key(a) == key(b); };
    variables.erase(std::unique(variables.begin(), variables.end(), same), variables.end());
}

DebugInfo Reader::finish() {
    DebugInfo info;
    for (Found& found : variables_) {
        auto const address = dwarf::fixed_address(found.die);
        if (!address) continue;
        Dwarf_Die declaration = dwarf::declaration_of(found.die);
        auto const name = names_.find(key_of(declaration));
        if (name == names_.end()) continue;
        // `extern int x[]; int x[4];`: the definition's own type knows the size.
        TypeIndex type = types_.type_of(found.die);
        if (type == 0) type = types_.type_of(declaration);
        info.variables.push_back({name->second, VirtAddr{*address}, type, found.file});
    }
    sort_variables(info.variables);
    for (Dwarf_Die& structure : structures_) types_.add(structure);
    for (Dwarf_Die& enumeration : enumerations_) types_.add(enumeration);
    info.types = types_.finish();
    for (Type const& type : info.types) {
        for (Enumerator const& enumerator : type.enumerators) {
            info.enumerators.push_back(enumerator);
            if (!type.name.empty()) info.enumerators.push_back({type.name + "::" + enumerator.name, enumerator.value});
        }
    }
    info.lines = lines_.finish();
    if (gave_up_) info.note = "The kernel's debug information is damaged or too large, and was read in part.";
    return info;
}

DebugInfo nothing(std::string note) {
    DebugInfo info;
    info.types.resize(1);
    info.note = std::move(note);
    return info;
}

}  // namespace

DebugInfo read_debug_info(elf::KernelImage const& image) {
    if (!image.has_debug_info())
        return nothing("The kernel has no debug information; build it with -g (xv6's Makefile does).");
    elf_version(EV_CURRENT);
    // libelf wants bytes that it may write to; the image's are shared.
    std::vector<char> bytes(image.bytes().size());
    std::ranges::transform(image.bytes(), bytes.begin(), [](std::byte b) { return static_cast<char>(b); });
    dwarf::ElfHandle const elf(elf_memory(bytes.data(), bytes.size()));
    dwarf::DwarfHandle const handle(elf ? dwarf_begin_elf(elf.get(), DWARF_C_READ, nullptr) : nullptr);
    if (!handle) return nothing(fmt::format("The kernel's debug information cannot be read: {}.", dwarf_errmsg(-1)));

    Reader reader;
    Dwarf_CU* unit = nullptr;
    Dwarf_Die unit_die;
    int more = 0;
    for (std::uint64_t units = 0; units < kDiesMax; ++units) {
        more = dwarf_get_units(handle.get(), unit, &unit, nullptr, nullptr, &unit_die, nullptr);
        if (more != 0) break;
        reader.read_unit(unit_die);
    }
    DebugInfo info = reader.finish();
    if (more < 0 && info.note.empty()) info.note = "The kernel's debug information is damaged, and was read in part.";
    return info;
}

}  // namespace vmcheck::map
