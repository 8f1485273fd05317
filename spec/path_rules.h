#pragma once
// What open() must say to a path. Internal to spec/.

#include <cstddef>
#include <cstdint>
#include <span>

namespace vmcheck::spec {

enum class PathVerdict : std::uint8_t {
    opens,    // names something that the disk image has
    missing,  // names nothing
    free,     // kernels differ, with right
};

// REQUIRES: `path` has no terminator in it.
PathVerdict judge_path(std::span<std::byte const> path);

}  // namespace vmcheck::spec
