#include "checker/cli/interrupt.h"

#include <unistd.h>

#include <csignal>
#include <ctime>
#include <thread>

namespace vmcheck::cli {

struct Interrupt::Parts {
    std::stop_source stop;
    std::jthread listener;
};

Interrupt::Interrupt() : parts_(std::make_unique<Parts>()) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    // A thread that waits for the signal, rather than a handler: nothing is asynchronous and nothing is global.
    parts_->listener = std::jthread([signals, stop = parts_->stop](std::stop_token const& end) mutable {
        constexpr timespec kPoll{0, 100'000'000};
        while (!end.stop_requested()) {
            int const signal = sigtimedwait(&signals, nullptr, &kPoll);
            if (signal < 0) continue;
            constexpr int kInterrupted = 128;
            if (!stop.request_stop()) _exit(kInterrupted + signal);
        }
    });
}

Interrupt::~Interrupt() = default;

std::stop_token Interrupt::token() const {
    return parts_->stop.get_token();
}

}  // namespace vmcheck::cli
