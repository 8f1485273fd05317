#include "impl/control/event_loop.h"

#include "impl/control/circles.h"

#include <algorithm>
#include <utility>

namespace vmcheck {

using board::Parcels;
using board::Register;

namespace {

// How often one looks up, at the clock, and for a panic's message on the console.
constexpr Parcels kGlance{1'000'000};
constexpr Parcels kGlanceAtConsole{100'000};
// After so much code it is looked whether the machine idles without a wfi; then the timer is raised.
constexpr Parcels kIdleAtLeast{1'000'000};
// To look costs as much as the memory that was written to.
constexpr std::uint64_t kIdleForEachDirtyFrame = 1'000;

// What a panic is given to print its line.
constexpr Parcels kLastWords{200'000};

// A minute, of which nobody but the clock makes use: then nobody will.
constexpr std::uint64_t kLongSleep = 600'000'000;

}  // namespace

EventLoop::EventLoop(board::Board& board, KernelEntries entries, StepTime& time, Autopsy& autopsy,
                     AllocationFaults& allocations)
    : board_(board), entries_(std::move(entries)), time_(time), autopsy_(autopsy), allocations_(allocations) {}

Event EventLoop::next() {
    board::TimeUnits const time = board_.time();
    Parcels const elapsed = board_.elapsed();
    // The clock counts slower than code is executed, except where it jumps over the time that all sleep.
    auto const slept = [&] { return board_.time().value - time.value > (board_.elapsed() - elapsed).value; };
    Parcels looked_at = elapsed, interval = kIdleAtLeast;
    unsigned raised = 0;
    while (true) {
        if (auto const event = run_on()) {
            if (slept() || raised > 0) ++lulls_;
            return *event;
        }
        if (slept() && board_.time().value - time.value > kLongSleep) return all_sleep();
        Parcels const due{std::max(interval.value, kIdleForEachDirtyFrame * board_.dirty_frames().size())};
        if (board_.elapsed() < looked_at + due || !time_.may_extend()) continue;
        looked_at = board_.elapsed();
        // Less and less often where it works.
        bool const idles = may_idle(board_);
        interval = idles ? kIdleAtLeast : Parcels{4 * interval.value};
        if (idles && board_.raise_timer()) ++raised;
    }
}

// Nothing: nothing that concerns the agents has happened so far.
std::optional<Event> EventLoop::run_on() {
    Parcels const left = time_.left();
    if (left == Parcels{0}) {
        if (!time_.extend()) return tl::unexpected(autopsy_.unfinished());
        if (auto const circle = find_circle(board_)) return tl::unexpected(autopsy_.stuck(*circle));
        return std::nullopt;
    }
    if (time_.may_extend() && time_.becomes_long())
        if (auto const circle = find_short_circle(board_)) return tl::unexpected(autopsy_.stuck(*circle));
    // Without symbols a panic is no breakpoint, but a message and then a loop: look for it now and then.
    if (!entries_.panic)
        if (auto panicked = autopsy_.panic_on_console()) return tl::unexpected(*panicked);
    Parcels const until_long = time_.until_long();
    Parcels const most = until_long == Parcels{0} ? left : std::min(left, until_long);
    // Of several harts, each stop would begin a turn anew.
    Parcels const glance = board_.harts() > 1 ? left : kGlance;
    return event_of(time_.run(std::min(most, entries_.panic ? glance : kGlanceAtConsole)));
}

std::optional<Event> EventLoop::next_until(Parcels end) {
    while (board_.elapsed() < end)
        if (auto event = event_of(time_.run(end - board_.elapsed()))) return event;
    return std::nullopt;
}

// Nothing: the machine is to be run on.
std::optional<Event> EventLoop::event_of(board::Stop const& stop) {
    if (std::holds_alternative<board::stop::BudgetExhausted>(stop)) return std::nullopt;
    if (std::holds_alternative<board::stop::Idle>(stop)) return all_sleep();
    if (std::holds_alternative<board::stop::Hypercall>(stop))
        return Call{root_of(board_.read(Register::satp)), board_.read(Register::s11), board_.read(Register::a0)};
    if (auto const* at = std::get_if<board::stop::Breakpoint>(&stop)) {
        if (entries_.panic == at->address) return tl::unexpected(panicked());
        if (entries_.allocate == at->address) at_allocation();
        return std::nullopt;
    }
    if (auto const* trap = std::get_if<board::stop::MachineTrap>(&stop)) {
        spec::Stuck stuck = autopsy_.stuck(spec::Stuck::Why::no_handler);
        stuck.exception = spec::Exception{trap->cause, VirtAddr{trap->value}, autopsy_.where(trap->pc)};
        return tl::unexpected(std::move(stuck));
    }
    engine_failure_ = std::get<board::stop::EngineError>(stop).text;
    return tl::unexpected(autopsy_.unfinished());
}

// A message that is a format, or none at all, says less than what comes to be printed: that is waited for.
spec::Panicked EventLoop::panicked() {
    spec::Panicked panicked = autopsy_.panicked(time_.began());
    if (!panicked.message.empty() && panicked.message.find('%') == std::string::npos) return panicked;
    std::size_t const before = board_.console().size();
    Parcels const end = board_.elapsed() + kLastWords;
    while (board_.elapsed() < end) {
        board::Stop const stop = board_.run(end - board_.elapsed());
        bool const goes_on = std::holds_alternative<board::stop::Breakpoint>(stop) ||
                             std::holds_alternative<board::stop::Hypercall>(stop);
        if (auto const* failed = std::get_if<board::stop::EngineError>(&stop)) engine_failure_ = failed->text;
        if (!goes_on) break;
    }
    if (auto printed = panic_in(board_.console().substr(std::min(before, board_.console().size()))))
        panicked.message = std::move(*printed);
    return panicked;
}

// A panic may end in a sleep from which nothing wakes.
Event EventLoop::all_sleep() const {
    if (!entries_.panic)
        if (auto panicked = autopsy_.panic_on_console()) return tl::unexpected(std::move(*panicked));
    return tl::unexpected(spec::Blocked{});
}

void EventLoop::at_allocation() {
    auto const& heads = entries_.free_list_heads;
    bool const none_free = !heads.empty() && std::all_of(heads.begin(), heads.end(),
                                                         [&](PhysAddr head) { return board_.read_u64(head) == 0; });
    // The return address is that of the instruction behind the call.
    VirtAddr const behind{board_.read(Register::ra)};
    if (!allocations_.fails(VirtAddr{behind.value - 1}, none_free)) return;
    // The allocator returns 0 to its caller without having run.
    board_.write(Register::a0, 0);
    board_.write(Register::pc, behind.value);
}

}  // namespace vmcheck
