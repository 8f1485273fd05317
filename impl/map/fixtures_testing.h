#pragma once
// The RV64 programs of fixtures/, as built for the tests.

#include "impl/elf/kernel_image.h"
#include "impl/map/debug_info.h"
#include "impl/map/kernel_map.h"

#include <string>

namespace vmcheck::map::testing {

// The program "<name>.elf". Ends the test program where it is missing: the build should have made it.
elf::KernelImage fixture(std::string const& name);

// Its kernel map, with xv6's names or those given.
KernelMap map_of(std::string const& name, MapNames const& names = {});

// The address of the symbol of that name.
std::uint64_t address_of(elf::KernelImage const& image, std::string const& name);

}  // namespace vmcheck::map::testing
