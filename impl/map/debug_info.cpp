#include "impl/map/debug_info.h"

#include "impl/map/dwarf.h"

#include <dwarf.h>
#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <string_view>
#include <tuple>

namespace vmcheck::map {
namespace {

using dwarf::key_of;

constexpr std::uint64_t kDiesMax = 4U << 20;
constexpr int kScopesNestedMax = 256;
constexpr std::size_t kRowsMax = 8U << 20;
constexpr std::size_t kRangesMax = 1U << 20;
constexpr int kRangesOfOneMax = 1024;

std::uint32_t narrow(std::uint64_t value) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(value, std::numeric_limits<std::uint32_t>::max()));
}

// Copies line tables, and the code ranges of functions.
class LineReader {
  public:
    // Takes in the line table of a compilation unit; until the next call it is the one that add_function refers to.
    void start_unit(Dwarf_Die& unit) {
        Dwarf_Attribute attribute;
        char const* const directory = dwarf_formstring(dwarf_attr(&unit, DW_AT_comp_dir, &attribute));
        directory_ = directory == nullptr ? std::string() : std::string(directory) + "/";
        files_ = nullptr;
        file_count_ = 0;
        if (dwarf_getsrcfiles(&unit, &files_, &file_count_) != 0) files_ = nullptr;

        Dwarf_Lines* lines = nullptr;
        std::size_t count = 0;
        if (dwarf_getsrclines(&unit, &lines, &count) != 0) return;
        for (std::size_t i = 0; i < count && data_.rows.size() < kRowsMax; ++i) {
            Dwarf_Line* const line = dwarf_onesrcline(lines, i);
            Dwarf_Addr address = 0;
            int number = 0;
            bool ends_sequence = false;
            if (line == nullptr || dwarf_lineaddr(line, &address) != 0 || dwarf_lineno(line, &number) != 0) continue;
            if (dwarf_lineendsequence(line, &ends_sequence) != 0) continue;
            SourceLines::Row row;
            row.address = VirtAddr{address};
            row.file = file_index(dwarf_linesrc(line, nullptr, nullptr));
            row.line = number < 0 ? 0 : static_cast<std::uint32_t>(number);
            row.ends_sequence = ends_sequence;
            data_.rows.push_back(row);
        }
    }

    // Takes in the code of a function, or of a copy of it inlined `depth` levels deep.
    void add_function(Dwarf_Die& die, std::string const& name, unsigned depth) {
        SourceLines::Range range;
        range.function = name;
        range.depth = depth;
        Dwarf_Die declaration = dwarf::declaration_of(die);
        range.by_compiler = dwarf::flag(die, DW_AT_artificial) || dwarf::flag(declaration, DW_AT_artificial);
        if (depth > 0) {
            auto const file = dwarf::unsigned_value(die, DW_AT_call_file);
            bool const known = files_ != nullptr && file && *file < file_count_;
            range.call_file = file_index(known ? dwarf_filesrc(files_, *file, nullptr, nullptr) : nullptr);
            range.call_line = narrow(dwarf::unsigned_value(die, DW_AT_call_line).value_or(0));
        }
        Dwarf_Addr base = 0;
        Dwarf_Addr start = 0;
        Dwarf_Addr end = 0;
        std::ptrdiff_t at = 0;
        for (int i = 0; i < kRangesOfOneMax && data_.ranges.size() < kRangesMax; ++i) {
            at = dwarf_ranges(&die, at, &base, &start, &end);
            if (at <= 0) return;
            if (start >= end) continue;
            range.start = VirtAddr{start};
            range.end = VirtAddr{end};
            data_.ranges.push_back(range);
        }
    }

    SourceLines finish() { return SourceLines(std::move(data_)); }

  private:
    std::uint32_t file_index(char const* path) {
        std::string_view name = path == nullptr ? "?" : path;
        if (!directory_.empty() && name.substr(0, directory_.size()) == directory_)
            name.remove_prefix(directory_.size());
        while (name.substr(0, 2) == "./") name.remove_prefix(2);
        auto const [at, is_new] = file_indices_.try_emplace(std::string(name), narrow(data_.files.size()));
        if (is_new) data_.files.emplace_back(name);
        return at->second;
    }

    SourceLines::Data data_;
    std::unordered_map<std::string, std::uint32_t> file_indices_;
    std::string directory_;         // of the current unit, with a final '/'
    Dwarf_Files* files_ = nullptr;  // of the current unit
    std::size_t file_count_ = 0;
};

// Each variable once per address: a declaration in a header is described by every unit that includes it.
void sort_variables(std::vector<Variable>& variables) {
    auto const key = [](Variable const& v) { return std::tie(v.address, v.name); };
    std::ranges::stable_sort(variables, {}, key);
    auto const same = [&](Variable const& a, Variable const& b) { return key(a) == key(b); };
    variables.erase(std::unique(variables.begin(), variables.end(), same), variables.end());
}

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

    DebugInfo finish() {
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
                if (!type.name.empty())
                    info.enumerators.push_back({type.name + "::" + enumerator.name, enumerator.value});
            }
        }
        info.lines = lines_.finish();
        if (gave_up_) info.note = "The kernel's debug information is damaged or too large, and was read in part.";
        return info;
    }

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

    void walk_children(Dwarf_Die& parent, Scope const& scope) {
        if (scope.nesting > kScopesNestedMax) {
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

    void visit(Dwarf_Die& die, Scope const& scope) {
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

    // The name of a DIE with the names around it; empty where it has none. A definition outside its namespace
    // (DW_AT_specification) has the name of its declaration.
    std::string qualified(Dwarf_Die& die, Scope const& scope) {
        Dwarf_Die declaration = dwarf::declaration_of(die);
        if (key_of(declaration) != key_of(die)) {
            if (auto const named = names_.find(key_of(declaration)); named != names_.end()) return named->second;
            return dwarf::own_name(declaration);
        }
        std::string const own = dwarf::own_name(die);
        return own.empty() ? own : scope.prefix + own;
    }

    dwarf::QualifiedNames names_;
    dwarf::TypeReader types_;
    LineReader lines_;
    std::vector<Found> variables_;
    std::vector<Dwarf_Die> structures_;
    std::vector<Dwarf_Die> enumerations_;
    std::string unit_file_;
    std::uint64_t dies_ = 0;
    bool gave_up_ = false;
};

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
