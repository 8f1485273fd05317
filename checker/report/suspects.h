#pragma once
// Where to look: the lines that are the likeliest to blame, by who wrote what is wrong and by what ran where programs
// fail; where nothing is known of these, of the functions that ran in the failing step those that matter.

#include "checker/finding/finding.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::report {

struct Suspect {
    enum class Why : std::uint8_t { by_its_part, stopped, wrote, asked, only_failing, more_failing };
    CodePlace place;
    Why why = Why::by_its_part;
};

struct Suspects {
    std::vector<Suspect> at{};     // the likely places, the likeliest first; at most four
    std::vector<CodePlace> ran{};  // the way that the step took, without locks, printing and trap entry
};

// Names are shortened to what the source says: no "kernel::", no "(anonymous namespace)::".
Suspects suspects_in(Finding const& finding);

// "last changed the PTE, in step 2"; empty where it is by what the function is for.
std::string why_suspected(Finding const& finding, Suspect const& suspect);
// The line itself; empty where its file is not at hand.
std::string source_text(Finding const& finding, CodePlace const& place);

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
