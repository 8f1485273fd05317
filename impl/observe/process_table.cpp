#include "impl/observe/process_table.h"

#include <cstring>

namespace vmcheck::observe {

std::uint64_t ProcessTable::read_field(Ram ram, PhysAddr element, map::Field field) const {
    std::uint64_t value = 0;
    std::uint64_t const offset = element.value - ram.start.value + field.offset;
    // The map was checked against the image, but the table may lie in RAM that this board does not have.
    if (offset > ram.bytes.size() || ram.bytes.size() - offset < field.bytes) return 0;
    std::memcpy(&value, ram.bytes.data() + offset, field.bytes);
    return value;
}

ProcessEntry ProcessTable::read(Ram ram, std::uint64_t index) const {
    PhysAddr const element = layout_.base + index * layout_.stride;
    ProcessEntry entry;
    std::uint64_t const state = read_field(ram, element, layout_.state);
    if (state == layout_.state_unused) return entry;
    entry.life = state == layout_.state_zombie ? Life::zombie : Life::other;
    entry.pid = read_field(ram, element, layout_.pid);
    std::uint64_t const root = read_field(ram, element, layout_.root);
    if (root != 0) entry.root = PhysAddr{root}.frame();
    return entry;
}

std::optional<ProcessEntry> ProcessTable::find(Ram ram, std::uint64_t pid) const {
    for (std::uint64_t i = 0; i < size(); ++i) {
        ProcessEntry const entry = read(ram, i);
        if (entry.life != Life::unused && entry.pid == pid) return entry;
    }
    return std::nullopt;
}

}  // namespace vmcheck::observe
