#pragma once
// Several children at a time, none of them for longer than its limit.

#include "impl/base/child.h"
#include "impl/base/sandbox.h"

#include <tl/expected.hpp>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace vmcheck::classes {

// What a child is to do.
struct Work {
    std::vector<std::string> arguments;  // the first is the program's path
    std::filesystem::path log;           // takes standard output and standard error
    std::filesystem::path scratch;       // its directory for temporary files
    std::optional<base::Sandbox> sandbox{};
};

// Why a child was asked to stop before its time.
enum class Cut { no, time_limit, interrupt };

// How it came to its end.
struct Ending {
    std::optional<int> exit_code;  // nothing: a signal ended it
    int signal = 0;
    Cut cut = Cut::no;
};

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
    // Starts it as task number `task`. REQUIRES: !full(). Fails as base::Child::start does.
    tl::expected<void, base::Error> start(std::size_t task, Work const& work);
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
        base::Child child;
        Clock::time_point start;
        Cut cut = Cut::no;
        Clock::time_point cut_at{};
    };
    // Asks it to stop, kills it, or gives when there will be reason to.
    Clock::time_point keep_limits(Busy& busy) const;

    Limits limits_;
    std::vector<Busy> busy_;
};

}  // namespace vmcheck::classes
