#pragma once
// What became of one mutant: of `vmcheck verify`, and of each suite of tests that ran on it. Read from what the
// processes left behind, so that nothing is known here that a user could not see.

#include "checker/mutants/mutant.h"

#include <tl/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::mutants {

// What vmcheck verify made of it.
struct VerifyResult {
    bool killed = false;                 // or found to be poor: advice fails no kernel, but is told
    bool advice = false;                 // the latter
    std::string signature{};             // of the first finding; "boot": it does not boot; empty: survives
    std::uint64_t programs = 0;          // run until the search ended
    std::optional<std::size_t> steps{};  // of the first finding's program; nothing where there is none
    double seconds = 0;                  // from start to verdict: boot, search, shrinking, confirmation
    std::vector<Named> named{};          // of the first finding's places to look at
};

// What a suite of tests made of it.
struct SuiteResult {
    bool noticed = false;
    std::string how{};  // "2 fail", "panic", "hang", "killed", "no boot", "no verdict"; empty: it passes
    double seconds = 0;
};

struct MutantResult {
    VerifyResult verdict;
    std::optional<VerifyResult> without_its_faults{};  // of a mutant that needs any: of verify with these switched off
    std::map<std::string, SuiteResult> suites{};       // by program
};

// Of a verify that ended with `exit_code` and left `report` (JSON). Fails where these do not fit together: exit code 3
// or 5, or no report.
tl::expected<VerifyResult, base::Error> judge_verify(int exit_code, std::string const& report, double seconds);

// Of a `vmcheck run SUITE --out` that ended with `exit_code` and left `report` (JSON). Fails for exit codes that say
// nothing about the kernel (2, 3, 130), and where the report that there should be is missing.
tl::expected<SuiteResult, base::Error> judge_suite(int exit_code, std::string const& report, double seconds);

// As JSON, and back; nothing where the text is none of ours. `stamp` says what it is an result of.
std::string print(MutantResult const& result, std::string const& stamp);
std::optional<MutantResult> parse(std::string const& text, std::string const& stamp);

}  // namespace vmcheck::mutants
