#pragma once
// What DWARF says of a program's global variables, their types, and its lines, copied into plain values.
//
// read_debug_info is the only function of this project that talks to libdw. It copies everything out at once, so that
// nothing later depends on libdw's state (which is not thread-safe) or on bytes that nobody vouches for: sizes and
// indices here are already checked.
//
// The format is the DWARF Debugging Information Format, versions 2 to 5, as written by GCC and Clang.

#include "impl/elf/kernel_image.h"
#include "impl/map/source_lines.h"
#include "spec/address.h"

#include <tl/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vmcheck::map {

// Why a part of the map is not there: a full sentence for the user.
struct Missing {
    std::string reason;
};

template <class T>
using Part = tl::expected<T, Missing>;

using TypeIndex = std::uint32_t;  // into DebugInfo::types

struct Member {
    std::string name;  // empty for a base class, and for an anonymous struct or union
    std::uint64_t offset = 0;
    TypeIndex type = 0;
    bool is_bit_field = false;
};

struct Enumerator {
    std::string name;
    std::int64_t value = 0;
};

// A type without its typedefs, const and volatile.
struct Type {
    enum class Kind { kOther, kInteger, kPointer, kEnumeration, kStructure, kArray };
    Kind kind = Kind::kOther;
    std::string name;         // qualified; empty where it has none. Typedef names count where the type itself has none.
    std::uint64_t bytes = 0;  // of the whole; 0 where not known
    bool is_signed = false;   // integers and enumerations
    TypeIndex target = 0;     // pointers: what they point to; arrays: the element
    std::uint64_t count = 0;  // arrays: elements; 0 where not known. Several dimensions are arrays of arrays.
    std::vector<Member> members{};          // structures, classes, unions; base classes first
    std::vector<Enumerator> enumerators{};  // enumerations
};

// A variable with a fixed address: global, static member, or static in a file or function.
struct Variable {
    std::string name;  // qualified: "kernel::frames"; anonymous namespaces leave no trace in it
    VirtAddr address;
    TypeIndex type = 0;
    std::string file;  // the source file of its compilation unit, to tell namesakes apart
};

struct DebugInfo {
    std::vector<Type> types;          // types[0] is a kOther without name: "void", and whatever could not be understood
    std::vector<Variable> variables;  // ascending by address, then name; each (address, name) once
    std::vector<Enumerator> enumerators;  // of all enumerations, by their unqualified and qualified names
    SourceLines lines;
    // Why there is nothing, or not everything: a full sentence; empty where all was read.
    std::string note{};
};

// Reads the debug information of `image`. A file without it, or with damaged parts, gives what could be read and a
// note.
DebugInfo read_debug_info(elf::KernelImage const& image);

}  // namespace vmcheck::map
