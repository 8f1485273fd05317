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

// True for the sizes of integers that can be read in one go.
inline bool is_word_size(std::uint64_t bytes) {
    return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
}

// Where `place` lies in RAM; nothing where a part of it lies outside of the kernel's segments. For a place behind a
// pointer, where the pointer is.
std::optional<PhysAddr> physical(Sources const& from, Place const& place);

}  // namespace vmcheck::map::parts
