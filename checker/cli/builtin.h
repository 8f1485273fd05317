#pragma once
// The kernels that come with vmcheck: the reference kernel in its four profiles.

#include "spec/program.h"

#include <array>
#include <filesystem>
#include <optional>

namespace vmcheck::cli {

inline constexpr std::array<spec::Profile, 4> kProfiles{{
    {spec::ForkPolicy::cow, spec::SbrkPolicy::lazy},
    {spec::ForkPolicy::cow, spec::SbrkPolicy::eager},
    {spec::ForkPolicy::eager, spec::SbrkPolicy::lazy},
    {spec::ForkPolicy::eager, spec::SbrkPolicy::eager},
}};

// The ELF file of the reference kernel with that profile: beside this program in the build tree, or where it was
// installed. Nothing where it is not there.
std::optional<std::filesystem::path> builtin_kernel(spec::Profile profile);

// The directory of the user programs that come with it. Nothing where it is not there.
std::optional<std::filesystem::path> builtin_programs();

}  // namespace vmcheck::cli
