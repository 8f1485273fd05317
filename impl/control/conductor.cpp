#include "impl/control/conductor.h"

#include "impl/agent/agent.h"

#include <utility>

namespace vmcheck {

using board::HartIndex;
using board::Register;
using spec::Completion;
using spec::ProcId;
using Why = spec::Stuck::Why;

Conductor::Conductor(board::Board& board, observe::ProcessTable const* table, KernelEntries entries,
                     std::function<std::string(VirtAddr)> where)
    : board_(board),
      table_(table),
      numbers_(entries.numbers),
      time_(board),
      autopsy_(board, std::move(where)),
      harts_(board, state_.roster, state_.standing),
      events_(board, std::move(entries), time_, autopsy_, state_.allocations) {}

void Conductor::resume(AgentState state) {
    state_ = std::move(state);
    autopsy_.resurrect();
}

Done Conductor::wait_for_init(board::Parcels budget) {
    begin_step(budget, budget, std::nullopt);
    auto const who = next();
    if (who) return {};
    if (spec::is_mishap(who.error())) return tl::unexpected(who.error());
    return tl::unexpected(autopsy_.stuck(Why::asleep));
}

void Conductor::begin_step(board::Parcels budget, board::Parcels most, std::optional<std::uint32_t> oom) {
    time_.begin(budget, most);
    state_.allocations.begin_step(oom);
    state_.roster.begin_step();
    cancel_meanwhile();
    next_deed_ = {.actor = {}, .oom = oom};
    to_turn_.reset();
}

// ---- the loop

// Runs the machine until is_over(wait), asked at first and after each hypercall, gives a result. Before the machine
// goes on, let_others_run() has it go on with somebody else than who has just asked; where that has not helped in the
// time that a fair scheduler takes, whoever asks steps aside. Returns Blocked where every process sleeps before, and
// what the machine has died of.
template <class IsOver, class LetOthersRun>
Completion Conductor::run_until(IsOver is_over, LetOthersRun let_others_run) {
    for (Wait wait;; ++wait.calls) {
        if (std::optional<Completion> result = is_over(wait)) return *result;
        bool const unfair = wait.calls > calls_max();
        // Not where the one that is there has just been given its order.
        auto const current = state_.roster.current();
        if (!current || !state_.roster.is_at_work(*current))
            if (Done done = unfair ? step_aside() : let_others_run(); !done) return done.error();
        unsigned const lulls = events_.lulls();
        board::Parcels const began = board_.elapsed();
        if (auto const who = next(); !who) return who.error();
        if (!unfair) continue;
        constexpr board::Parcels kLongWork{1'000'000};
        wait.lulls += events_.lulls() - lulls;
        wait.in_a_row = board_.elapsed() - began < kLongWork ? wait.in_a_row + 1 : 0;
    }
}

// Runs the board until somebody asks, who is current from then on. Fails as the event loop does.
tl::expected<ProcId, Completion> Conductor::next() {
    return events_.next().and_then([&](Call const& call) { return recognise(call); });
}

tl::expected<ProcId, Completion> Conductor::recognise(Call const& call) {
    bool const is_first = state_.roster.agents().empty();
    auto const who = state_.roster.recognise(call);
    if (!who) return tl::unexpected(who.error());
    if (is_first) state_.roster.set_pid(*who, pid_with(call.root));
    if (call.tag != tag_of(*who)) board_.write(Register::s11, tag_of(*who));
    harts_.stands_now(*who);
    state_.aside.erase(*who);
    return *who;
}

// 0: not known.
std::uint64_t Conductor::pid_with(FrameNo root) const {
    std::uint64_t pid = 0;
    for (std::uint64_t i = 0; table_ != nullptr && i < table_->size(); ++i) {
        auto const entry = table_->read(observe::ram_of(board_), i);
        if (entry.life == observe::Life::other && entry.root == root) pid = entry.pid;
    }
    return pid;
}

// ---- who runs

// The hart on which `who` stands goes on, or else, where there is none, another process than the one that asks.
Done Conductor::schedule(std::optional<ProcId> who) {
    auto const hart = who ? harts_.hart_of(*who) : std::nullopt;
    if (!hart) return switch_process();
    harts_.turn_to(*hart);
    return {};
}

Done Conductor::switch_process() {
    if (harts_.several()) {
        if (harts_.give_way()) return {};
        // The harts are interrupted one after the other: a process that was killed may stand on any of them, and ends
        // when it is.
        harts_.turn_to_next_that_stands();
    }
    if (board_.raise_timer()) return {};
    return tl::unexpected(autopsy_.stuck(Why::no_timer));
}

// The one that asks sleeps for a tick: whoever else can run then does, even if it has a lower priority, has used up its
// share, or was not lucky.
Done Conductor::step_aside() {
    if (!state_.roster.current()) return {};
    state_.aside.insert(*state_.roster.current());
    tell({VMCHECK_ORDER_SYSCALL, syscalls::kSleep, {1, 0, 0}});
    harts_.order_begins();
    state_.roster.nobody_is_current();
    return {};
}

// How many times others may ask before they step aside: several rounds of a fair scheduler. Of two whose steps overlap,
// one may sleep until the other has done all of its step.
unsigned Conductor::calls_max() const {
    unsigned const rounds = state_.roster.orders() > 1 ? 16 : 4;
    return rounds * static_cast<unsigned>(state_.roster.agents().size()) + 8;
}

// Whether what is waited for does not come: the machine would rather do nothing. On a kernel whose processes cannot
// sleep, they are asked to in vain, too.
bool Conductor::is_in_vain(Wait const& wait) const {
    constexpr unsigned kLulls = 4;
    unsigned const agents = static_cast<unsigned>(state_.roster.agents().size());
    return wait.lulls >= kLulls || wait.in_a_row > 16 * agents + 64;
}

Done Conductor::bring(ProcId who) {
    Completion const result = run_until(
        [&](Wait const& wait) -> std::optional<Completion> {
            if (state_.roster.current() == who) return spec::Returned{};
            if (!is_in_vain(wait)) return std::nullopt;
            spec::Stuck stuck = autopsy_.stuck(Why::not_scheduled);
            stuck.others_run = true;
            stuck.who = who;
            return stuck;
        },
        [&] { return schedule(who); });
    if (std::holds_alternative<spec::Blocked>(result)) return tl::unexpected(autopsy_.stuck(Why::asleep));
    if (spec::is_mishap(result)) return tl::unexpected(result);
    return {};
}

tl::expected<bool, Completion> Conductor::bring_side_by_side(ProcId first, ProcId second) {
    if (!harts_.several()) return false;
    // The first keeps its hart while the other harts look for the second, and the second while the first is made ready.
    if (Done done = bring(second); !done) return tl::unexpected(done.error());
    // Who sleeps may be woken by the clock of the very hart that would be parked.
    if (state_.aside.contains(first)) return false;
    HartIndex const there = harts_.park_current();
    auto both = bring_beside_parked_hart(first);
    harts_.release(there);
    if (!both || !*both) {
        harts_.turn_to(there);
        state_.roster.nobody_is_current();
    }
    return both;
}

// False: it does not come.
tl::expected<bool, Completion> Conductor::bring_beside_parked_hart(ProcId who) {
    Completion const result = run_until(
        [&](Wait const& wait) -> std::optional<Completion> {
            if (state_.roster.current() == who) return spec::Returned{};
            if (wait.calls > calls_max()) return spec::Blocked{};
            return std::nullopt;
        },
        [&]() -> Done {
            if (auto const hart = harts_.hart_of(who))
                harts_.turn_to(*hart);
            else
                board_.raise_timer();
            return {};
        });
    if (spec::is_mishap(result)) return tl::unexpected(result);
    return std::holds_alternative<spec::Returned>(result);
}

Done Conductor::let_harts_finish() {
    // More than a kernel needs to get from the last that a process does to its scheduler.
    constexpr board::Parcels kOnItsWay{20'000};
    Done done;
    for (std::uint64_t i = 0; harts_.several() && i < board_.harts() && done; ++i) {
        HartIndex const hart{i};
        if (harts_.stands_at_hypercall(hart)) continue;
        harts_.turn_to(hart);
        harts_.park_all_that_stand_but(hart);
        if (auto const event = events_.next_until(board_.elapsed() + kOnItsWay)) {
            auto const who = event->and_then([&](Call const& call) { return recognise(call); });
            if (!who && spec::is_mishap(who.error())) done = tl::unexpected(who.error());
        }
        harts_.release_all();
        harts_.turn_to(hart);
        state_.roster.nobody_is_current();
    }
    return done;
}

// ---- orders

Completion Conductor::give(ProcId actor, Order const& order) {
    if (Done done = bring(actor); !done) return done.error();
    tell(order);
    if (deeds_) note(actor, order);
    state_.roster.begin_order(actor);
    harts_.order_begins();
    time_.order_begins();
    Completion result = await_result(actor);
    if (deeds_) note_turn();
    time_.order_ended();
    state_.roster.end_order(actor);
    return result;
}

void Conductor::note(ProcId actor, Order const& order) {
    note_turn();
    Deed deed = std::exchange(next_deed_, {});
    deed.actor = actor;
    deed.kind = order.kind;
    deed.call = order.kind == VMCHECK_ORDER_SYSCALL ? numbers_.of(order.a7) : order.a7;
    deed.arguments = order.arguments;
    deed.meanwhile = state_.roster.orders() > 0;
    if (time_.interrupts_next()) {
        to_turn_ = deeds_->size();
        board_.watch_turn();
    }
    deeds_->push_back(deed);
}

void Conductor::note_turn() {
    auto const turned = to_turn_ ? board_.turned() : std::nullopt;
    if (!turned) return;
    (*deeds_)[*to_turn_].stop = Deed::Stop{turned->pc, turned->passes};
    to_turn_.reset();
}

// To the process that asks.
void Conductor::tell(Order const& order) {
    board_.write(Register::t0, order.kind);
    board_.write(Register::a7, order.kind == VMCHECK_ORDER_SYSCALL ? numbers_.of(order.a7) : order.a7);
    board_.write(Register::a0, order.arguments[0]);
    board_.write(Register::a1, order.arguments[1]);
    board_.write(Register::a2, order.arguments[2]);
}

Completion Conductor::give_exec(ProcId actor, spec::Executable program, VirtAddr arguments) {
    state_.roster.begin_exec(actor);
    next_deed_.restarts = true;
    Completion result = give_call(actor, syscalls::kExec, agent::path_of(program).value, arguments.value);
    state_.roster.end_exec();
    return result;
}

Conductor::Forked Conductor::give_fork(ProcId parent, ProcId child) {
    if (Done done = bring(parent); !done) return {done.error()};
    state_.roster.expect_child(parent, child);
    next_deed_.child = child;
    Completion const result = give_call(parent, syscalls::kFork);
    auto const pid = success(result);
    if (!pid || *pid == 0) {
        state_.roster.abandon_child_of(parent);
        return {result};
    }
    state_.roster.set_pid(child, *pid);
    auto const came_up = await_child(parent);
    if (!came_up) return {came_up.error()};
    return {result, *came_up};
}

Completion Conductor::await_result(ProcId actor) {
    return run_until(
        [&](Wait const& wait) -> std::optional<Completion> {
            if (wait.calls == 0) return std::nullopt;
            if (auto result = state_.roster.result_of(actor)) return result;
            if (Done done = do_what_waits_for(*state_.roster.current()); !done) return done.error();
            // It may have asked meanwhile.
            if (auto result = state_.roster.result_of(actor)) return result;
            return why_absent(actor, wait);
        },
        // The actor has left its hart to another process. The hart of one that waits gets no turn by itself while that
        // other asks.
        [&] { return schedule(meanwhile_ ? std::optional(meanwhile_->who) : std::nullopt); });
}

Done Conductor::do_what_waits_for(ProcId who) {
    if (!meanwhile_ || meanwhile_->who != who) return {};
    auto const step = std::move(meanwhile_->step);
    cancel_meanwhile();
    time_.end_interruption();
    Done done = step();
    time_.end_interruption();
    return done;
}

// Why `actor` has not asked for so long; nothing where it may yet.
std::optional<Completion> Conductor::why_absent(ProcId actor, Wait const& wait) {
    Agent const* agent = state_.roster.find(actor);
    if (agent == nullptr) return spec::Ended{};  // its end was seen, or even waited for, in the other's step
    // Of several harts, one that stands asks whenever it gets a turn, while another may be at work on a long order.
    bool const has_had_its_time = !harts_.several() || time_.half_is_spent();
    bool const overdue = is_in_vain(wait) && has_had_its_time;
    if (table_ != nullptr && agent->pid != 0) {
        if (!has_ended(*agent)) return overdue ? std::optional<Completion>(spec::Blocked{}) : std::nullopt;
    } else if (!overdue) {
        // Without a process table an end and a sleep look alike: no step that vmcheck asks for may sleep.
        return std::nullopt;
    }
    state_.roster.end(actor);
    return spec::Ended{};
}

// After a fork that returned a pid: lets the child run to its first hypercall. False: it never came up.
tl::expected<bool, Completion> Conductor::await_child(ProcId parent) {
    Completion const result = run_until(
        [&](Wait const& wait) -> std::optional<Completion> {
            if (!state_.roster.expects_child_of(parent)) return spec::Returned{};
            if (!is_in_vain(wait)) return std::nullopt;
            state_.roster.abandon_child_of(parent);
            return spec::Blocked{};
        },
        [&] { return switch_process(); });
    if (spec::is_mishap(result)) return tl::unexpected(result);
    return std::holds_alternative<spec::Returned>(result);
}

tl::expected<bool, Completion> Conductor::await_end(ProcId target) {
    unsigned others_since = 0;  // that have asked since it last did
    Completion const result = run_until(
        [&](Wait const& wait) -> std::optional<Completion> {
            if (wait.calls > 0) others_since = state_.roster.current() == target ? 0 : others_since + 1;
            Agent const* agent = state_.roster.find(target);
            bool const ended = agent == nullptr || (table_ != nullptr && has_ended(*agent)) ||
                               (table_ == nullptr && is_in_vain(wait) && others_since > calls_max());
            if (ended) return spec::Ended{};
            return is_in_vain(wait) ? std::optional<Completion>(spec::Returned{}) : std::nullopt;
        },
        // It ends when the kernel next sees it, which on a hart of its own may be never.
        [&]() -> Done {
            auto const hart = harts_.hart_of(target);
            if (!hart) return switch_process();
            harts_.turn_to(*hart);
            board_.raise_timer();
            return {};
        });
    if (spec::is_mishap(result)) return tl::unexpected(result);
    if (std::holds_alternative<spec::Returned>(result)) return false;
    state_.roster.end(target);
    return true;
}

// ---- ends, by the kernel's process table

bool Conductor::has_ended(Agent const& agent) const {
    auto const entry = table_->find(observe::ram_of(board_), agent.pid);
    return !entry || entry->life == observe::Life::zombie;
}

void Conductor::sweep_ended() {
    if (table_ == nullptr) return;
    std::vector<ProcId> ended;
    for (Agent const& agent : state_.roster.agents())
        if (agent.pid != 0 && has_ended(agent)) ended.push_back(agent.id);
    for (ProcId id : ended) state_.roster.end_unasked(id);
}

std::vector<ProcId> Conductor::collect_ended() {
    sweep_ended();
    return state_.roster.take_ended_unasked();
}

void Conductor::forget_ended(std::uint64_t pid) {
    sweep_ended();
    state_.roster.forget(pid);
}

}  // namespace vmcheck
