#pragma once
// Several children at a time, none of them for longer than its limit.

#include "checker/class/child.h"

#include <chrono>
#include <cstddef>
#include <vector>

namespace vmcheck::classes {

struct Limits {
    unsigned at_a_time = 1;             // REQUIRES: at least 1
    std::chrono::milliseconds each{};   // after this it is sent SIGINT
    std::chrono::milliseconds grace{};  // and this much later SIGKILL
};

class Workers {
  public:
    struct Ended {
        std::size_t task;
        Ending ending;
        std::chrono::milliseconds took;
    };
    struct Running {
        std::size_t task;
        std::chrono::milliseconds since;
    };

    explicit Workers(Limits limits) : limits_(limits) {}

    bool full() const { return busy_.size() >= limits_.at_a_time; }
    bool idle() const { return busy_.empty(); }
    // Starts `command` as task number `task`. REQUIRES: !full(). Fails as Child::start does.
    tl::expected<void, Problem> start(std::size_t task, Command const& command);
    // Those that ended; waits for the first, but not longer than `patience`. Here limits are kept.
    std::vector<Ended> wait(std::chrono::milliseconds patience);
    // Asks all to stop, on behalf of the user. They still have to be waited for.
    void interrupt();
    // In the order in which they were started.
    std::vector<Running> running() const;

  private:
    using Clock = std::chrono::steady_clock;
    struct Busy {
        std::size_t task;
        Child child;
        Clock::time_point start;
        Cut cut = Cut::no;
        Clock::time_point cut_at{};
    };
    void keep_limits(Busy& busy) const;

    Limits limits_;
    std::vector<Busy> busy_;
};

}  // namespace vmcheck::classes
