#pragma once
// Which code of a stretch of RAM was executed, on any number of boards and threads. A board adds a block when it
// translates it, which it does to execute it: next to nothing is spent, and what an engine has translated already was
// added then. A block that a fault ends half-way is added whole.

#include "spec/address.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace vmcheck::board {

class ReachedCode {
  public:
    // Of [start, start + bytes), of which more than kBytesMax is left out.
    ReachedCode(PhysAddr start, std::uint64_t bytes)
        : start_(start.value),
          parcels_(std::min(bytes, kBytesMax) / kParcelBytes),
          words_(std::make_unique<std::atomic<std::uint64_t>[]>(parcels_ / kBits + 1)) {}

    // The code in [from, from + bytes) was executed; what lies elsewhere is of no interest. Gives how many parcels of
    // it were not before.
    std::uint64_t add(PhysAddr from, std::uint64_t bytes) {
        if (from.value < start_) return 0;
        std::uint64_t const first = (from.value - start_) / kParcelBytes;
        std::uint64_t fresh = 0;
        for (std::uint64_t i = first; i < parcels_ && i < first + bytes / kParcelBytes; ++i) {
            std::uint64_t const bit = std::uint64_t{1} << i % kBits;
            fresh += (words_[i / kBits].fetch_or(bit, std::memory_order_relaxed) & bit) == 0 ? 1U : 0U;
        }
        return fresh;
    }

    // Whether any code in [from, to) was.
    bool any(PhysAddr from, PhysAddr to) const {
        if (to.value <= start_) return false;
        std::uint64_t const end = std::min((to.value - start_) / kParcelBytes, parcels_);
        for (std::uint64_t i = (std::max(from.value, start_) - start_) / kParcelBytes; i < end; ++i)
            if (words_[i / kBits].load(std::memory_order_relaxed) >> i % kBits & 1) return true;
        return false;
    }

  private:
    static constexpr std::uint64_t kBytesMax = std::uint64_t{16} << 20;
    static constexpr std::uint64_t kParcelBytes = 2, kBits = 64;

    std::uint64_t start_;
    std::uint64_t parcels_;
    std::unique_ptr<std::atomic<std::uint64_t>[]> words_;
};

}  // namespace vmcheck::board
