#pragma once
// Virtual time: how much code has been executed, and what the kernel's timer reads.

#include "impl/board/types.h"

#include <cstdint>
#include <limits>

namespace vmcheck::board {

// No timer set, or too far away to be reached.
inline constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

// mtime = its value at the last jump + the code executed since / `parcels_per_unit`.
struct Clock {
    std::uint64_t parcels = 0;            // executed so far
    std::uint64_t parcels_per_unit = 16;  // at least 1
    std::uint64_t time_at_jump = 0;
    std::uint64_t parcels_at_jump = 0;

    std::uint64_t time() const { return time_at_jump + (parcels - parcels_at_jump) / parcels_per_unit; }

    // Makes time() be `time` from now on.
    void jump_to(std::uint64_t time) {
        time_at_jump = time;
        parcels_at_jump = parcels;
    }

    // The count of parcels at which time() reaches `time`; not later than now when it has, kNever when it will not.
    std::uint64_t parcels_when(std::uint64_t time) const {
        if (time <= time_at_jump) return parcels_at_jump;
        std::uint64_t const units = time - time_at_jump;
        if (units > (kNever - parcels_at_jump) / parcels_per_unit) return kNever;
        return parcels_at_jump + units * parcels_per_unit;
    }
};

}  // namespace vmcheck::board
