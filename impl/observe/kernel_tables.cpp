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

std::optional<std::pair<PhysAddr, std::uint64_t>> ProcessTable::break_of(Ram ram, FrameNo root) const {
    for (std::uint64_t i = 0; layout_.brk && i < size(); ++i)
        if (this->root(ram, i) == root)
            return std::pair(layout_.base + i * layout_.stride + layout_.brk->offset, layout_.brk->bytes);
    return std::nullopt;
}

std::optional<ProcessEntry> ProcessTable::find(Ram ram, std::uint64_t pid) const {
    for (std::uint64_t i = 0; i < size(); ++i) {
        if (read_field(ram, layout_.base + i * layout_.stride, layout_.pid) != pid) continue;
        ProcessEntry const entry = read(ram, i);
        if (entry.life != Life::unused && entry.pid == pid) return entry;
    }
    return std::nullopt;
}

ReferenceCounts::Elements ReferenceCounts::elements(Ram ram) const {
    Elements found;
    for (std::uint64_t i = 0; i < layout_.count; ++i) {
        PhysAddr const at = layout_.base + i * sizeof(std::uint64_t);
        std::uint64_t const key = ram.load(at, sizeof key).value_or(0);
        if (!layout_.key->is_number && key % kPageBytes != 0) continue;
        FrameNo const frame = layout_.key->is_number ? FrameNo{key} : PhysAddr{key}.frame();
        if (!ram.holds(frame)) continue;
        PhysAddr const count{at.value + static_cast<std::uint64_t>(layout_.key->to_count)};
        // One that was let go may have kept its key, and its last count.
        std::uint64_t const value = ram.load(count, layout_.element_bytes).value_or(0);
        if (value == 0) continue;
        auto const [known, is_new] = found.emplace(frame.value, count);
        if (!is_new && known->second && ram.load(*known->second, layout_.element_bytes) != value)
            known->second = std::nullopt;
    }
    return found;
}

std::optional<PhysAddr> ReferenceCounts::first(Ram ram, FrameNo frame) const {
    if (layout_.key) {
        Elements const all = elements(ram);
        auto const found = all.find(frame.value);
        return found == all.end() ? std::nullopt : found->second;
    }
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

std::optional<std::int64_t> ReferenceCounts::raw_at(Ram ram, std::optional<PhysAddr> element) const {
    if (!element) return std::nullopt;
    std::uint64_t sum = 0;
    for (std::uint64_t array = 0; array < layout_.arrays; ++array) {
        auto const value = ram.load(*element + array * layout_.count * layout_.stride, layout_.element_bytes);
        if (!value) return std::nullopt;
        sum += static_cast<std::uint64_t>(extend(*value, layout_.element_bytes, layout_.is_signed));
    }
    return static_cast<std::int64_t>(sum);
}

std::optional<std::int64_t> ReferenceCounts::raw(Ram ram, FrameNo frame) const {
    return layout_.key ? raw(ram, frame, elements(ram)) : raw_at(ram, first(ram, frame));
}

std::optional<std::int64_t> ReferenceCounts::raw(Ram ram, FrameNo frame, Elements const& elements) const {
    auto const element = elements.find(frame.value);
    if (element == elements.end()) return layout_.when_absent;
    return raw_at(ram, element->second);
}

std::optional<std::int64_t> ReferenceCounts::normalise(std::optional<std::int64_t> value,
                                                       std::int64_t raw_for_one) const {
    if (!value) return std::nullopt;
    if (value == layout_.never_shared) return 1;
    // It may be any number: unsigned, so that there is a difference of any two.
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(*value) - static_cast<std::uint64_t>(raw_for_one) + 1);
}

std::optional<std::int64_t> ReferenceCounts::normalised(Ram ram, FrameNo frame, std::int64_t raw_for_one) const {
    return normalise(raw(ram, frame), raw_for_one);
}

}  // namespace vmcheck::observe
