#pragma once
// N-....gdb: a finding as a script for GDB, which plays vmcheck's own program on QEMU: the agent's processes are given
// the very orders that they were given on the board, with the allocation that fails, the interrupt or the turn of
// another hart at the very places, and what is wrong is looked for in the machine. For what no user program in C can
// show.
//
// gdb/vmcheck.py says how, and each script what.

#include "checker/finding/finding.h"
#include "impl/target.h"

#include <tl/expected.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::qemu {

struct Machine;

// The files that every script needs beside it.
inline constexpr std::string_view kPlayer = "vmcheck.py", kPlayersDisk = "vmcheck.img";
std::string_view player();

// The one command that runs the script, which lies beside these files.
std::vector<std::string> gdb_command(std::filesystem::path const& debugger, std::filesystem::path const& kernel,
                                     std::filesystem::path const& script);

// Or why there is none, as part of a sentence. `machine`: its kernel is not used, the script takes GDB's.
tl::expected<std::string, std::string> gdb_script(Finding const& finding, Anatomy const& anatomy,
                                                  Machine const& machine);

}  // namespace vmcheck::qemu
