#pragma once
// How the program that checked one tree came to its end.

#include <optional>

namespace vmcheck::classes {

// Why it was asked to stop before its time.
enum class Cut { no, time_limit, interrupt };

struct Ending {
    std::optional<int> exit_code;  // nothing: a signal ended it
    int signal = 0;
    Cut cut = Cut::no;
};

}  // namespace vmcheck::classes
