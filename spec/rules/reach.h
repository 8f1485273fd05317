#pragma once
// How far an access gets: the leading bytes of a range that a user instruction, or the kernel's copyin and copyout,
// can surely reach, and those that they can at most reach. Internal to spec/.

#include "spec/step_kinds.h"
#include "spec/world.h"

#include <cstddef>

namespace vmcheck::spec {

// `sure` and `possible` differ only in one place: above the break, but on the break's own page. Kernels that test the
// faulting address against the break refuse it, those that test its page, or find the page mapped, serve it. Both are
// right: no text of the labs decides it, and xv6 itself does the one on a fault and the other in copyout (vm.c).
struct Reach {
    std::size_t sure = 0;
    std::size_t possible = 0;
};

// A user instruction of process `id`. A load from a page that is surely mapped is served by the hart without asking
// the kernel.
Reach user_reach(World const& world, ProcId id, VirtAddr at, std::size_t bytes, Access access);

// The kernel's copyin (read) or copyout (write) on behalf of process `id`. `sure` is less where the vintage has a
// defect of its own there (Traits).
Reach copy_reach(World const& world, ProcId id, VirtAddr at, std::size_t bytes, Access access);

// What open() must say to a path.
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
