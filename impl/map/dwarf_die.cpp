#include "impl/map/dwarf.h"

#include <dwarf.h>

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

}  // namespace vmcheck::map::dwarf
