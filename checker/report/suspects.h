#pragma once
// Where to look: the lines that are the likeliest to blame, by who wrote what is wrong and by what ran where programs
// fail; where nothing is known of these, of the functions that ran in the failing step those that matter.

#include "checker/finding/finding.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::report {

struct Suspect {
    enum class Why : std::uint8_t {
        by_its_part,
        died,            // there
        died_in_helper,  // which is not to blame
        stopped,
        wrote,
        changed,  // for the one who wrote
        raised,   // the count of a frame that is lost
        called,   // the one who wrote
        read,
        asked,
        only_failing,
        more_failing,
    };
    CodePlace place;
    Why why = Why::by_its_part;
};

struct Suspects {
    // At most three to look at, the likeliest first; before them a helper that the kernel died in.
    std::vector<Suspect> at{};
    std::vector<CodePlace> ran{};  // the way that the step took, without locks, printing and trap entry
};

// Names are shortened to what the source says: no "kernel::", no "(anonymous namespace)::".
Suspects suspects_in(Finding const& finding);

// The first to look at whose line is known; where there is none, a helper that the kernel died in.
std::optional<CodePlace> place_to_mark(Finding const& finding);

// "last changed the PTE, in step 2"; empty where it is by what the function is for.
std::string why_suspected(Finding const& finding, Suspect const& suspect);
// The line itself; empty where its file is not at hand.
std::string source_text(Finding const& finding, CodePlace const& place);

// What goes in front of the i-th of Suspects::at: "Died in", "Look at", or nothing where it stands already.
std::string_view place_label(Suspects const& suspects, std::size_t i);

// "uvmcopy, kernel/vm.c:318"; the name alone without debug information.
std::string to_string(CodePlace const& place);
// "step 3: uvmcopy, kernel/vm.c:318 asked for one and got none"
std::string describe(FailedAllocation const& failed);

}  // namespace vmcheck::report
