#include "checker/cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace vmcheck::cli {

using namespace std::chrono_literals;

std::string progress_line(run::Progress const& progress) {
    double const seconds = std::max(0.001, std::chrono::duration<double>(progress.elapsed).count());
    auto const kinds = static_cast<std::size_t>(std::count_if(
        progress.counts.kinds.begin(), progress.counts.kinds.end(), [](std::uint64_t n) { return n > 0; }));
    std::string line = fmt::format("running   {} programs", progress.counts.programs);
    if (progress.programs_wanted < UINT64_MAX)
        line = fmt::format("running   {} of {} programs", progress.counts.programs, progress.programs_wanted);
    line += fmt::format(" · {:.0f} programs/s · {:.0f} steps/s · {} of {} step kinds",
                        static_cast<double>(progress.counts.programs) / seconds,
                        static_cast<double>(progress.counts.steps) / seconds, kinds, spec::kActionKinds);
    if (progress.families > 0) line += fmt::format(" · {} found", progress.families);
    if (progress.left) {
        auto const left = std::chrono::duration_cast<std::chrono::seconds>(*progress.left + 999ms).count();
        line += fmt::format(" · {}:{:02} left", left / 60, left % 60);
    }
    return line;
}

ProgressDisplay::ProgressDisplay() : terminal_(::isatty(STDERR_FILENO) == 1), last_(std::chrono::steady_clock::now()) {}

void ProgressDisplay::show(run::Progress const& progress) {
    auto const now = std::chrono::steady_clock::now();
    if (now - last_ < (terminal_ ? std::chrono::milliseconds{200} : std::chrono::milliseconds{10'000})) return;
    last_ = now;
    shown_ = true;
    if (terminal_)
        fmt::print(stderr, "\r\033[K{}", progress_line(progress));
    else
        fmt::print(stderr, "{}\n", progress_line(progress));
    std::fflush(stderr);
}

void ProgressDisplay::clear() {
    if (terminal_ && shown_) fmt::print(stderr, "\r\033[K");
    shown_ = false;
}

}  // namespace vmcheck::cli
