#pragma once
// What mistake a failure is, in the words of the labs. Decided from the facts of the failure alone, never from the
// kernel's source.

#include "checker/run/result.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck {

struct Cause {
    std::string id;     // stable: "copyout-accepts-no-user"; of none that has a name: "new-wrong-bytes-exec"
    std::string title;  // "copyout accepts a page that the user may not access"
    bool known = true;
};
Cause cause_of(run::Family const& family);

// All that have a name of their own, beside races and advice; and how many symptoms there are that they stand for.
struct NamedCauses {
    std::vector<Cause> all;
    std::size_t symptoms = 0;
};
NamedCauses named_causes();

}  // namespace vmcheck
