#pragma once
// The kill table: every mutant, who noticed it, and what that comes to. As Markdown, for the repository and for a
// person.

#include "checker/mutants/mutant.h"
#include "checker/mutants/mutant_result.h"

#include <optional>
#include <string>
#include <vector>

namespace vmcheck::mutants {

struct Row {
    Mutant mutant;
    MutantResult result;
};

// The figures of a table.
struct Summary {
    std::size_t mutants = 0;
    std::size_t killed = 0;
    std::size_t numbered = 0;
    std::size_t numbered_killed = 0;
    std::size_t as_expected = 0;  // of the killed
    // Killed by vmcheck, and by every suite passed: what no test has noticed.
    std::size_t only_vmcheck = 0;
    std::size_t only_vmcheck_as_advice = 0;  // of these, those that are found to be poor, not wrong
    std::size_t need_a_fault = 0;            // of all, by their patches
    std::size_t not_without = 0;             // of these, those that are not found where it is switched off
    std::size_t nobody = 0;                  // noticed by no one
    std::size_t with_places = 0;             // found by a program, with places to look at
    std::size_t named_first = 0;             // of these, those whose first place is of what the patch changes
    std::size_t named_among_three = 0;
    std::optional<double> seconds_median{};       // of the killed
    std::optional<double> steps_median{};         // of the killed that have a program
    std::vector<std::size_t> noticed_by_suite{};  // in order of `suites`
};
Summary summarize(std::vector<Row> const& rows, std::vector<std::string> const& suites);

// The summary in a few lines of Markdown.
std::string print(Summary const& summary, std::vector<std::string> const& suites);

// The whole document: what it is, the summary, the table, and why what survives does. REQUIRES: each result has every
// suite.
std::string markdown(std::vector<Row> const& rows, std::vector<std::string> const& suites, std::string const& command);

}  // namespace vmcheck::mutants
