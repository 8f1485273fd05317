#pragma once
// The files of one tree's results: report.json, log.txt, stamp.json, and what vmcheck verify saves for its findings
// (report.html, N-SIGNATURE.vmc, N-SIGNATURE.c).

#include <filesystem>
#include <string>
#include <vector>

namespace vmcheck::classes {

inline constexpr char const* kReportFile = "report.json";
inline constexpr char const* kLogFile = "log.txt";
inline constexpr char const* kStampFile = "stamp.json";

// Takes the files of an earlier run away, and no others, so that none is taken for one of this run.
void clear_results(std::filesystem::path const& directory);

// What there is, for a person: report.html, then what belongs to each finding, then log.txt. Each with `prefix` and a
// slash before it.
std::vector<std::string> files_for_people(std::filesystem::path const& directory, std::string const& prefix);

}  // namespace vmcheck::classes
