#pragma once
// Which kernel a command is about: the one that was asked for, or one of those that come with vmcheck: the reference
// kernel in its four profiles.

#include "checker/cli/exit_code.h"
#include "checker/cli/options.h"
#include "checker/session/session.h"
#include "impl/base/sandbox.h"
#include "impl/boot/kernel_target.h"

#include <tl/expected.hpp>

#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vmcheck::cli {

inline constexpr std::array<spec::Profile, 4> kProfiles{{
    {spec::ForkPolicy::cow, spec::SbrkPolicy::lazy},
    {spec::ForkPolicy::cow, spec::SbrkPolicy::eager},
    {spec::ForkPolicy::eager, spec::SbrkPolicy::lazy},
    {spec::ForkPolicy::eager, spec::SbrkPolicy::eager},
}};

// Where the chosen kernel is, built first where it is a source tree; with none chosen, the reference kernel of the
// chosen profile (cow and lazy by default), beside this program in the build tree, or where it was installed.
tl::expected<KernelOptions, Stop> find_kernel(KernelChoice const& choice);

// What somebody may have meant who gives that path, where it is known to hold no kernel: a sentence.
std::optional<std::string> what_is_meant(std::filesystem::path const& path);

// Where what belongs to its tree is run. Says so where that is not a sandbox.
base::Confinement confinement_of(KernelChoice const& choice);

// What boots it, any number of times.
session::Boot booter(KernelOptions options);

// Finds the kernel and boots it.
tl::expected<std::unique_ptr<Target>, Stop> boot(KernelChoice const& choice, Options const& options);
// And starts machines with it, ready to run programs.
tl::expected<session::Kernel, Stop> start(KernelChoice const& choice, unsigned jobs, Options const& options);
tl::expected<session::Kernel, Stop> start(KernelOptions kernel, unsigned jobs, Options const& options);

// For a program from a file: the kernel that was asked for, held to its lab where the program is; else the reference
// kernel of the program's own profile.
KernelChoice kernel_for(spec::Program const& program, KernelChoice asked);

// The directory of the user programs that come with the reference kernel. Nothing where it is not there.
std::optional<std::filesystem::path> builtin_programs();

// What this program consists of: it, its libraries, and the kernels and programs that come with it.
std::vector<std::filesystem::path> own_files();

// The same as why a command ends: because the user wants it to, where that came first.
Stop stop_for(BootError const& error, Options const& options);

}  // namespace vmcheck::cli
