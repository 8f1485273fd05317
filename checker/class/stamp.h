#pragma once
// What lies beside a tree's results and says what they are results of, so that a class goes on where it stopped.

#include "checker/class/ending.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::classes {

struct Stamp {
    std::string program{};               // version and digest of the vmcheck that made them
    std::vector<std::string> options{};  // that it was given
    std::string inputs{};                // digest_of() the tree, taken before
    std::chrono::milliseconds limit{};   // the time it was given
    Ending ending{};
};

// A small JSON document.
std::string print(Stamp const& stamp);
// Nothing where the text is no stamp.
std::optional<Stamp> parse_stamp(std::string_view text);

// Whether results with this stamp are what `wanted` would give (its ending is not looked at): made by the same program
// with the same options out of the same inputs, and, where they were cut short, with no less time.
bool answers(Stamp const& stamp, Stamp const& wanted);

}  // namespace vmcheck::classes
