#include "checker/class/progress.h"

#include "checker/report/escape.h"

#include <fmt/format.h>

namespace vmcheck::classes {

using std::chrono::milliseconds;

std::string clock_time(milliseconds time) {
    auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(time).count();
    constexpr int kHour = 3600, kMinute = 60;
    if (seconds >= kHour)
        return fmt::format("{}:{:02}:{:02}", seconds / kHour, seconds % kHour / kMinute, seconds % kMinute);
    return fmt::format("{}:{:02}", seconds / kMinute, seconds % kMinute);
}

std::string progress_line(Progress const& progress) {
    constexpr std::size_t kNamesMax = 4;
    std::string line = fmt::format("checking  {} of {} trees", progress.done, progress.trees);
    for (std::size_t i = 0; i < progress.running.size() && i < kNamesMax; ++i)
        line += fmt::format(" · {} {}", report::printable(progress.running[i].first),
                            clock_time(progress.running[i].second));
    if (progress.running.size() > kNamesMax) line += fmt::format(" · {} more", progress.running.size() - kNamesMax);
    if (progress.left) line += fmt::format(" · about {} left", clock_time(*progress.left));
    return line;
}

std::optional<milliseconds> time_left(milliseconds elapsed, std::size_t ended, std::size_t not_done,
                                      unsigned at_a_time) {
    if (ended == 0 || ended < at_a_time) return std::nullopt;
    return milliseconds{elapsed.count() * static_cast<milliseconds::rep>(not_done) /
                        static_cast<milliseconds::rep>(ended)};
}

}  // namespace vmcheck::classes
