#include "impl/base/interrupt.h"

#include "impl/base/wake.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>

namespace vmcheck::base {

namespace {

// A thread that waits for the signal, rather than a handler: nothing is asynchronous and nothing is global.
void listen(std::stop_token const& end, sigset_t const& signals, std::stop_source const& stop) {
    Descriptor const arrivals(::signalfd(-1, &signals, SFD_CLOEXEC));
    Wake const wake(end);
    std::chrono::steady_clock::time_point asked;
    while (!end.stop_requested()) {
        std::array<pollfd, 2> waiting{{{arrivals.number(), POLLIN, 0}, {wake.number(), POLLIN, 0}}};
        if (::poll(waiting.data(), waiting.size(), -1) <= 0 || (waiting[0].revents & POLLIN) == 0) continue;
        signalfd_siginfo arrived{};
        if (::read(arrivals.number(), &arrived, sizeof arrived) != sizeof arrived) continue;
        constexpr int kInterrupted = 128;
        // A signal to the process and one to its group, as from `timeout`, are one wish.
        constexpr std::chrono::seconds kOneWish{1};
        auto const now = std::chrono::steady_clock::now();
        if (stop.request_stop())
            asked = now;
        else if (now - asked > kOneWish)
            ::_exit(kInterrupted + static_cast<int>(arrived.ssi_signo));
    }
}

}  // namespace

Interrupt::Interrupt() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    listener_ = std::jthread([signals, stop = stop_](std::stop_token const& end) { listen(end, signals, stop); });
}

}  // namespace vmcheck::base
