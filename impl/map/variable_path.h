#pragma once
// Finding a place in memory by the words of the source: "kmem.freelist", "kernel::frames.free_head".
//
// A path is a variable's qualified name, then members. Base classes and anonymous members are looked through; an array
// on the way stands for all its elements (`kmem.freelist` where `kmem` is an array: the list of each element);
// a pointer on the way is followed once, and the place says so.

#include "impl/map/debug_info.h"
#include "spec/address.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::map {

// `count` values of `type`; value i starts at address + i * stride, or, where `behind_pointer`, at
// (the 8-byte pointer stored at address) + offset_behind_pointer + i * stride.
struct Place {
    VirtAddr address;
    TypeIndex type = 0;
    std::uint64_t bytes = 0;   // of one value; > 0
    std::uint64_t stride = 0;  // bytes from one value to the next; `bytes` where there is but one
    std::uint64_t count = 1;   // 0: behind a pointer, where nobody says how many follow
    std::uint64_t row = 1;     // how many of them make an array, where there are arrays in an array
    bool is_array = false;     // false: one value, no array on the way
    bool behind_pointer = false;
    std::uint64_t offset_behind_pointer = 0;
};

// What a member path means inside a structure: "state", "space.root".
struct MemberPlace {
    std::uint64_t offset = 0;
    TypeIndex type = 0;
    std::uint64_t bytes = 0;
};

// Finds a variable path. Fails, with a reason that names the part that was not found, where there is no such variable
// or member, several variables of that name, more than one array on the way, or a size that is not known.
// Arrays at the end of the path are unfolded: the place is that of the elements. A class that only wraps one value
// (std::atomic<int>, a strong type) counts as that value.
Part<Place> find_variable(DebugInfo const& debug, std::string_view path);

// Finds a member path inside the type `structure`; the same rules, but arrays are not unfolded or crossed.
Part<MemberPlace> find_member(DebugInfo const& debug, TypeIndex structure, std::string_view path);

// The type with wrappers taken off: a structure whose only member has its size, at offset 0, is that member.
TypeIndex unwrap(DebugInfo const& debug, TypeIndex type);

// A scalar in a global variable: what a search for things that nobody named goes through.
struct Scalar {
    std::string name;  // a path that find_variable understands
    Place place;       // its type is an integer, pointer or enumeration
};

// All scalars of all variables, members of structures included; an array counts once, as a place with many values.
// Left out: bit-fields, what lies in arrays inside arrays' elements, what is nested deeper than any program does.
// Pointers are not followed. In order of the variables, and then of members.
std::vector<Scalar> scalars_of(DebugInfo const& debug);

}  // namespace vmcheck::map
