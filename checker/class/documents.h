#pragma once
// The summary of a class in each format. Nothing in them depends on time, on --jobs, or on whether the class was done
// in one go (but for trees that a time limit cut short).

#include "checker/class/summary.h"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vmcheck::classes {

// One row for each tree in order of name, with a header; quoted as RFC 4180 says. A cell that a spreadsheet would take
// for a formula starts with an apostrophe.
std::string csv_document(Class const& all);

// Described by class.schema.json.
std::string json_document(Class const& all);

// One file without script or network. Links lead to each tree's own results, beside it.
std::string html_document(Class const& all);

// One suite for each tree, one failure for each defect; what could not be checked is an error.
std::string junit_document(Class const& all);

// For a terminal: the table, then how many trees share each kind of defect, then the totals.
std::string text_document(Class const& all, bool colour);

// ---- while it goes

struct ClassProgress {
    std::size_t done = 0;  // of `trees`, those kept from an earlier run included
    std::size_t trees = 0;
    std::vector<std::pair<std::string, std::chrono::milliseconds>> running{};  // name, and since when
    std::optional<std::chrono::milliseconds> left{};                           // an estimate
};

// "checking  12 of 300 trees · alice 0:14 · bob 0:03 · about 4:10 left".
std::string progress_line(ClassProgress const& progress);

// How long the trees that are not done will take, if they go as those did that ended in this run. Nothing before each
// worker has ended one.
std::optional<std::chrono::milliseconds> time_left(std::chrono::milliseconds elapsed, std::size_t ended,
                                                   std::size_t not_done, unsigned at_a_time);

// "0:14", "1:02:03".
std::string clock_time(std::chrono::milliseconds time);

}  // namespace vmcheck::classes
