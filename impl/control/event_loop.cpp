#include "impl/control/event_loop.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace vmcheck {

using board::Parcels;
using board::Register;

namespace {

// How often the console is read for a panic's message.
constexpr Parcels kGlance{100'000};

}  // namespace

EventLoop::EventLoop(board::Board& board, KernelEntries entries, StepTime& time, Autopsy& autopsy,
                     AllocationFaults& allocations)
    : board_(board), entries_(std::move(entries)), time_(time), autopsy_(autopsy), allocations_(allocations) {}

Event EventLoop::next() {
    while (true) {
        Parcels const left = time_.left();
        if (left == Parcels{0}) return tl::unexpected(autopsy_.stuck("no end within the step's budget"));
        // Without symbols a panic is no breakpoint, but a message and then a loop: look for it now and then.
        if (!entries_.panic)
            if (auto panicked = autopsy_.panic_on_console()) return tl::unexpected(*panicked);
        if (auto event = event_of(time_.run(entries_.panic ? left : std::min(kGlance, left)))) return *event;
    }
}

std::optional<Event> EventLoop::next_until(Parcels end) {
    while (board_.elapsed() < end)
        if (auto event = event_of(time_.run(end - board_.elapsed()))) return event;
    return std::nullopt;
}

// Nothing: the machine is to be run on.
std::optional<Event> EventLoop::event_of(board::Stop const& stop) {
    if (std::holds_alternative<board::stop::BudgetExhausted>(stop)) return std::nullopt;
    if (std::holds_alternative<board::stop::Idle>(stop)) return tl::unexpected(spec::Blocked{});
    if (std::holds_alternative<board::stop::Hypercall>(stop))
        return Call{root_of(board_.read(Register::satp)), board_.read(Register::s11), board_.read(Register::a0)};
    if (auto const* at = std::get_if<board::stop::Breakpoint>(&stop)) {
        if (entries_.panic == at->address) return tl::unexpected(autopsy_.panicked(time_.began()));
        if (entries_.allocate == at->address) at_allocation();
        return std::nullopt;
    }
    if (auto const* trap = std::get_if<board::stop::MachineTrap>(&stop))
        return tl::unexpected(autopsy_.stuck(fmt::format("trap {} went to machine mode, which has no handler, from {}",
                                                         trap->cause, autopsy_.where(trap->pc))));
    engine_failure_ = std::get<board::stop::EngineError>(stop).text;
    return tl::unexpected(autopsy_.stuck(*engine_failure_));
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
