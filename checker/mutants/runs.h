#pragma once
// Runs vmcheck on every mutant: `verify` as a user would, and each suite by `run`. One process each, several at a time;
// what is done is written down, so that the same campaign goes on where an interrupted one stopped.

#include "checker/mutants/mutant.h"
#include "checker/mutants/mutant_result.h"
#include "checker/mutants/table.h"

#include <tl/expected.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

namespace vmcheck::mutants {

struct KillTableOptions {
    std::filesystem::path vmcheck;  // the program
    // As the build leaves them: <profile>/kernel, mutants/<name>/kernel, user/<suite>.
    std::filesystem::path kernels;
    std::filesystem::path work;  // where results are kept; made if it is not there
    std::vector<std::string> suites;
    std::uint64_t seed = 1;
    unsigned jobs = 1;   // processes at a time; each verify has one machine
    bool again = false;  // keeps nothing of an earlier campaign
};

// The command that each mutant is verified with, for a person.
std::string verify_command(KillTableOptions const& options);

// A row for each mutant, in their order. Says on standard error how each went. Fails where verify finds something in a
// reference kernel that a mutant was made from, or a suite does not pass on it (what they notice of mutants would mean
// nothing), where a kernel or program is missing, when a process ends in a way that says nothing about its kernel, and
// on `stop` (kind `interrupted`).
tl::expected<std::vector<Row>, base::Error> run_mutants(KillTableOptions const& options,
                                                        std::vector<Mutant> const& mutants,
                                                        std::stop_token const& stop);

}  // namespace vmcheck::mutants
