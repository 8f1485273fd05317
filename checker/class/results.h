#pragma once
// The files of one tree's results: report.json, log.txt, what vmcheck verify saves for its findings (report.html,
// N-SIGNATURE.vmc, N-SIGNATURE.c), and the stamp, which says what they are results of, so that a class goes on where it
// stopped.

#include "checker/class/workers.h"

#include <array>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::classes {

inline constexpr char const* kReportFile = "report.json";
inline constexpr char const* kLogFile = "log.txt";
inline constexpr char const* kStampFile = "stamp.json";
// Of the class, beside the directories of its trees.
inline constexpr std::array<char const*, 3> kSummaryFiles{"class.csv", "class.json", "class.html"};
// There as well where it is of a shard (shard.h), as soon as that is done.
inline constexpr char const* kShardFile = "shard.cbor";

// Of a tree's results. Its own name, but where that is one of the summary's, or begins with one as a directory: there
// an underscore follows it, and another one where that has it already, so that no two are the same.
std::string directory_name(std::string const& tree);

// Takes the files of an earlier run away, and no others, so that none is taken for one of this run: what vmcheck verify
// saves for its findings, or all.
void clear_findings(std::filesystem::path const& directory);
void clear_results(std::filesystem::path const& directory);

// What there is, for a person: report.html, then what belongs to each finding, then log.txt. Each with `prefix` and a
// slash before it.
std::vector<std::string> files_for_people(std::filesystem::path const& directory, std::string const& prefix);

struct Stamp {
    std::string program{};               // version and digest of the vmcheck that made them
    std::vector<std::string> options{};  // that it was given
    std::string inputs{};                // digest_of() the tree, taken before
    std::chrono::milliseconds limit{};   // the time it was given
    Ending ending{};
};

// A small JSON document.
std::string print(Stamp const& stamp);
// Nothing where the text is no stamp.
std::optional<Stamp> parse_stamp(std::string_view text);

// Whether results with this stamp are what `wanted` would give (its ending is not looked at): made by the same program
// with the same options out of the same inputs, and, where they were cut short, with no less time.
bool answers(Stamp const& stamp, Stamp const& wanted);

}  // namespace vmcheck::classes
