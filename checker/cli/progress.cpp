#include "checker/cli/progress.h"

#include "checker/report/text.h"
#include "checker/report/violation_words.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace vmcheck::cli {

using namespace std::chrono_literals;

namespace {

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

}  // namespace

TerminalObserver::TerminalObserver(std::FILE* text, bool colour)
    : text_(text),
      colour_(colour),
      terminal_(::isatty(STDERR_FILENO) == 1),
      shown_at_(std::chrono::steady_clock::now()) {}

TerminalObserver::~TerminalObserver() {
    clear();
}

void TerminalObserver::on_kernel(SessionResult const& so_far) {
    fmt::print(text_, "{}", report::kernel_lines(so_far.kernel, {colour_}));
    for (spec::Violation const& violation : so_far.boot_violations) {
        report::ViolationWords const words = report::words_of(violation);
        fmt::print(text_, "✗ {} · right after boot\n      {}\n      expected  {}\n      seen      {}\n",
                   report::title_of(violation.invariant), words.story, words.expected, words.seen);
    }
}

void TerminalObserver::on_progress(run::Progress const& progress) {
    last_ = progress;
    auto const now = std::chrono::steady_clock::now();
    if (now - shown_at_ < (terminal_ ? std::chrono::milliseconds{200} : std::chrono::milliseconds{10'000})) return;
    shown_at_ = now;
    shown_ = true;
    if (terminal_)
        fmt::print(stderr, "\r\033[K{}", progress_line(progress));
    else
        fmt::print(stderr, "{}\n", progress_line(progress));
    std::fflush(stderr);
}

void TerminalObserver::on_run() {
    clear();
    last_.left.reset();
    fmt::print(text_, "{}\n", progress_line(last_));
    std::fflush(text_);
}

void TerminalObserver::on_missing(std::string const& what) {
    fmt::print(text_, "{}", report::missing_line(what, {colour_}));
}

void TerminalObserver::on_confirm(std::size_t number, std::size_t total) {
    fmt::print(stderr, "on QEMU: finding {} of {}\n", number, total);
}

void TerminalObserver::clear() {
    if (terminal_ && shown_) fmt::print(stderr, "\r\033[K");
    shown_ = false;
}

}  // namespace vmcheck::cli
