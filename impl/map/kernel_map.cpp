#include "impl/map/kernel_map.h"

#include "impl/map/parts.h"

#include <fmt/format.h>

#include <algorithm>

namespace vmcheck::map {
namespace parts {

Part<VirtAddr> function(Sources const& from, std::string const& name) {
    elf::Symbol const* found = nullptr;
    for (elf::Symbol const* const symbol : from.image.find_by_source_name(name)) {
        if (symbol->kind == elf::SymbolKind::kObject || !from.image.to_physical(symbol->address)) continue;
        if (found != nullptr && found->address != symbol->address) {
            return tl::make_unexpected(Missing{
                fmt::format("There are several functions {}, at {:#x} and at {:#x}; name one by its ELF symbol.", name,
                            found->address.value, symbol->address.value)});
        }
        found = symbol;
    }
    if (found != nullptr) return found->address;
    if (from.image.symbols().empty())
        return tl::make_unexpected(Missing{fmt::format("The kernel has no symbols, so {} cannot be found.", name)});
    return tl::make_unexpected(Missing{fmt::format("There is no function {} in the kernel's symbols.", name)});
}

std::optional<PhysAddr> physical(Sources const& from, Place const& place) {
    if (place.behind_pointer) return from.image.to_physical(place.address, 8);
    std::uint64_t before_last = 0;
    if (place.count == 0 || __builtin_mul_overflow(place.count - 1, place.stride, &before_last)) return std::nullopt;
    std::uint64_t total = 0;
    if (__builtin_add_overflow(before_last, place.bytes, &total)) return std::nullopt;
    return from.image.to_physical(place.address, total);
}

}  // namespace parts

KernelMap make_kernel_map(elf::KernelImage const& image, MapNames const& names, elf::AddressRange ram) {
    auto const debug = std::make_shared<DebugInfo const>(read_debug_info(image));
    parts::Sources const from{image, *debug, names, ram};
    return KernelMap{.allocate = parts::function(from, names.allocate),
                     .panic = parts::function(from, names.panic),
                     .memset = parts::function(from, names.memset),
                     .memmove = parts::function(from, names.memmove),
                     .free_list = parts::free_list(from),
                     .processes = parts::processes(from),
                     .reference_counts = parts::reference_counts(from),
                     .candidates = names.reference_counts ? std::vector<ReferenceCounts>{} : parts::candidates(from),
                     .lines = debug->lines,
                     .debug = debug};
}

}  // namespace vmcheck::map
