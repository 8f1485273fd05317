#pragma once
// Finds the array in which a kernel counts the references to its frames, without being told its name: fork once, and
// see which array's elements for the shared frames go from n to n + 1, and back when the child is gone.

#include "impl/control/kernel_execution.h"
#include "impl/map/kernel_map.h"
#include "impl/observe/reference_counts.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vmcheck {

struct FoundCounts {
    map::ReferenceCounts layout;
    observe::ReferenceCounts counts;
    std::int64_t raw_for_one = 1;  // what the array says of a frame with one reference
};

// Nothing where no candidate behaves like that, or where fork shares too few frames to tell.
std::optional<FoundCounts> find_reference_counts(KernelExecution& execution,
                                                 std::vector<map::ReferenceCounts> const& candidates);

// "refs (uint8, 1 for one reference)"
std::string describe(map::ReferenceCounts const& layout, std::int64_t raw_for_one);

}  // namespace vmcheck
