#pragma once
// What mistake a failure is, in the words of the labs. Decided from the facts of the failure alone, never from the
// kernel's source.

#include "checker/run/result.h"

#include <string>
#include <string_view>

namespace vmcheck {

struct Cause {
    std::string id;     // stable: "copyout-accepts-no-user"; of none that has a name: "new-wrong-bytes-exec"
    std::string title;  // "copyout accepts a page that the user may not access"
    bool known = true;
};
Cause cause_of(run::Family const& family);

}  // namespace vmcheck
