#include "impl/map/dwarf.h"

#include <dwarf.h>

#include <algorithm>
#include <utility>

namespace vmcheck::map::dwarf {
namespace {

// Chains of references longer than this are damage, not language.
constexpr int kStepsMax = 8;

// The single operation of a location expression; null where there are several, or a list of them.
Dwarf_Op* only_operation(Dwarf_Attribute& attribute) {
    Dwarf_Op* operations = nullptr;
    std::size_t count = 0;
    if (dwarf_getlocation(&attribute, &operations, &count) != 0 || count != 1) return nullptr;
    return operations;
}

struct Constant {
    std::uint64_t bits = 0;
    bool is_signed = false;
};

std::optional<Constant> constant(Dwarf_Die& die, unsigned attribute_name) {
    Dwarf_Attribute attribute;
    if (dwarf_attr(&die, attribute_name, &attribute) == nullptr) return std::nullopt;
    unsigned const form = dwarf_whatform(&attribute);
    Dwarf_Word value = 0;
    Dwarf_Sword signed_value = 0;
    if (form != DW_FORM_sdata && form != DW_FORM_implicit_const)
        return dwarf_formudata(&attribute, &value) == 0 ? std::optional(Constant{value, false}) : std::nullopt;
    if (dwarf_formsdata(&attribute, &signed_value) != 0) return std::nullopt;
    return Constant{static_cast<std::uint64_t>(signed_value), true};
}

}  // namespace

std::string own_name(Dwarf_Die& die) {
    Dwarf_Attribute attribute;
    char const* const name = dwarf_formstring(dwarf_attr(&die, DW_AT_name, &attribute));
    return name == nullptr ? std::string() : std::string(name);
}

std::optional<Dwarf_Die> referred(Dwarf_Die& die, unsigned attribute_name) {
    Dwarf_Attribute attribute;
    Dwarf_Die target;
    if (dwarf_formref_die(dwarf_attr(&die, attribute_name, &attribute), &target) == nullptr) return std::nullopt;
    return target;
}

Dwarf_Die declaration_of(Dwarf_Die die) {
    for (int step = 0; step < kStepsMax; ++step) {
        auto next = referred(die, DW_AT_specification);
        if (!next) next = referred(die, DW_AT_abstract_origin);
        if (!next) break;
        die = *next;
    }
    return die;
}

std::optional<std::uint64_t> unsigned_value(Dwarf_Die& die, unsigned attribute_name) {
    auto const found = constant(die, attribute_name);
    if (!found || (found->is_signed && static_cast<std::int64_t>(found->bits) < 0)) return std::nullopt;
    return found->bits;
}

// GCC and Clang write negative values as signed ones: what has another form is meant unsigned.
std::optional<std::int64_t> constant_value(Dwarf_Die& die) {
    auto const found = constant(die, DW_AT_const_value);
    return found ? std::optional(static_cast<std::int64_t>(found->bits)) : std::nullopt;
}

bool flag(Dwarf_Die& die, unsigned attribute_name) {
    Dwarf_Attribute attribute;
    bool value = false;
    if (dwarf_attr(&die, attribute_name, &attribute) == nullptr) return false;
    return dwarf_formflag(&attribute, &value) == 0 && value;
}

std::optional<std::uint64_t> fixed_address(Dwarf_Die& die) {
    Dwarf_Attribute location;
    if (dwarf_attr(&die, DW_AT_location, &location) == nullptr) return std::nullopt;
    Dwarf_Op* const operation = only_operation(location);
    if (operation == nullptr) return std::nullopt;
    if (operation->atom == DW_OP_addr) return operation->number;
    if (operation->atom != DW_OP_addrx && operation->atom != DW_OP_GNU_addr_index) return std::nullopt;
    // Clang's DWARF 5: an index into .debug_addr.
    Dwarf_Attribute indexed;
    Dwarf_Addr address = 0;
    if (dwarf_getlocation_attr(&location, operation, &indexed) != 0) return std::nullopt;
    if (dwarf_formaddr(&indexed, &address) != 0) return std::nullopt;
    return address;
}

std::optional<std::uint64_t> member_offset(Dwarf_Die& die) {
    Dwarf_Attribute attribute;
    if (dwarf_attr(&die, DW_AT_data_member_location, &attribute) == nullptr) {
        auto const bits = unsigned_value(die, DW_AT_data_bit_offset);
        return bits ? *bits / 8 : 0;
    }
    if (auto const constant = unsigned_value(die, DW_AT_data_member_location)) return constant;
    Dwarf_Op* const operation = only_operation(attribute);
    if (operation == nullptr || operation->atom != DW_OP_plus_uconst) return std::nullopt;
    return operation->number;
}

// ---- types

namespace {

constexpr int kAliasesMax = 64;     // typedefs and qualifiers on top of each other
constexpr int kDimensionsMax = 16;  // of an array
constexpr std::size_t kTypesMax = 1U << 20;
constexpr std::size_t kPartsMax = 1U << 16;  // members or enumerators of one type

bool is_alias(int tag) {
    switch (tag) {
        case DW_TAG_typedef:
        case DW_TAG_const_type:
        case DW_TAG_volatile_type:
        case DW_TAG_restrict_type:
        case DW_TAG_atomic_type:
        case DW_TAG_immutable_type:
            return true;
        default:
            return false;
    }
}

bool is_structure(int tag) {
    return tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type;
}

// Integers, characters and truth values: everything that can be read as a number.
bool is_integer(std::uint64_t encoding) {
    switch (encoding) {
        case DW_ATE_signed:
        case DW_ATE_unsigned:
        case DW_ATE_signed_char:
        case DW_ATE_unsigned_char:
        case DW_ATE_boolean:
        case DW_ATE_UTF:
            return true;
        default:
            return false;
    }
}

// The elements that one DW_TAG_subrange_type stands for; 0 where it does not say.
std::uint64_t elements_of(Dwarf_Die& subrange) {
    if (auto const count = unsigned_value(subrange, DW_AT_count)) return *count;
    auto const last = unsigned_value(subrange, DW_AT_upper_bound);
    return last && *last < ~std::uint64_t{0} ? *last + 1 : 0;
}

}  // namespace

std::string TypeReader::name_of(Dwarf_Die& die) const {
    auto const named = names_.find(key_of(die));
    return named == names_.end() ? own_name(die) : named->second;
}

TypeIndex TypeReader::type_of(Dwarf_Die& die) {
    auto const type = referred(die, DW_AT_type);
    return type ? index_of(*type) : 0;
}

TypeIndex TypeReader::index_of(Dwarf_Die die) {
    std::string alias;
    for (int step = 0; is_alias(dwarf_tag(&die)); ++step) {
        if (alias.empty() && dwarf_tag(&die) == DW_TAG_typedef) alias = name_of(die);
        auto const target = referred(die, DW_AT_type);
        if (!target || step == kAliasesMax) return 0;
        die = *target;
    }
    auto const [known, is_new] = known_.try_emplace(key_of(die), static_cast<TypeIndex>(types_.size()));
    if (!is_new) return known->second;
    if (types_.size() >= kTypesMax) return known->second = 0;
    types_.emplace_back();
    types_.back().name = name_of(die);
    if (types_.back().name.empty()) types_.back().name = alias;
    pending_.push_back({die, known->second});
    return known->second;
}

// Fills types_[at]. index_of may move types_, so each kind works on a copy or on indices.
void TypeReader::fill(Dwarf_Die& die, TypeIndex at) {
    int const tag = dwarf_tag(&die);
    if (tag == DW_TAG_array_type) return fill_array(die, at);
    Type type = std::move(types_[at]);
    type.bytes = unsigned_value(die, DW_AT_byte_size).value_or(0);
    if (tag == DW_TAG_base_type) {
        std::uint64_t const encoding = unsigned_value(die, DW_AT_encoding).value_or(0);
        if (is_integer(encoding)) type.kind = Type::Kind::kInteger;
        type.is_signed = encoding == DW_ATE_signed || encoding == DW_ATE_signed_char;
    } else if (tag == DW_TAG_pointer_type || tag == DW_TAG_reference_type) {
        type.kind = Type::Kind::kPointer;
        type.bytes = 8;  // RV64
        type.target = type_of(die);
    } else if (tag == DW_TAG_enumeration_type) {
        fill_enumeration(die, type);
    } else if (is_structure(tag)) {
        type.kind = Type::Kind::kStructure;
        if (flag(die, DW_AT_declaration)) declarations_.push_back(at);
        fill_structure(die, type);
    }
    types_[at] = std::move(type);
}

void TypeReader::fill_structure(Dwarf_Die& die, Type& type) {
    std::size_t bases = 0;
    for_each_child(die, [&](Dwarf_Die& child) {
        int const tag = dwarf_tag(&child);
        bool const is_base = tag == DW_TAG_inheritance;
        // Static members are no part of the object; DWARF marks them as declarations.
        if (!is_base && (tag != DW_TAG_member || flag(child, DW_AT_declaration))) return true;
        auto const offset = member_offset(child);
        if (!offset) return true;
        Member member;
        member.name = is_base ? std::string() : own_name(child);
        member.offset = *offset;
        member.type = type_of(child);
        member.is_bit_field = unsigned_value(child, DW_AT_bit_size).has_value();
        auto const place = is_base ? type.members.begin() + static_cast<std::ptrdiff_t>(bases++) : type.members.end();
        type.members.insert(place, std::move(member));
        return type.members.size() < kPartsMax;
    });
}

void TypeReader::fill_enumeration(Dwarf_Die& die, Type& type) {
    type.kind = Type::Kind::kEnumeration;
    for_each_child(die, [&](Dwarf_Die& child) {
        auto const value = constant_value(child);
        if (dwarf_tag(&child) == DW_TAG_enumerator && value) {
            type.enumerators.push_back({own_name(child), *value});
            type.is_signed = type.is_signed || *value < 0;
        }
        return type.enumerators.size() < kPartsMax;
    });
}

// Several dimensions become arrays of arrays: the first is types_[at] itself, the others are made here.
void TypeReader::fill_array(Dwarf_Die& die, TypeIndex at) {
    std::vector<std::uint64_t> counts;
    for_each_child(die, [&](Dwarf_Die& child) {
        if (dwarf_tag(&child) == DW_TAG_subrange_type) counts.push_back(elements_of(child));
        return counts.size() < kDimensionsMax;
    });
    if (counts.empty()) counts.push_back(0);
    TypeIndex inner = type_of(die);
    for (std::size_t i = counts.size() - 1; i > 0; --i) {
        Type dimension;
        dimension.kind = Type::Kind::kArray;
        dimension.target = inner;
        dimension.count = counts[i];
        inner = static_cast<TypeIndex>(types_.size());
        types_.push_back(std::move(dimension));
    }
    types_[at].kind = Type::Kind::kArray;
    types_[at].target = inner;
    types_[at].count = counts[0];
}

void TypeReader::replace_declarations() {
    std::unordered_map<std::string, TypeIndex> definitions;
    std::vector<bool> is_declaration(types_.size());
    for (TypeIndex const at : declarations_) is_declaration[at] = true;
    for (TypeIndex i = 0; i < types_.size(); ++i)
        if (types_[i].kind == Type::Kind::kStructure && !is_declaration[i] && !types_[i].name.empty())
            definitions.try_emplace(types_[i].name, i);
    for (TypeIndex const at : declarations_)
        if (auto const found = definitions.find(types_[at].name); found != definitions.end())
            types_[at] = types_[found->second];
}

void TypeReader::measure_arrays() {
    for (Type& type : types_) {
        if (type.kind != Type::Kind::kArray) continue;
        std::uint64_t bytes = type.count;
        Type const* element = &types_[type.target];
        bool overflow = false;
        int dimensions = 1;
        for (; element->kind == Type::Kind::kArray && dimensions < kDimensionsMax; ++dimensions) {
            overflow = overflow || __builtin_mul_overflow(bytes, element->count, &bytes);
            element = &types_[element->target];
        }
        overflow = overflow || __builtin_mul_overflow(bytes, element->bytes, &bytes);
        type.bytes = overflow || dimensions == kDimensionsMax ? 0 : bytes;
    }
}

std::vector<Type> TypeReader::finish() {
    while (!pending_.empty()) {
        Pending next = pending_.back();
        pending_.pop_back();
        fill(next.die, next.index);
    }
    replace_declarations();
    measure_arrays();
    return std::move(types_);
}

}  // namespace vmcheck::map::dwarf
