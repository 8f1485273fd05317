#pragma once
// What sbrk may do, as a list of variants that differ in what they return. Internal to spec/.

#include "spec/answer.h"
#include "spec/world.h"

#include <cstdint>
#include <vector>

namespace vmcheck::spec {

// A lazy sbrk must succeed while the break stays within 1 GiB of the heap's start: the largest region that the labs'
// own tests reserve (lazytests). Beyond, up to `top`, a kernel may refuse: to promise more than the machine has is a
// choice.
inline constexpr std::uint64_t kLazyGrowthSure = std::uint64_t{1} << 30;

// An eager sbrk that maps more pages than this in one step is not believed, where the machine's size is unknown.
inline constexpr std::uint64_t kEagerPagesMax = std::uint64_t{1} << 20;

struct SbrkVariant {
    std::uint64_t returned = 0;
    VirtAddr brk_after;
    bool maps_pages = false;          // the pages up to the new break are there at once
    bool needs_excuse = false;        // allowed only when memory was short
    std::uint64_t frames_needed = 0;  // for that excuse
    Reason reason = Reason::required;

    friend bool operator==(SbrkVariant const&, SbrkVariant const&) = default;
};

// All variants of both readings of the amount: xv6's argint() takes the low 32 bits as an int, and kernels may as well
// take all 64. REQUIRES: `actor` is running.
std::vector<SbrkVariant> sbrk_variants(World const& world, ProcId actor, Sbrk const& sbrk);

// Whether a reading of the amount asks for a lazy growth beyond `top`. REQUIRES: `actor` is running.
bool grows_lazily_past_top(World const& world, ProcId actor, Sbrk const& sbrk);

// Two variants return the same and leave different breaks, so that nobody could say afterwards where the break is.
bool ambiguous(std::vector<SbrkVariant> const& variants);

}  // namespace vmcheck::spec
