#pragma once
// A few frames of RAM for tests, with helpers to write page tables and lists into it.

#include "impl/observe/page_table.h"

#include <cstring>
#include <vector>

namespace vmcheck::observe {

class FakeRam {
  public:
    explicit FakeRam(std::uint64_t frames) : bytes_(frames * kPageBytes) {}

    Ram view() const { return {kStart, bytes_}; }
    static FrameNo frame(std::uint64_t index) { return FrameNo{kStart.frame().value + index}; }
    static PhysAddr address(std::uint64_t index, std::uint64_t offset = 0) { return start_of(frame(index)) + offset; }

    void write(PhysAddr at, std::uint64_t value) {
        std::memcpy(bytes_.data() + (at.value - kStart.value), &value, sizeof value);
    }
    // A PTE in table frame `table`, entry `entry`, to frame index `target` with the given low bits.
    void map(std::uint64_t table, std::uint64_t entry, FrameNo target, std::uint64_t flags) {
        write(address(table, entry * 8), target.value << 10 | flags);
    }

  private:
    static constexpr PhysAddr kStart{0x80000000};
    std::vector<std::byte> bytes_;
};

}  // namespace vmcheck::observe
