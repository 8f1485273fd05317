#pragma once
// Ballast: two children of p0 that hold memory, so that a program runs with few frames free (spec/layout.h). They get
// it as any process does, by sbrk and, where that is lazy, by touching it; the kernel is not told, and no symbol is
// needed. In p0's place a fresh image runs afterwards, which shares nothing with them.

#include "impl/control/kernel_execution.h"

#include <tl/expected.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace vmcheck {

// The same kernel at a golden image of its own: the ballast is there, and about kBallastLeaves frames free. Its
// executions start from that. Takes about a second. Fails with a sentence where the kernel does not survive it.
// REQUIRES: `kernel` has its setting.
tl::expected<std::shared_ptr<BootedKernel const>, std::string> with_ballast(
    std::shared_ptr<BootedKernel const> const& kernel);
inline constexpr std::uint64_t kBallastLeaves = 64;

// From that golden image to so many free frames: exactly, where the free list is known.
// REQUIRES: `execution` runs a kernel of with_ballast(), and was just reset.
tl::expected<void, std::string> leave_free(KernelExecution& execution, std::uint64_t frames);

}  // namespace vmcheck
