#pragma once
// A small machine's setting for tests: eight image pages in the xv6 layout, a data file, few frames. Test-only.

#include "spec/layout.h"

#include <array>
#include <memory>

namespace vmcheck::spec::testing {

inline constexpr std::uint64_t kFewFrames = 160;

inline constexpr Profile kEager{ForkPolicy::eager, SbrkPolicy::eager};
inline constexpr Profile kCowEager{ForkPolicy::cow, SbrkPolicy::eager};
inline constexpr Profile kCowLazy{ForkPolicy::cow, SbrkPolicy::lazy};
inline constexpr std::array<Profile, 4> kAllProfiles{
    kEager, {ForkPolicy::eager, SbrkPolicy::lazy}, kCowEager, kCowLazy};

// Pages: 0 agent, 1 text (returns), 2 rodata (holds "/data" at 0 and "none" at 16), 3 data, 4 bss, 5 guard, 6 stack;
// the heap starts at page 7. `frames` is all the RAM that the machine's allocator has.
inline constexpr std::uint64_t kHeap = 0x7000;
Setting small_setting(Profile profile, std::uint64_t frames = kFewFrames);

// As where the kernel shows each process its pid in a page below the trapframe.
Setting with_usyscall(Setting setting);

std::shared_ptr<Setting const> shared_setting(Profile profile, std::uint64_t frames = kFewFrames);

}  // namespace vmcheck::spec::testing
