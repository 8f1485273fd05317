#pragma once
// Ctrl-C as a stop request: what has been found so far is reported and written before vmcheck ends.

#include <chrono>
#include <stop_token>
#include <thread>

namespace vmcheck::base {

// While it lives, SIGINT, SIGTERM, SIGHUP, and that nobody is left to read standard output, ask for a stop; a signal
// more than a second later ends the program at once, with all that it has started and its temporary files. Where a
// standard stream is closed nothing else takes its place, and a write that fails is an error, no signal.
// REQUIRES: made in main() before any thread is started, so that every thread inherits the blocked signals.
class Interrupt {
  public:
    Interrupt();
    Interrupt(Interrupt const&) = delete;
    Interrupt& operator=(Interrupt const&) = delete;

    std::stop_token token() const { return stop_.get_token(); }
    // Asked for some time after token(): what cannot be finished by then is left undone.
    std::stop_token last_call() const { return last_call_.get_token(); }
    static constexpr std::chrono::milliseconds kLastCall{900};

  private:
    void listen(std::stop_token const& end, int arrivals);

    std::stop_source stop_;
    std::stop_source last_call_;
    std::jthread listener_;
};

// The same for a part of the program, which has only so much time: asks for a stop when Interrupt does, or by the
// clock.
class TimeLimit {
  public:
    TimeLimit(std::stop_token const& stop, std::stop_token const& last_call);

    // So long from now it asks for a stop, and Interrupt::kLastCall later for the last call.
    void begin(std::chrono::milliseconds time);
    std::stop_token token() const { return stop_.get_token(); }
    std::stop_token last_call() const { return last_call_.get_token(); }

  private:
    struct Ask {
        std::stop_source& source;
        void operator()() const { source.request_stop(); }
    };
    std::stop_source stop_;
    std::stop_source last_call_;
    std::stop_callback<Ask> on_stop_;
    std::stop_callback<Ask> on_last_call_;
    std::jthread clock_;
};

}  // namespace vmcheck::base
