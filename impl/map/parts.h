#pragma once
// The parts of the kernel map, one function each. Private to make_kernel_map.

#include "impl/map/kernel_map.h"
#include "impl/map/variable_path.h"

#include <string>
#include <vector>

namespace vmcheck::map::parts {

// What all parts are made from.
struct Sources {
    elf::KernelImage const& image;
    DebugInfo const& debug;
    MapNames const& names;
    elf::AddressRange ram;
};

Part<VirtAddr> function(Sources const& from, std::string const& name);
Part<FreeList> free_list(Sources const& from);
Part<ProcessTable> processes(Sources const& from);
Part<ReferenceCounts> reference_counts(Sources const& from);
std::vector<ReferenceCounts> candidates(Sources const& from);

// ---- every scalar in every global variable: what a search for things that nobody named goes through

struct Scalar {
    std::string name;  // a path that find_variable understands
    Place place;       // its type is an integer, pointer or enumeration
};

// All scalars of all variables, members of structures included; an array counts once, as a place with many values.
// Left out: bit-fields, what lies in arrays inside arrays' elements, what is nested deeper than any program does.
// Pointers are not followed. In order of the variables, and then of members.
std::vector<Scalar> scalars_of(DebugInfo const& debug);

// True for the sizes of integers that can be read in one go.
inline bool is_word_size(std::uint64_t bytes) {
    return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
}

// Where `place` lies in RAM; nothing where a part of it lies outside of the kernel's segments. For a place behind a
// pointer, where the pointer is.
std::optional<PhysAddr> physical(Sources const& from, Place const& place);

}  // namespace vmcheck::map::parts
