#pragma once
// One line that shows how a class goes.

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vmcheck::classes {

struct Progress {
    std::size_t done = 0;  // of `trees`, those kept from an earlier run included
    std::size_t trees = 0;
    std::vector<std::pair<std::string, std::chrono::milliseconds>> running{};  // name, and since when
    std::optional<std::chrono::milliseconds> left{};                           // an estimate
};

// "checking  12 of 300 trees · alice 0:14 · bob 0:03 · about 4:10 left".
std::string progress_line(Progress const& progress);

// How long the trees that are not done will take, if they go as those did that ended in this run. Nothing before each
// worker has ended one.
std::optional<std::chrono::milliseconds> time_left(std::chrono::milliseconds elapsed, std::size_t ended,
                                                   std::size_t not_done, unsigned at_a_time);

// "0:14", "1:02:03".
std::string clock_time(std::chrono::milliseconds time);

}  // namespace vmcheck::classes
