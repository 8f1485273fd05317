#include "impl/map/system_calls.h"

#include "spec/bytes.h"

#include <string_view>
#include <unordered_map>

namespace vmcheck::map {

SystemCalls system_calls(elf::KernelImage const& image) {
    constexpr std::string_view kPrefix = "sys_";
    constexpr std::uint64_t kEntryBytes = 8;
    SystemCalls calls;
    elf::Symbol const* const table = image.find_symbol("syscalls");
    if (table == nullptr || !image.to_physical(table->address, table->bytes)) return calls;
    std::unordered_map<std::uint64_t, std::string_view> names;
    for (elf::Symbol const& symbol : image.symbols())
        if (symbol.name.starts_with(kPrefix))
            names.emplace(symbol.address.value, std::string_view(symbol.name).substr(kPrefix.size()));
    for (elf::Segment const& segment : image.segments()) {
        if (table->address < segment.linked) continue;
        std::uint64_t const start = table->address.value - segment.linked.value;
        for (std::uint64_t at = 0; at + kEntryBytes <= table->bytes; at += kEntryBytes) {
            if (start + at > segment.bytes.size() || segment.bytes.size() - start - at < kEntryBytes) break;
            std::uint64_t const function = load_little_endian(segment.bytes.subspan(start + at, kEntryBytes));
            if (auto const name = names.find(function); name != names.end())
                calls.emplace(name->second, at / kEntryBytes);
        }
    }
    return calls;
}

}  // namespace vmcheck::map
