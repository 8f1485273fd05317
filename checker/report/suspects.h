#pragma once
// Where to look: of the kernel functions that ran in the failing step, those that matter.

#include "checker/finding/finding.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::report {

struct Suspects {
    std::vector<CodePlace> at;   // the likely places, the likeliest first; at most four
    std::vector<CodePlace> ran;  // the way that the step took, without locks, printing and trap entry
};

// Names are shortened to what the source says: no "kernel::", no "(anonymous namespace)::".
Suspects suspects_in(Finding const& finding);

// Whether both failing steps went through one function that is not on the way of every step, nor, unless `helpers_too`,
// one that all parts of the kernel use.
bool share_code(Finding const& one, Finding const& other, bool helpers_too = false);

// What goes in front of the i-th of Suspects::at: "Died in", "Look at", or nothing where it stands already.
std::string_view place_label(Finding const& finding, std::size_t i);

// One of those that everybody uses, for locks, registers, bytes, printing: never what is wrong.
bool is_helper(std::string_view function);

// "uvmcopy, kernel/vm.c:318"; the name alone without debug information.
std::string to_string(CodePlace const& place);
// "step 3: uvmcopy, kernel/vm.c:318 asked for one and got none"
std::string describe(FailedAllocation const& failed);

}  // namespace vmcheck::report
