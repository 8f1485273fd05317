#include "impl/observe/reference_counts.h"

#include <cstring>

namespace vmcheck::observe {

namespace {

std::optional<std::uint64_t> read(Ram ram, PhysAddr at, std::uint64_t bytes) {
    if (at < ram.start) return std::nullopt;
    std::uint64_t const offset = at.value - ram.start.value;
    if (offset > ram.bytes.size() || ram.bytes.size() - offset < bytes) return std::nullopt;
    std::uint64_t value = 0;
    std::memcpy(&value, ram.bytes.data() + offset, bytes);
    return value;
}

std::int64_t extend(std::uint64_t value, std::uint64_t bytes, bool is_signed) {
    if (!is_signed || bytes == 8) return static_cast<std::int64_t>(value);
    unsigned const shift = 64 - 8 * static_cast<unsigned>(bytes);
    return static_cast<std::int64_t>(value << shift) >> shift;
}

}  // namespace

std::optional<std::int64_t> ReferenceCounts::raw(Ram ram, FrameNo frame) const {
    if (frame < index_base_) return std::nullopt;
    std::uint64_t const index = frame.value - index_base_.value;
    if (layout_.count != 0 && index >= layout_.count) return std::nullopt;
    PhysAddr start = layout_.base;
    if (layout_.behind_pointer) {
        auto const pointer = read(ram, layout_.base, 8);
        if (!pointer) return std::nullopt;
        start = PhysAddr{*pointer + layout_.offset_behind_pointer};
    }
    auto const value = read(ram, start + index * layout_.stride, layout_.element_bytes);
    if (!value) return std::nullopt;
    return extend(*value, layout_.element_bytes, layout_.is_signed);
}

std::optional<std::int64_t> ReferenceCounts::normalised(Ram ram, FrameNo frame, std::int64_t raw_for_one) const {
    auto const value = raw(ram, frame);
    if (!value) return std::nullopt;
    return *value - raw_for_one + 1;
}

}  // namespace vmcheck::observe
