#pragma once
// A class with what came of each tree; every report of it is made from this value alone.

#include "checker/class/tree_result.h"

#include <array>
#include <string>
#include <vector>

namespace vmcheck::classes {

struct Row {
    std::string name;
    std::string path;  // of what was verified
    TreeResult result;
    std::vector<std::string> files{};  // its results, relative to the summary: report.html, programs, log
};

struct Class {
    std::string directory;
    std::vector<std::string> options{};   // that each tree was verified with
    std::vector<std::string> left_out{};  // names in the directory that are no student's
    std::vector<Row> rows{};              // in order of name
};

// How many trees have each verdict; by TreeVerdict.
std::array<std::size_t, kTreeVerdicts> counts(Class const& all);
// "12 trees: 3 with defects, 1 does not build, 8 nothing found".
std::string counts_line(Class const& all);

// The rows in the order in which staff should look at them: by verdict, those checked in part before the rest, then
// by the gravest finding (its rank, then the mistake, so that trees with the same one stand together), then by name.
std::vector<Row const*> by_verdict(Class const& all);

// A kind of defect and the trees that have it.
struct Shared {
    std::string heading;
    std::vector<std::string> trees;
};
// The defects of trees that have the verdict `defects`, the most frequent first.
std::vector<Shared> shared_defects(Class const& all);

// It was judged, but not by all checks, or not to its end.
bool partly_checked(TreeResult const& result);
// "2 defects", "1 defect (timed out)", "does not build", "nothing found (1 advice, partly checked)".
std::string label(TreeResult const& result);
// The one thing to know of it: the gravest finding's sentence, or why it was not checked. May be empty.
std::string what_to_know(TreeResult const& result);

// Of the whole class.
enum class Judgement {
    nothing_found,     // every tree was checked to its end
    defects,           // in one tree or more
    not_reproducible,  // else: something did not come back
    machine,           // else: a problem of this machine
    unchecked,         // else: a tree was not checked, or not to its end
};
Judgement judgement(Class const& all);

}  // namespace vmcheck::classes
