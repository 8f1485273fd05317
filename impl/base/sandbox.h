#pragma once
// Runs what somebody else has written so that it reaches nothing but what it is given.
//
//     if (auto possible = base::try_sandbox(); !possible) ...             // no namespaces to be had here, or no bwrap
//     base::run(base::in_sandbox({.arguments = {"make"}, .directory = copy}, {.writable = {copy}}), limits);
//
// By bubblewrap: namespaces of its own for users, processes, mounts, network, IPC and host name, no rights in them, and
// an end with the program that started it, for all that runs there. What is to be seen is the system's programs and
// libraries, a compiler for RISC-V where that lies elsewhere, an empty /tmp in memory, and the paths that are given:
// nothing of home directories. What may be written is /tmp and what is given as writable.

#include "impl/base/child.h"
#include "impl/base/error.h"

#include <tl/expected.hpp>

#include <cstdint>
#include <filesystem>
#include <vector>

namespace vmcheck::base {

// Where a stranger's programs run.
enum class Confinement {
    none,     // as this program does
    sandbox,  // in one
    within,   // in one more, inside of that in which this program runs already
};

// At a time, of a build. Of a user without rights the system keeps the number of processes, of root whoever watches the
// run (RunLimits::too_much), as the memory of all together always.
constexpr unsigned kSandboxProcessesMax = 512;
constexpr std::uint64_t kSandboxMemoryMax = std::uint64_t{1} << 30;

struct Sandbox {
    std::vector<std::filesystem::path> readable{};  // beside the system; what is not there is passed over
    std::vector<std::filesystem::path> writable{};
    std::uint64_t memory_bytes = std::uint64_t{4} << 30;  // of addresses, for each process
    std::uint64_t processes = kSandboxProcessesMax;       // and threads
    Confinement confinement = Confinement::sandbox;
};

// The command as it runs in the sandbox, at the same paths. A signal that it is sent reaches the program inside, unless
// that has a session of its own. REQUIRES: sandbox.confinement is not none.
Command in_sandbox(Command command, Sandbox const& sandbox);

// Starts a sandbox, and one within it. Fails, with what is in the way, where that cannot be done.
tl::expected<void, Error> try_sandbox();

// The libraries that this program has loaded from elsewhere than the system's directories.
std::vector<std::filesystem::path> own_libraries();

}  // namespace vmcheck::base
