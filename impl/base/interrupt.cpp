#include "impl/base/interrupt.h"

#include "impl/base/child.h"
#include "impl/base/files.h"
#include "impl/base/wake.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <optional>
#include <utility>

namespace vmcheck::base {

namespace {

using Clock = std::chrono::steady_clock;

// A file that is opened later must not become standard output because that is closed.
void occupy_standard_streams() {
    for (int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (::fcntl(stream, F_GETFD) < 0) ::open(stream == STDOUT_FILENO ? "/dev/full" : "/dev/null", O_RDWR);
}

[[noreturn]] void end_at_once(unsigned signal) {
    constexpr int kSignalled = 128;
    end_children();
    ScratchDirectory::remove_all();
    ::_exit(kSignalled + static_cast<int>(signal));
}

}  // namespace

// A thread that waits for the signal, rather than a handler: nothing is asynchronous and nothing is global.
void Interrupt::listen(std::stop_token const& end, int arrivals) {
    Wake const wake(end);
    std::optional<Clock::time_point> asked;
    // Without an event to wait for, poll() tells only that the reader is gone; once is enough.
    std::array<pollfd, 3> waiting{{{arrivals, POLLIN, 0}, {wake.number(), POLLIN, 0}, {STDOUT_FILENO, 0, 0}}};
    while (!end.stop_requested()) {
        auto const left = asked ? std::chrono::ceil<std::chrono::milliseconds>(*asked + kLastCall - Clock::now())
                                : std::chrono::milliseconds{-1};
        if (asked && left.count() <= 0) last_call_.request_stop();
        int const patience = last_call_.stop_requested() ? -1 : static_cast<int>(left.count());
        if (::poll(waiting.data(), waiting.size(), patience) <= 0) continue;
        bool wanted = std::exchange(waiting[2].revents, 0) != 0;
        if (wanted) waiting[2].fd = -1;
        signalfd_siginfo arrived{};
        if ((waiting[0].revents & POLLIN) != 0 && ::read(arrivals, &arrived, sizeof arrived) == sizeof arrived) {
            // A signal to the process and one to its group, as from `timeout`, are one wish.
            constexpr std::chrono::seconds kOneWish{1};
            if (asked && Clock::now() - *asked > kOneWish) end_at_once(arrived.ssi_signo);
            wanted = true;
        }
        if (wanted && !asked) {
            asked = Clock::now();
            stop_.request_stop();
        }
    }
}

Interrupt::Interrupt() {
    occupy_standard_streams();
    sigset_t signals, failures;
    sigemptyset(&signals);
    for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
    // What is written tells of them: EPIPE, EFBIG.
    sigemptyset(&failures);
    for (int signal : {SIGPIPE, SIGXFSZ}) sigaddset(&failures, signal);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    pthread_sigmask(SIG_BLOCK, &failures, nullptr);
    listener_ = std::jthread([this, signals](std::stop_token const& end) {
        Descriptor const arrivals(::signalfd(-1, &signals, SFD_CLOEXEC));
        listen(end, arrivals.number());
    });
}

TimeLimit::TimeLimit(std::stop_token const& stop, std::stop_token const& last_call)
    : on_stop_(stop, Ask{stop_}), on_last_call_(last_call, Ask{last_call_}) {}

void TimeLimit::begin(std::chrono::milliseconds time) {
    clock_ = std::jthread([this, time](std::stop_token const& end) {
        std::mutex mutex;
        std::condition_variable_any never;
        std::unique_lock lock(mutex);
        for (auto const& [source, patience] : {std::pair{&stop_, time}, std::pair{&last_call_, Interrupt::kLastCall}}) {
            never.wait_for(lock, end, patience, [] { return false; });
            if (end.stop_requested()) return;
            source->request_stop();
        }
    });
}

}  // namespace vmcheck::base
