#include "impl/control/listener.h"

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

Listener::Listener(board::Board& board, observe::ProcessTable const* table, KernelEntries entries, StepTime& time,
                   Autopsy& autopsy, Conversation& now)
    : board_(board), table_(table), entries_(std::move(entries)), time_(time), autopsy_(autopsy), now_(now) {}

Event Listener::next() {
    while (true) {
        Parcels const left = time_.left();
        if (left == Parcels{0}) return autopsy_.stuck("no end within the step's budget");
        // Without symbols a panic is no breakpoint, but a message and then a loop: look for it now and then.
        if (!entries_.panic)
            if (auto panicked = autopsy_.panic_on_console()) return *panicked;
        if (auto event = event_of(time_.run(entries_.panic ? left : std::min(kGlance, left)))) return *event;
    }
}

std::optional<Event> Listener::next_until(Parcels end) {
    while (board_.elapsed() < end)
        if (auto event = event_of(time_.run(end - board_.elapsed()))) return event;
    return std::nullopt;
}

// Nothing: the machine is to be run on.
std::optional<Event> Listener::event_of(board::Stop const& stop) {
    if (auto const* call = std::get_if<board::stop::Hypercall>(&stop)) return at_hypercall(call->hart);
    if (std::holds_alternative<board::stop::Idle>(stop)) return Asleep{};
    if (std::holds_alternative<board::stop::BudgetExhausted>(stop)) return std::nullopt;
    if (auto const* at = std::get_if<board::stop::Breakpoint>(&stop)) {
        if (auto mishap = at_breakpoint(at->address)) return *mishap;
        return std::nullopt;
    }
    if (auto const* trap = std::get_if<board::stop::MachineTrap>(&stop))
        return autopsy_.stuck(fmt::format("trap {} went to machine mode, which has no handler, from {}", trap->cause,
                                          autopsy_.where(trap->pc)));
    engine_failure_ = std::get<board::stop::EngineError>(stop).text;
    return autopsy_.stuck(*engine_failure_);
}

Event Listener::at_hypercall(board::HartIndex hart) {
    Call const call{root_of(board_.read(Register::satp)), board_.read(Register::s11), board_.read(Register::a0)};
    bool const is_first = now_.roster.agents().empty();
    auto const who = now_.roster.recognise(call);
    if (!who) return Mishap{who.error()};
    if (is_first) now_.roster.set_pid(*who, pid_with(call.root));
    if (call.tag != tag_of(*who)) board_.write(Register::s11, tag_of(*who));
    now_.standing.at[hart.value] = *who;
    return Asks{*who};
}

// 0: not known.
std::uint64_t Listener::pid_with(FrameNo root) const {
    std::uint64_t pid = 0;
    for (std::uint64_t i = 0; table_ != nullptr && i < table_->size(); ++i) {
        auto const entry = table_->read({board_.ram_start(), board_.ram()}, i);
        if (entry.life == observe::Life::other && entry.root == root) pid = entry.pid;
    }
    return pid;
}

std::optional<Mishap> Listener::at_breakpoint(VirtAddr address) {
    if (entries_.panic == address) return autopsy_.panicked(time_.began());
    if (entries_.allocate == address) at_allocation();
    return std::nullopt;
}

void Listener::at_allocation() {
    auto const& heads = entries_.free_list_heads;
    bool const none_free = !heads.empty() && std::all_of(heads.begin(), heads.end(),
                                                         [&](PhysAddr head) { return board_.read_u64(head) == 0; });
    // The return address is that of the instruction behind the call.
    VirtAddr const behind{board_.read(Register::ra)};
    if (!now_.allocations.fails(VirtAddr{behind.value - 1}, none_free)) return;
    // The allocator returns 0 to its caller without having run.
    board_.write(Register::a0, 0);
    board_.write(Register::pc, behind.value);
}

}  // namespace vmcheck
