#include "checker/class/workers.h"

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <utility>

namespace vmcheck::classes {

using std::chrono::milliseconds;

namespace {

milliseconds between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
    return std::chrono::duration_cast<milliseconds>(to - from);
}

}  // namespace

tl::expected<void, base::Error> Workers::start(std::size_t task, Work const& work) {
    base::Command command;
    command.arguments = work.arguments;
    command.output = work.log;
    command.environment = {"TMPDIR=" + work.scratch.string()};
    // A build that writes without end does not fill the disk for everyone.
    command.file_bytes_max = std::uint64_t{1} << 30;
    // vmcheck then writes what it has, and ends its own children.
    command.if_parent_dies = SIGINT;
    auto child = base::Child::start(work.sandbox ? base::in_sandbox(command, *work.sandbox) : command);
    if (!child) return tl::unexpected(child.error());
    busy_.push_back({task, std::move(*child), Clock::now()});
    return {};
}

Workers::Clock::time_point Workers::keep_limits(Busy& busy) const {
    Clock::time_point const now = Clock::now();
    if (busy.cut == Cut::no && now - busy.start >= limits_.each) {
        busy.cut = Cut::time_limit;
        busy.cut_at = now;
        busy.child.send(SIGINT);
    }
    if (busy.cut == Cut::no) return busy.start + limits_.each;
    if (now - busy.cut_at >= limits_.grace) busy.child.kill();
    return std::max(busy.cut_at + limits_.grace, now);
}

std::vector<Workers::Ended> Workers::wait(milliseconds patience) {
    Clock::time_point const end = Clock::now() + patience;
    std::vector<Ended> ended;
    while (true) {
        std::vector<Busy> still;
        Clock::time_point next = end;
        for (Busy& busy : busy_) {
            next = std::min(next, keep_limits(busy));
            if (auto const exit = busy.child.poll()) {
                ended.push_back({busy.task, {exit->code, exit->signal, busy.cut}, between(busy.start, Clock::now())});
            } else {
                still.push_back(std::move(busy));
            }
        }
        busy_ = std::move(still);
        if (!ended.empty() || busy_.empty() || Clock::now() >= end) return ended;
        std::vector<base::Child const*> children;
        for (Busy const& busy : busy_) children.push_back(&busy.child);
        base::wait_for_one_of(children, std::chrono::ceil<milliseconds>(next - Clock::now()));
    }
}

void Workers::interrupt() {
    for (Busy& busy : busy_) {
        if (busy.cut != Cut::no) continue;
        busy.cut = Cut::interrupt;
        busy.cut_at = Clock::now();
        busy.child.send(SIGINT);
    }
}

std::vector<Workers::Running> Workers::running() const {
    std::vector<Running> all;
    for (Busy const& busy : busy_) all.push_back({busy.task, between(busy.start, Clock::now())});
    return all;
}

}  // namespace vmcheck::classes
