#pragma once
// The kernel's process table, read out of guest RAM by the offsets of the kernel map.

#include "impl/map/kernel_map.h"
#include "impl/observe/page_table.h"
#include "spec/address.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace vmcheck::observe {

enum class Life : std::uint8_t { unused, zombie, other };

struct ProcessEntry {
    std::uint64_t pid = 0;
    Life life = Life::unused;
    std::optional<FrameNo> root;  // nothing where the kernel has let its page table go
};

class ProcessTable {
  public:
    explicit ProcessTable(map::ProcessTable layout) : layout_(std::move(layout)) {}

    std::uint64_t size() const { return layout_.count; }
    // REQUIRES: index < size().
    ProcessEntry read(Ram ram, std::uint64_t index) const;
    // The entry in use with that pid; nothing when there is none.
    std::optional<ProcessEntry> find(Ram ram, std::uint64_t pid) const;

  private:
    std::uint64_t read_field(Ram ram, PhysAddr element, map::Field field) const;

    map::ProcessTable layout_;
};

}  // namespace vmcheck::observe
