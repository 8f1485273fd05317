#pragma once
// What came of one tree, out of how its check ended and the JSON report that it left.

#include "checker/class/workers.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::classes {

// In the order of the summary: what staff should look at first.
enum class TreeVerdict : std::uint8_t {
    defects,
    not_reproducible,  // something was seen that did not come back
    timed_out,         // nothing was found until then
    crashed,           // vmcheck itself died on this tree
    does_not_boot,     // or is not supported
    does_not_build,
    no_kernel,      // there is neither a tree nor a kernel
    could_not_run,  // a problem of this machine
    interrupted,
    not_reached,  // the class was interrupted before
    nothing_found,
};
inline constexpr std::size_t kTreeVerdicts = 11;
std::string_view to_string(TreeVerdict verdict);  // "nothing found"

// Of a finding what the summary shows.
struct Found {
    std::string signature;  // "I3 fork"; "I3 boot" of a kernel that is wrong right after boot
    std::string severity;   // "defect", "advice"
    std::string rank;       // "isolation"; empty right after boot
    std::string heading;    // "fork leaves a shared page writable"; the same for the same mistake in any tree
    std::string story;      // one sentence; empty of one that did not come back
    bool solid = true;      // it came back
    std::string cause{};    // the mistake's stable id; empty right after boot
    bool is_defect() const { return solid && severity == "defect"; }
};

struct TreeResult {
    TreeVerdict verdict = TreeVerdict::not_reached;
    bool timed_out = false;      // the time limit cut it short: what is here is what was done until then
    std::vector<Found> found{};  // the gravest first
    std::string message{};       // why it could not be checked, or not to its end; one line
    std::string profile{};       // "cow fork, lazy sbrk"; empty where it did not get so far
    std::string vintage{};
    std::vector<std::string> left_out{};   // links that lead out of it, with where to
    std::vector<std::string> missing{};    // what could not be checked
    std::vector<std::string> inherited{};  // put up with, since the bare tree has it as well
    std::uint64_t programs = 0;
    std::uint64_t steps = 0;

    std::size_t defects() const;
    // The gravest defect; else what else was found. Nothing where nothing was.
    Found const* gravest() const;
};

// `report`: the document of `--format json`, nothing where there is none. Whatever it holds, the result is one of the
// above.
TreeResult result_of(Ending const& ending, std::optional<std::string> const& report);

// Whether the same inputs would give the same result again: a crash or a problem of the machine may pass.
bool is_lasting(TreeResult const& result);

}  // namespace vmcheck::classes
