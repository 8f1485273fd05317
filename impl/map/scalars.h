#pragma once
// Every scalar in every global variable: what a search for things that nobody named goes through.

#include "impl/map/debug_info.h"
#include "impl/map/variable_path.h"

#include <string>
#include <vector>

namespace vmcheck::map {

struct Scalar {
    std::string name;  // a path that find_variable understands
    Place place;       // its type is an integer, pointer or enumeration
};

// All scalars of all variables, members of structures included; an array counts once, as a place with many values.
// Left out: bit-fields, what lies in arrays inside arrays' elements, what is nested deeper than any program does.
// Pointers are not followed. In order of the variables, and then of members.
std::vector<Scalar> scalars_of(DebugInfo const& debug);

}  // namespace vmcheck::map
