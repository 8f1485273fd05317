#include "checker/class/workers.h"

#include <thread>
#include <utility>

namespace vmcheck::classes {

using std::chrono::milliseconds;

namespace {

milliseconds between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
    return std::chrono::duration_cast<milliseconds>(to - from);
}

}  // namespace

tl::expected<void, Problem> Workers::start(std::size_t task, Command const& command) {
    auto child = Child::start(command);
    if (!child) return tl::unexpected(child.error());
    busy_.push_back({task, std::move(*child), Clock::now()});
    return {};
}

void Workers::keep_limits(Busy& busy) const {
    Clock::time_point const now = Clock::now();
    if (busy.cut == Cut::no && now - busy.start >= limits_.each) {
        busy.cut = Cut::time_limit;
        busy.cut_at = now;
        busy.child.interrupt();
    }
    if (busy.cut != Cut::no && now - busy.cut_at >= limits_.grace) busy.child.kill();
}

std::vector<Workers::Ended> Workers::wait(milliseconds patience) {
    constexpr milliseconds kPoll{20};
    Clock::time_point const start = Clock::now();
    std::vector<Ended> ended;
    while (true) {
        std::vector<Busy> still;
        for (Busy& busy : busy_) {
            keep_limits(busy);
            if (auto ending = busy.child.poll()) {
                ending->cut = busy.cut;
                ended.push_back({busy.task, *ending, between(busy.start, Clock::now())});
            } else {
                still.push_back(std::move(busy));
            }
        }
        busy_ = std::move(still);
        if (!ended.empty() || busy_.empty() || Clock::now() - start >= patience) return ended;
        std::this_thread::sleep_for(kPoll);
    }
}

void Workers::interrupt() {
    for (Busy& busy : busy_) {
        if (busy.cut != Cut::no) continue;
        busy.cut = Cut::interrupt;
        busy.cut_at = Clock::now();
        busy.child.interrupt();
    }
}

std::vector<Workers::Running> Workers::running() const {
    std::vector<Running> all;
    for (Busy const& busy : busy_) all.push_back({busy.task, between(busy.start, Clock::now())});
    return all;
}

}  // namespace vmcheck::classes
