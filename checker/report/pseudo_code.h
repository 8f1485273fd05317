#pragma once
// The shrunk program as C-like pseudo-code, one step a line in the order in which the steps were done:
//
//     p0   p1 = fork();
//     p1   heap[8] = 7;            // must kill p1, but it goes on

#include "checker/finding/finding.h"

#include <string>
#include <vector>

namespace vmcheck::report {

struct CodeLine {
    std::string process;  // "p1"
    std::string code;     // "heap[8] = 7;"
    std::string remark;   // at the failing step: what must happen, and what did; else empty
};

std::vector<CodeLine> pseudo_code(Finding const& finding);

// One step: "heap[8] = 7;".
std::string pseudo_code(spec::Action const& action);

}  // namespace vmcheck::report
