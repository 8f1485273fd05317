#pragma once
// The report as Gradescope's results.json: one test for each invariant and kernel, each with its share of 100 points.
// Source: Gradescope, "Autograder Specifications", Output Format.

#include "checker/report/session.h"

#include <string>
#include <vector>

namespace vmcheck::report {

// An invariant that could not be checked gives its points: the student is not failed for a window that was not found.
std::string gradescope_document(std::vector<Session> const& sessions);

}  // namespace vmcheck::report
