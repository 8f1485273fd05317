#pragma once
// The kernel's process table and its reference counts, read out of guest RAM by the offsets of the kernel map.

#include "impl/map/kernel_map.h"
#include "impl/observe/page_table.h"
#include "spec/address.h"

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace vmcheck::observe {

enum class Life : std::uint8_t { unused, zombie, other };

struct ProcessEntry {
    std::uint64_t pid = 0;
    Life life = Life::unused;
    std::optional<FrameNo> root;         // nothing where the kernel has let its page table go
    std::optional<std::uint64_t> brk{};  // nothing where it is not known where that is kept
};

class ProcessTable {
  public:
    explicit ProcessTable(map::ProcessTable layout) : layout_(std::move(layout)) {}

    std::uint64_t size() const { return layout_.count; }
    // REQUIRES: index < size().
    ProcessEntry read(Ram ram, std::uint64_t index) const;
    // Of it, the root alone, whatever state the entry is in.
    std::optional<FrameNo> root(Ram ram, std::uint64_t index) const {
        std::uint64_t const root = read_field(ram, layout_.base + index * layout_.stride, layout_.root);
        return root == 0 ? std::nullopt : std::optional(PhysAddr{root}.frame());
    }
    // Where the break of the process with that page table lies, and how many bytes it has; nothing where that is not
    // known.
    std::optional<std::pair<PhysAddr, std::uint64_t>> break_of(Ram ram, FrameNo root) const;
    // From now on, breaks are not known.
    void forget_breaks() { layout_.brk.reset(); }
    // The entry in use with that pid; nothing when there is none.
    std::optional<ProcessEntry> find(Ram ram, std::uint64_t pid) const;

  private:
    // The map was checked against the image, but the table may lie in RAM that this board does not have: 0.
    static std::uint64_t read_field(Ram ram, PhysAddr element, map::Field const& field) {
        return ram.load(element + field.offset, field.bytes).value_or(0);
    }

    map::ProcessTable layout_;
};

class ReferenceCounts {
  public:
    // `index_base`: the frame that element 0 counts.
    ReferenceCounts(map::ReferenceCounts layout, FrameNo index_base)
        : layout_(std::move(layout)), index_base_(index_base) {}

    map::ReferenceCounts const& layout() const { return layout_; }
    FrameNo index_base() const { return index_base_; }

    // Of counts with keys: where each frame's element lies, by the frame's number; nothing where several contradict
    // each other, of which only the kernel knows which is in use. Reads all of the table.
    using Elements = std::unordered_map<std::uint64_t, std::optional<PhysAddr>>;
    Elements elements(Ram ram) const;

    // Where its elements lie, one in each array; none where there is none for that frame.
    std::vector<PhysAddr> places(Ram ram, FrameNo frame) const;
    // The element as it stands; nothing where the array has none for that frame and does not say what that means.
    std::optional<std::int64_t> raw(Ram ram, FrameNo frame) const;

    // raw(), so that n references read n. Kernels differ by a constant (a count may start at 0 or include the kernel's
    // own mapping): `raw_for_one` is what a frame with one reference was seen to have.
    std::optional<std::int64_t> normalised(Ram ram, FrameNo frame, std::int64_t raw_for_one) const;
    // The same without a search.
    std::optional<std::int64_t> normalised(Ram ram, FrameNo frame, Elements const& elements,
                                           std::int64_t raw_for_one) const {
        return normalise(raw(ram, frame, elements), raw_for_one);
    }

  private:
    // In the first array.
    std::optional<PhysAddr> first(Ram ram, FrameNo frame) const;
    std::optional<std::int64_t> raw_at(Ram ram, std::optional<PhysAddr> element) const;
    std::optional<std::int64_t> raw(Ram ram, FrameNo frame, Elements const& elements) const;
    std::optional<std::int64_t> normalise(std::optional<std::int64_t> value, std::int64_t raw_for_one) const;

    map::ReferenceCounts layout_;
    FrameNo index_base_;
};

}  // namespace vmcheck::observe
