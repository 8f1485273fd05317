#pragma once
// repro.c: a finding as an xv6 user program that shows it under `make qemu`, without vmcheck.
//
// The program does the same steps in the same order: its processes take turns, by a byte in a pipe. It prints PASS on a
// correct kernel; FAIL with a reason, a kernel panic, or silence is the defect. It compiles in the trees of every year.

#include "checker/finding/finding.h"

#include <tl/expected.hpp>

#include <cstddef>
#include <string>

namespace vmcheck::repro {

// A repro.c is meant to be read: longer ones are not made. Without the helpers, which many programs have in common.
inline constexpr std::size_t kReproLinesMax = 120;

// The source, of fewer than kReproLinesMax lines beside the helpers; or why there is none, as part of a sentence ("it
// needs a kalloc that fails ...").
tl::expected<std::string, std::string> repro_c(Finding const& finding);

}  // namespace vmcheck::repro
