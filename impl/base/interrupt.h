#pragma once
// Ctrl-C as a stop request: what has been found so far is reported and written before vmcheck ends.

#include <stop_token>
#include <thread>

namespace vmcheck::base {

// While it lives, SIGINT, SIGTERM and SIGHUP ask for a stop; another one more than a second later ends the program at
// once.
// REQUIRES: made in main() before any thread is started, so that every thread inherits the blocked signals.
class Interrupt {
  public:
    Interrupt();
    Interrupt(Interrupt const&) = delete;
    Interrupt& operator=(Interrupt const&) = delete;

    std::stop_token token() const { return stop_.get_token(); }

  private:
    std::stop_source stop_;
    std::jthread listener_;
};

}  // namespace vmcheck::base
