#pragma once
// The summary of a class in each format. Nothing in them depends on time, on --jobs, or on whether the class was done
// in one go (but for trees that a time limit cut short).

#include "checker/class/summary.h"

#include <string>

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

}  // namespace vmcheck::classes
