#include "impl/elf/kernel_image.h"

#include "impl/base/files.h"

#include <algorithm>

namespace vmcheck::elf {
namespace {

ElfError::Kind kind_of(base::Error::Kind kind) {
    if (kind == base::Error::Kind::no_such_file) return ElfError::Kind::kNoSuchFile;
    return kind == base::Error::Kind::is_directory ? ElfError::Kind::kIsDirectory : ElfError::Kind::kUnreadable;
}

// The segment whose memory holds all of [address, address + size) as linked; null where none does.
Segment const* segment_at(std::span<Segment const> segments, VirtAddr address, std::uint64_t size) {
    for (Segment const& segment : segments) {
        if (address < segment.linked) continue;
        std::uint64_t const offset = address.value - segment.linked.value;
        if (offset < segment.memory_bytes && size <= segment.memory_bytes - offset) return &segment;
    }
    return nullptr;
}

}  // namespace

tl::expected<KernelImage, ElfError> KernelImage::load(std::filesystem::path const& path, AddressRange range) {
    auto bytes = base::read_bytes(path, {.bytes_max = kElfBytesMax});
    if (!bytes) return tl::make_unexpected(ElfError{kind_of(bytes.error().kind), std::move(bytes.error().message), {}});
    return parse(std::move(*bytes), path.string(), range);
}

Symbol const* KernelImage::find_symbol(std::string_view name) const {
    auto const found = std::ranges::find(parts_->symbols, name, &Symbol::name);
    return found == parts_->symbols.end() ? nullptr : &*found;
}

std::vector<Symbol const*> KernelImage::find_by_source_name(std::string_view name) const {
    // The last word of the name stands in the mangled symbol as it is, which spares demangling most of them.
    std::size_t const scope = name.rfind("::");
    std::string_view const last = scope == std::string_view::npos ? name : name.substr(scope + 2);
    std::vector<Symbol const*> found;
    for (Symbol const& symbol : parts_->symbols) {
        bool const may_be_mangled = symbol.name.find(last) != std::string::npos;
        if (symbol.name == name || (may_be_mangled && source_name(symbol.name) == name)) found.push_back(&symbol);
    }
    return found;
}

std::optional<FunctionPlace> KernelImage::function_at(VirtAddr pc) const {
    Segment const* const segment = segment_at(parts_->segments, pc, 1);
    if (segment == nullptr || !segment->executable) return std::nullopt;
    auto at = std::ranges::upper_bound(parts_->symbols, pc, {}, &Symbol::address);
    Symbol const* best = nullptr;
    while (at != parts_->symbols.begin()) {
        --at;
        if (at->address < segment->linked || (best != nullptr && at->address < best->address)) break;
        // Of several names for one address a function is a better answer than a label.
        if (at->kind == SymbolKind::kFunction) {
            best = &*at;
            break;
        }
        if (at->kind == SymbolKind::kOther && best == nullptr) best = &*at;
    }
    if (best == nullptr) return std::nullopt;
    std::uint64_t const offset = pc.value - best->address.value;
    if (best->bytes != 0 && offset >= best->bytes) return std::nullopt;
    return FunctionPlace{source_name(best->name), offset};
}

std::optional<PhysAddr> KernelImage::to_physical(VirtAddr address, std::uint64_t size) const {
    Segment const* const segment = segment_at(parts_->segments, address, size);
    if (segment == nullptr) return std::nullopt;
    return segment->physical + (address.value - segment->linked.value);
}

}  // namespace vmcheck::elf
