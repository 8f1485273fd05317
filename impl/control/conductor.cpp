#include "impl/control/conductor.h"

#include <utility>

namespace vmcheck {

using board::Register;

Conductor::Conductor(board::Board& board, observe::ProcessTable const* table, KernelEntries entries,
                     std::function<std::string(VirtAddr)> where)
    : board_(board),
      table_(table),
      time_(board),
      autopsy_(board, std::move(where)),
      harts_(board, now_.roster, now_.standing),
      listener_(board, table, std::move(entries), time_, autopsy_, now_),
      usher_(board, now_, autopsy_, harts_, listener_) {}

void Conductor::resume(Conversation conversation) {
    now_ = std::move(conversation);
    autopsy_.resurrect();
}

std::optional<Mishap> Conductor::wait_for_init(board::Parcels budget) {
    begin_step(budget, std::nullopt);
    Event const event = listener_.next();
    if (auto const* mishap = std::get_if<Mishap>(&event)) return *mishap;
    if (std::holds_alternative<Asleep>(event)) return autopsy_.stuck("every process sleeps, and /init has not run");
    return std::nullopt;
}

void Conductor::begin_step(board::Parcels budget, std::optional<std::uint32_t> oom) {
    time_.begin(budget);
    now_.allocations.begin_step(oom);
    now_.roster.begin_step();
    cancel_guest();
}

// ---- orders

Answer Conductor::give(spec::ProcId actor, Order const& order) {
    if (auto mishap = usher_.bring(actor)) return *mishap;
    board_.write(Register::t0, order.kind);
    board_.write(Register::a7, order.a7);
    board_.write(Register::a0, order.arguments[0]);
    board_.write(Register::a1, order.arguments[1]);
    board_.write(Register::a2, order.arguments[2]);
    now_.roster.begin_order(actor);
    harts_.order_begins();
    time_.order_begins();
    Answer answer = await_answer(actor);
    time_.order_ended();
    now_.roster.end_order(actor);
    return answer;
}

Answer Conductor::give_fork(spec::ProcId parent, spec::ProcId child) {
    if (auto mishap = usher_.bring(parent)) return *mishap;
    now_.roster.expect_child(parent, child);
    constexpr std::uint64_t kSysFork = 1;
    return give(parent, {VMCHECK_ORDER_SYSCALL, kSysFork, {}});
}

Answer Conductor::give_exec(spec::ProcId actor, Order const& order) {
    now_.roster.begin_exec(actor);
    Answer answer = give(actor, order);
    now_.roster.end_exec();
    return answer;
}

Answer Conductor::await_answer(spec::ProcId actor) {
    for (unsigned asked_by_others = 0;;) {
        Event const event = listener_.next();
        if (auto const* mishap = std::get_if<Mishap>(&event)) return *mishap;
        if (std::holds_alternative<Asleep>(event)) return Asleep{};
        if (auto answer = now_.roster.answer_of(actor)) return *answer;
        if (auto mishap = receive_guest(std::get<Asks>(event).who)) return *mishap;
        // It may have asked while the guest's step was done.
        if (auto answer = now_.roster.answer_of(actor)) return *answer;
        if (auto answer = why_absent(actor, ++asked_by_others)) return *answer;
        // The actor has left its hart to another process. The guest's hart gets no turn by itself while that one asks.
        std::optional<board::HartIndex> const guest_at = guest_ ? harts_.hart_of(guest_->who) : std::nullopt;
        if (guest_at && *guest_at != board_.current_hart())
            harts_.turn_to(*guest_at);
        else if (auto mishap = usher_.switch_process())
            return *mishap;
    }
}

std::optional<Mishap> Conductor::receive_guest(spec::ProcId who) {
    if (!guest_ || guest_->who != who) return std::nullopt;
    auto const step = std::move(guest_->step);
    guest_.reset();
    end_interruption();
    auto mishap = step();
    end_interruption();
    return mishap;
}

std::optional<Answer> Conductor::why_absent(spec::ProcId actor, unsigned asked_by_others) {
    Agent const* agent = now_.roster.find(actor);
    if (agent == nullptr) return Vanished{};  // its end was seen, or even waited for, in the other's step
    bool const out_of_patience = asked_by_others > usher_.patience() && has_had_its_time();
    if (table_ != nullptr && agent->pid != 0) {
        if (!has_ended(*agent)) return out_of_patience ? std::optional<Answer>(Asleep{}) : std::nullopt;
    } else if (!out_of_patience) {
        // Without a process table an end and a sleep look alike: no step that vmcheck asks for may sleep.
        return std::nullopt;
    }
    now_.roster.end(actor);
    return Vanished{};
}

// Of several harts, one that stands asks whenever it gets a turn, while another may be at work on a long order.
bool Conductor::has_had_its_time() const {
    return !harts_.several() || time_.half_is_spent();
}

tl::expected<bool, Mishap> Conductor::await_child(spec::ProcId parent) {
    for (unsigned asked = 0; now_.roster.expects_child_of(parent); ++asked) {
        if (asked > usher_.patience()) {
            abandon_fork(parent);
            return false;
        }
        if (auto mishap = usher_.switch_process()) return tl::unexpected(*mishap);
        Event const event = listener_.next();
        if (auto const* mishap = std::get_if<Mishap>(&event)) return tl::unexpected(*mishap);
        if (std::holds_alternative<Asleep>(event)) return false;
    }
    return true;
}

tl::expected<bool, Mishap> Conductor::await_end(spec::ProcId target) {
    unsigned unseen = 0;
    for (unsigned asked = 0;; ++asked) {
        Agent const* agent = now_.roster.find(target);
        if (agent == nullptr) return true;
        if (table_ != nullptr && has_ended(*agent)) break;
        if (table_ == nullptr && unseen > usher_.patience()) break;
        if (asked > 4 * usher_.patience()) return false;
        // It ends when the kernel next sees it, which on a hart of its own may be never.
        if (auto const hart = harts_.hart_of(target)) {
            harts_.turn_to(*hart);
            board_.raise_timer();
        } else if (auto mishap = usher_.switch_process()) {
            return tl::unexpected(*mishap);
        }
        Event const event = listener_.next();
        if (auto const* mishap = std::get_if<Mishap>(&event)) return tl::unexpected(*mishap);
        if (std::holds_alternative<Asleep>(event)) break;
        unseen = std::get<Asks>(event).who == target ? 0 : unseen + 1;
    }
    now_.roster.end(target);
    return true;
}

// ---- ends, by the kernel's process table

bool Conductor::has_ended(Agent const& agent) const {
    auto const entry = table_->find({board_.ram_start(), board_.ram()}, agent.pid);
    return !entry || entry->life == observe::Life::zombie;
}

void Conductor::sweep_ended() {
    if (table_ == nullptr) return;
    std::vector<spec::ProcId> ended;
    for (Agent const& agent : now_.roster.agents())
        if (agent.pid != 0 && has_ended(agent)) ended.push_back(agent.id);
    for (spec::ProcId id : ended) now_.roster.end_unasked(id);
}

std::vector<spec::ProcId> Conductor::collect_ended() {
    sweep_ended();
    return now_.roster.take_ended_unasked();
}

void Conductor::forget_ended(std::uint64_t pid) {
    sweep_ended();
    now_.roster.forget(pid);
}

}  // namespace vmcheck
