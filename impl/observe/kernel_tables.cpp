#include "impl/observe/kernel_tables.h"

namespace vmcheck::observe {

namespace {

std::int64_t extend(std::uint64_t value, std::uint64_t bytes, bool is_signed) {
    if (!is_signed || bytes == 8) return static_cast<std::int64_t>(value);
    unsigned const shift = 64 - 8 * static_cast<unsigned>(bytes);
    return static_cast<std::int64_t>(value << shift) >> shift;
}

}  // namespace

ProcessEntry ProcessTable::read(Ram ram, std::uint64_t index) const {
    PhysAddr const element = layout_.base + index * layout_.stride;
    ProcessEntry entry;
    std::uint64_t const state = read_field(ram, element, layout_.state);
    if (state == layout_.state_unused) return entry;
    entry.life = state == layout_.state_zombie ? Life::zombie : Life::other;
    entry.pid = read_field(ram, element, layout_.pid);
    entry.root = root(ram, index);
    if (layout_.brk)
        entry.brk = static_cast<std::uint64_t>(
            extend(read_field(ram, element, *layout_.brk), layout_.brk->bytes, layout_.brk->is_signed));
    return entry;
}

std::optional<ProcessEntry> ProcessTable::find(Ram ram, std::uint64_t pid) const {
    for (std::uint64_t i = 0; i < size(); ++i) {
        if (read_field(ram, layout_.base + i * layout_.stride, layout_.pid) != pid) continue;
        ProcessEntry const entry = read(ram, i);
        if (entry.life != Life::unused && entry.pid == pid) return entry;
    }
    return std::nullopt;
}

std::optional<PhysAddr> ReferenceCounts::first(Ram ram, FrameNo frame) const {
    if (frame < index_base_) return std::nullopt;
    std::uint64_t const index = frame.value - index_base_.value;
    if (layout_.count != 0 && index >= layout_.count) return std::nullopt;
    PhysAddr start = layout_.base;
    if (layout_.behind_pointer) {
        auto const pointer = ram.load(layout_.base, 8);
        if (!pointer) return std::nullopt;
        start = PhysAddr{*pointer + layout_.offset_behind_pointer};
    }
    return start + index * layout_.stride;
}

std::vector<PhysAddr> ReferenceCounts::places(Ram ram, FrameNo frame) const {
    std::vector<PhysAddr> places;
    auto const at = first(ram, frame);
    for (std::uint64_t array = 0; at && array < layout_.arrays; ++array)
        places.push_back(*at + array * layout_.count * layout_.stride);
    return places;
}

std::optional<std::int64_t> ReferenceCounts::raw(Ram ram, FrameNo frame) const {
    auto const at = first(ram, frame);
    if (!at) return std::nullopt;
    std::uint64_t sum = 0;
    for (std::uint64_t array = 0; array < layout_.arrays; ++array) {
        auto const value = ram.load(*at + array * layout_.count * layout_.stride, layout_.element_bytes);
        if (!value) return std::nullopt;
        sum += static_cast<std::uint64_t>(extend(*value, layout_.element_bytes, layout_.is_signed));
    }
    return static_cast<std::int64_t>(sum);
}

std::optional<std::int64_t> ReferenceCounts::normalised(Ram ram, FrameNo frame, std::int64_t raw_for_one) const {
    auto const value = raw(ram, frame);
    if (!value) return std::nullopt;
    if (value == layout_.never_shared) return 1;
    // It may be any number: unsigned, so that there is a difference of any two.
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(*value) - static_cast<std::uint64_t>(raw_for_one) + 1);
}

}  // namespace vmcheck::observe
