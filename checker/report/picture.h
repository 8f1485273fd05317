#pragma once
// The pictures of report.html, as SVG without a script: who maps which frame before and after the failing step, and
// which steps ran at the same time. What is wrong is red, drawn thicker, and marked ✗, so that it can be told in print
// and without colours.

#include "checker/finding/finding.h"

#include <string>

namespace vmcheck::report {

// The processes that have the page, the frames that they map there, with PTEs and counts. Markup; empty where the
// finding is about no page.
std::string picture_of_pages(Finding const& finding);

// A lane for each process and a bar for each step, where steps overlap. Markup; empty where none do.
std::string picture_of_turns(Finding const& finding);

}  // namespace vmcheck::report
