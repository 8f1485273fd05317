#include "impl/map/fixtures_testing.h"

#include <filesystem>

namespace vmcheck::map::testing {

elf::KernelImage fixture(std::string const& name) {
    auto const path = std::filesystem::path(VMCHECK_MAP_FIXTURES) / (name + ".elf");
    return elf::KernelImage::load(path, elf::kDefaultRam).value();
}

KernelMap map_of(std::string const& name, MapNames const& names) {
    return make_kernel_map(fixture(name), names, elf::kDefaultRam);
}

std::uint64_t address_of(elf::KernelImage const& image, std::string const& name) {
    elf::Symbol const* const symbol = image.find_symbol(name);
    return symbol == nullptr ? 0 : symbol->address.value;
}

}  // namespace vmcheck::map::testing
