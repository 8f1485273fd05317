#pragma once
// An absolute address of a report in the words of programs: "heap+0x8" instead of 0x7008.

#include "spec/layout.h"
#include "spec/program.h"

namespace vmcheck::report {

// The address relative to the region that it lies in; absolute where it lies in none.
spec::Address place_of(spec::Layout const& layout, VirtAddr address);

}  // namespace vmcheck::report
