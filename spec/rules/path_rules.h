#pragma once
// What open() must say to a path. Internal to spec/.

#include "spec/rules/reach.h"
#include "spec/world.h"

#include <cstddef>
#include <cstdint>

namespace vmcheck::spec {

enum class PathVerdict : std::uint8_t {
    opens,    // names something that the disk image has
    missing,  // names nothing
    free,     // kernels differ, with right
};

// A path as copyinstr finds it in a process's memory.
struct PathSeen {
    Reach reach;              // of the longest that a path may be
    std::size_t length = 0;   // without its terminator
    bool terminated = false;  // before the first byte that cannot be read
    PathVerdict verdict = PathVerdict::missing;
};
PathSeen path_seen(World const& world, ProcId actor, VirtAddr at);

}  // namespace vmcheck::spec
