#pragma once
// Steps as lines of a repro.c. The functions that the lines call are in repro_c.cpp.

#include "spec/program.h"
#include "spec/step_kinds.h"

#include <cstdint>
#include <optional>
#include <string>

namespace vmcheck::repro {

// A char pointer as c_pointer() writes it; but the stack page is `room`, a page that stands for it, since the program's
// own calls write to its stack all the time. A range of bytes that goes on beyond the stack page is at the real one.
std::string repro_pointer(spec::Address const& at, std::uint64_t bytes);

// The anchor names a page of vmcheck's own image.
bool is_of_image(spec::Anchor anchor);

inline constexpr char const* kOtherImage =
    "it reaches across pages of vmcheck's own image, which other programs do not have side by side";

// Whether the range leaves the page that the address is named after. What lies behind vmcheck's own pages of text,
// constants and data is not there in other programs; but the guard page lies behind the last page of data, and that
// they all have.
bool leaves_its_page(spec::Address const& at, std::uint64_t bytes);

// What the step does to memory that it names, where it does anything.
std::optional<spec::AddressUse> access_of(spec::Action const& action);

// The expression that does the step and, where it has a result, is the result: "load1(heap + 8)". Empty where there is
// nothing to do. `stack_pointer`: where a step before has put sp, if one has: loads, stores and system calls that take
// an address are then done with sp there.
std::string repro_expression(spec::Action const& action, std::optional<spec::Address> const& stack_pointer);

}  // namespace vmcheck::repro
