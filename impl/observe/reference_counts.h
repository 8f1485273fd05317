#pragma once
// The kernel's own reference counts, read out of guest RAM.

#include "impl/map/kernel_map.h"
#include "impl/observe/page_table.h"
#include "spec/address.h"

#include <cstdint>
#include <optional>

namespace vmcheck::observe {

class ReferenceCounts {
  public:
    // `base`: where element 0 stands, behind a pointer or not; `index_base`: the frame that element 0 counts.
    ReferenceCounts(map::ReferenceCounts layout, FrameNo index_base)
        : layout_(std::move(layout)), index_base_(index_base) {}

    // The element as it stands; nothing where the array has none for that frame.
    std::optional<std::int64_t> raw(Ram ram, FrameNo frame) const;

    // raw(), so that n references read n. Kernels differ by a constant (a count may start at 0 or include the kernel's
    // own mapping): `raw_for_one` is what a frame with one reference was seen to have.
    std::optional<std::int64_t> normalised(Ram ram, FrameNo frame, std::int64_t raw_for_one) const;

  private:
    map::ReferenceCounts layout_;
    FrameNo index_base_;
};

}  // namespace vmcheck::observe
