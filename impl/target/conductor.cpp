#include "impl/target/conductor.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace vmcheck {

namespace {

using board::Register;

// What each agent carries in s11. The high part tells a tag from a value that a kernel left there.
std::uint64_t tag_of(spec::ProcId id) {
    return (std::uint64_t{VMCHECK_HYPERCALL} << 32) | (id.value + 1U);
}

// satp.PPN: bits 43:0 (privileged spec, "Supervisor Address Translation and Protection Register").
FrameNo root_of(std::uint64_t satp) {
    return FrameNo{satp & ((std::uint64_t{1} << 44) - 1)};
}

std::string name_of(spec::ProcId id) {
    return fmt::format("p{}", id.value);
}

// What the kernel did when it took exception `cause` (privileged spec, table of scause values).
std::string deed_of(std::uint64_t cause) {
    switch (cause) {
        case 12:
            return "a jump to";
        case 13:
            return "a load from";
        case 15:
            return "a store to";
        default:
            return fmt::format("exception {} with stval", cause);
    }
}

// How often the console is read for a panic's message.
constexpr board::Parcels kGlance{100'000};

// The message of a panic that is the last thing on the console (panic() in xv6's kernel/printf.c prints "panic: "
// first).
std::optional<std::string> last_panic_printed(std::string_view console) {
    constexpr std::string_view kPanic = "panic: ";
    if (!console.ends_with('\n')) return std::nullopt;  // the message may still be on its way
    while (console.ends_with('\n') || console.ends_with('\r')) console.remove_suffix(1);
    std::size_t const line = console.rfind('\n');
    if (line != std::string_view::npos) console.remove_prefix(line + 1);
    if (!console.starts_with(kPanic)) return std::nullopt;
    return std::string(console.substr(kPanic.size()));
}

}  // namespace

Conductor::Conductor(board::Board& board, observe::ProcessTable const* table, KernelEntries entries,
                     std::function<std::string(VirtAddr)> where)
    : board_(board), table_(table), entries_(std::move(entries)), where_(std::move(where)) {}

observe::Ram Conductor::ram() const {
    return {board_.ram_start(), board_.ram()};
}

Agent* Conductor::find(spec::ProcId id) {
    auto at = std::find_if(now_.agents.begin(), now_.agents.end(), [&](Agent const& a) { return a.id == id; });
    return at == now_.agents.end() ? nullptr : &*at;
}
Agent const* Conductor::find(spec::ProcId id) const {
    return const_cast<Conductor*>(this)->find(id);
}

void Conductor::resume(Conversation conversation) {
    now_ = std::move(conversation);
    died_at_.reset();
}

// ---- what the machine does next
// --------------------------------------------------------------------------------------

Mishap Conductor::stuck(std::string what) {
    VirtAddr const pc{board_.read(Register::pc)};
    died_at_ = pc;
    if (auto fault = board_.last_kernel_fault()) {
        died_at_ = fault->pc;
        what += fmt::format("; the kernel took exception {} at {} (address {:#x})", fault->cause, where_(fault->pc),
                            fault->value);
    }
    return spec::Stuck{what + fmt::format("; running {}", where_(pc))};
}

Conductor::Event Conductor::next_event() {
    while (true) {
        board::Parcels const elapsed = board_.elapsed();
        if (elapsed >= deadline_) return stuck("no end within the step's budget");
        // Without symbols a panic is no breakpoint, but a message and then a loop: look for it now and then.
        if (!entries_.panic)
            if (auto message = last_panic_printed(board_.console())) return Mishap{spec::Panicked{std::move(*message)}};
        board::Parcels const slice = entries_.panic ? deadline_ - elapsed : std::min(kGlance, deadline_ - elapsed);
        if (auto event = event_of(run_board(slice))) return *event;
    }
}

// Nothing: the machine is to be run on.
std::optional<Conductor::Event> Conductor::event_of(board::Stop const& stop) {
    if (auto const* call = std::get_if<board::stop::Hypercall>(&stop)) {
        Event event = identify();
        if (auto const* asks = std::get_if<Asks>(&event)) now_.stands[call->hart.value] = asks->who;
        return event;
    }
    if (std::holds_alternative<board::stop::Idle>(stop)) return Asleep{};
    if (std::holds_alternative<board::stop::BudgetExhausted>(stop)) return std::nullopt;
    if (auto const* at = std::get_if<board::stop::Breakpoint>(&stop)) {
        if (auto mishap = at_breakpoint(at->address)) return *mishap;
        return std::nullopt;
    }
    if (auto const* trap = std::get_if<board::stop::MachineTrap>(&stop))
        return stuck(
            fmt::format("trap {} went to machine mode, which has no handler, from {}", trap->cause, where_(trap->pc)));
    engine_failure_ = std::get<board::stop::EngineError>(stop).text;
    return stuck(*engine_failure_);
}

board::Stop Conductor::run_board(board::Parcels budget) {
    if (switch_at_) {
        std::uint64_t const blocks = board_.counters().blocks;
        board_.switch_hart_after(board::Blocks{*switch_at_ - std::min(*switch_at_, blocks)});
    }
    if (interrupt_at_) {
        board::Parcels const elapsed = board_.elapsed();
        board_.preempt_after(board::Parcels{interrupt_at_->value - std::min(interrupt_at_->value, elapsed.value)});
    }
    board::Stop stop = board_.run(budget);
    // The board has done it, or the order ended just then.
    if (switch_at_ && board_.counters().blocks >= *switch_at_) switch_at_.reset();
    if (interrupt_at_ && board_.elapsed() >= *interrupt_at_) interrupt_at_.reset();
    return stop;
}

void Conductor::end_interruption() {
    interrupt_in_.reset();
    interrupt_at_.reset();
    switch_in_.reset();
    switch_at_.reset();
}

std::optional<Mishap> Conductor::at_breakpoint(VirtAddr address) {
    if (entries_.panic == address) {
        died_at_ = VirtAddr{board_.read(Register::ra) - 1};
        spec::Panicked panicked{read_string(VirtAddr{board_.read(Register::a0)})};
        // A panic that follows an exception of the kernel's own is explained by that: "kerneltrap" says nothing.
        if (auto fault = board_.last_kernel_fault(); fault && fault->at >= step_began_) {
            died_at_ = fault->pc;
            panicked.cause = fmt::format("{} {:#x} in {}", deed_of(fault->cause), fault->value, where_(fault->pc));
        }
        return panicked;
    }
    if (entries_.allocate == address) at_allocation();
    return std::nullopt;
}

void Conductor::at_allocation() {
    auto const is_empty = [&](PhysAddr head) { return board_.read_u64(head) == 0; };
    if (!entries_.free_list_heads.empty() &&
        std::all_of(entries_.free_list_heads.begin(), entries_.free_list_heads.end(), is_empty))
        now_.allocator_dry = true;
    bool const fails_now = now_.fail_allocation == 1;
    // The return address is that of the instruction behind the call.
    if ((now_.allocator_dry || fails_now) && !now_.refused_at)
        now_.refused_at = VirtAddr{board_.read(Register::ra) - 1};
    if (now_.fail_allocation == 0 || --now_.fail_allocation != 0) return;
    // The allocator returns 0 to its caller without having run.
    ++now_.allocations_failed;
    board_.write(Register::a0, 0);
    board_.write(Register::pc, board_.read(Register::ra));
}

Conductor::Event Conductor::identify() {
    FrameNo const root = root_of(board_.read(Register::satp));
    std::uint64_t const tag = board_.read(Register::s11);
    std::uint64_t const value = board_.read(Register::a0);
    auto known = std::find_if(now_.agents.begin(), now_.agents.end(), [&](Agent const& a) { return a.root == root; });
    if (known == now_.agents.end()) return welcome(root, tag, value);
    // Of two steps at a time, one may end a process and the other's fork get the frame of its page table.
    if (tag != tag_of(known->id) && is_at_work(known->id) && expects_child(tag)) {
        known->root = FrameNo{};
        return welcome(root, tag, value);
    }
    if (tag != tag_of(known->id))
        return Mishap{spec::Lost{fmt::format("{} came back with other registers: s11 was {:#x} and is {:#x}",
                                             name_of(known->id), tag_of(known->id), tag)}};
    now_.current = known->id;
    note_answer(known->id, Answered{value});
    return Asks{known->id, value, false};
}

// A page table that was not seen before: /init itself, the child of a fork, or an exec that succeeded.
Conductor::Event Conductor::welcome(FrameNo root, std::uint64_t tag, std::uint64_t value) {
    auto const accept = [&](spec::ProcId id) {
        board_.write(Register::s11, tag_of(id));
        now_.current = id;
    };
    if (now_.agents.empty()) {
        now_.agents.push_back({spec::kInit, 0, root});
        if (table_ != nullptr)
            for (std::uint64_t i = 0; i < table_->size(); ++i)
                if (auto entry = table_->read(ram(), i); entry.life == observe::Life::other && entry.root == root)
                    now_.agents.back().pid = entry.pid;
        accept(spec::kInit);
        return Asks{spec::kInit, value, true};
    }
    if (now_.exec_by && value == VMCHECK_AGENT_FRESH) {
        spec::ProcId const who = *now_.exec_by;
        if (Agent* agent = find(who)) agent->root = root;
        accept(who);
        note_answer(who, StartedAfresh{});
        return Asks{who, value, true};
    }
    auto const expected = std::find_if(now_.expected.begin(), now_.expected.end(),
                                       [&](ExpectedChild const& each) { return tag == tag_of(each.parent); });
    if (expected != now_.expected.end()) {
        if (value != 0)
            return Mishap{spec::Lost{fmt::format("fork returned {:#x} in the child, where it must return 0", value)}};
        spec::ProcId const child = expected->child;
        now_.agents.push_back({child, expected->pid, root});
        now_.expected.erase(expected);
        accept(child);
        return Asks{child, value, false};
    }
    return Mishap{spec::Lost{fmt::format(
        "a process that nobody forked runs user code (its page table is at frame {:#x}, its s11 holds {:#x})",
        root.value, tag)}};
}

std::optional<Mishap> Conductor::switch_process() {
    if (board_.harts() > 1) {
        if (give_way()) return std::nullopt;
        // The harts are interrupted one after the other: a process that was killed may stand on any of them, and ends
        // when it is.
        board::HartIndex const next{(board_.current_hart().value + 1) % board_.harts()};
        if (stands_at_hypercall(next)) turn_to(next);
    }
    if (board_.raise_timer()) return std::nullopt;
    return stuck("the kernel has no timer set, so no other process can be scheduled");
}

// ---- several harts
// -----------------------------------------------------------------------------------------------------
//
// Each hart stands at the hypercall of some process, is at work in the kernel, or waits for an interrupt. One that
// stands asks again whenever it gets a turn, so that nothing needs to be held back and a process is never lost sight
// of.

bool Conductor::stands_at_hypercall(board::HartIndex hart) const {
    std::optional<spec::ProcId> const who = now_.stands[hart.value];
    if (!who || is_at_work(*who)) return false;
    // It may have been interrupted in its turn since, and another may have come.
    Agent const* agent = find(*who);
    return agent != nullptr && board_.read(hart, Register::privilege) == 0 &&
           root_of(board_.read(hart, Register::satp)) == agent->root;
}

std::optional<board::HartIndex> Conductor::hart_of(spec::ProcId who) const {
    for (std::uint64_t i = 0; i < board_.harts(); ++i)
        if (now_.stands[i] == who && stands_at_hypercall(board::HartIndex{i})) return board::HartIndex{i};
    return std::nullopt;
}

void Conductor::turn_to(board::HartIndex hart) {
    board_.ask_again(board_.current_hart());
    board_.select_hart(hart);
}

// Lets another hart go on that is at work in the kernel, rather than interrupt this one. Every other time, since a hart
// that looks for something to do for ever seems to be at work too.
bool Conductor::give_way() {
    board::HartIndex const here = board_.current_hart();
    if (std::exchange(now_.gave_way, std::nullopt) == here) return false;
    for (std::uint64_t i = 1; i < board_.harts(); ++i) {
        board::HartIndex const other{(here.value + i) % board_.harts()};
        if (stands_at_hypercall(other) || !board_.can_go_on(other)) continue;
        turn_to(other);
        now_.gave_way = here;
        return true;
    }
    return false;
}

tl::expected<bool, Mishap> Conductor::bring_side_by_side(spec::ProcId first, spec::ProcId second) {
    if (board_.harts() < 2) return false;
    // The first keeps its hart while the other harts look for the second, and the second while the first is made ready.
    if (auto mishap = bring(second)) return tl::unexpected(*mishap);
    board::HartIndex const there = board_.current_hart();
    board_.ask_again(there);
    board_.park_hart(there, true);
    board_.select_hart(board::HartIndex{(there.value + 1) % board_.harts()});
    std::optional<Mishap> mishap;
    bool both = false;
    for (unsigned asked = 0; asked <= patience() && !both && !mishap; ++asked) {
        if (!hart_of(first)) board_.raise_timer();
        if (auto const hart = hart_of(first)) turn_to(*hart);
        Event const event = next_event();
        if (auto const* what = std::get_if<Mishap>(&event)) mishap = *what;
        if (auto const* asks = std::get_if<Asks>(&event)) both = asks->who == first;
        if (std::holds_alternative<Asleep>(event)) break;
    }
    board_.park_hart(there, false);
    if (!both) {
        turn_to(there);
        now_.current.reset();
    }
    if (mishap) return tl::unexpected(*mishap);
    return both;
}

std::optional<Mishap> Conductor::come_to_rest() {
    // More than a kernel needs to get from the last that a process does to its scheduler.
    constexpr board::Parcels kOnItsWay{20'000};
    std::optional<Mishap> mishap;
    for (std::uint64_t i = 0; board_.harts() > 1 && i < board_.harts() && !mishap; ++i) {
        board::HartIndex const hart{i};
        if (stands_at_hypercall(hart)) continue;
        turn_to(hart);
        now_.current.reset();
        for (std::uint64_t other = 0; other < board_.harts(); ++other)
            board_.park_hart(board::HartIndex{other}, other != i && stands_at_hypercall(board::HartIndex{other}));
        board::Parcels const end = board_.elapsed() + kOnItsWay;
        std::optional<Event> event;
        while (!event && board_.elapsed() < end) event = event_of(run_board(end - board_.elapsed()));
        if (auto const* what = event ? std::get_if<Mishap>(&*event) : nullptr) mishap = *what;
        for (std::uint64_t other = 0; other < board_.harts(); ++other) board_.park_hart(board::HartIndex{other}, false);
        turn_to(hart);
        now_.current.reset();
    }
    return mishap;
}

// ---- orders
// ------------------------------------------------------------------------------------------------------------

std::optional<Mishap> Conductor::wait_for_init(board::Parcels budget) {
    begin_step(budget, std::nullopt);
    Event const event = next_event();
    if (auto const* mishap = std::get_if<Mishap>(&event)) return *mishap;
    if (std::holds_alternative<Asleep>(event)) return stuck("every process sleeps, and /init has not run");
    return std::nullopt;
}

void Conductor::begin_step(board::Parcels budget, std::optional<std::uint32_t> oom) {
    step_began_ = board_.elapsed();
    deadline_ = step_began_ + budget;
    now_.fail_allocation = oom.value_or(0);
    now_.allocations_failed = 0;
    now_.allocator_dry = false;
    now_.refused_at.reset();
    order_began_.reset();
    order_ended_ = step_began_;
    blocks_at_start_ = blocks_at_end_ = board_.counters().blocks;
    now_.at_work.clear();
    now_.expected.clear();
    now_.ended_lately.clear();
    end_interruption();
    cancel_guest();
}

// How many times others may ask before a process counts as not scheduled: several rounds of a fair scheduler. Of two
// whose steps overlap, one may sleep until the other has done all of its step.
unsigned Conductor::patience() const {
    unsigned const rounds = now_.at_work.size() > 1 ? 16 : 4;
    return rounds * static_cast<unsigned>(now_.agents.size()) + 8;
}

// Of several harts, one that stands asks whenever it gets a turn, while another may be at work on a long order.
bool Conductor::has_had_its_time() const {
    if (board_.harts() == 1) return true;
    return (board_.elapsed() - step_began_).value > (deadline_ - step_began_).value / 2;
}

std::optional<Mishap> Conductor::bring(spec::ProcId who) {
    for (unsigned asked = 0; now_.current != who; ++asked) {
        if (asked > patience()) return stuck(fmt::format("{} is not scheduled any more", name_of(who)));
        if (auto const hart = board_.harts() > 1 ? hart_of(who) : std::nullopt)
            turn_to(*hart);
        else if (auto mishap = switch_process())
            return mishap;
        Event const event = next_event();
        if (auto const* mishap = std::get_if<Mishap>(&event)) return *mishap;
        if (std::holds_alternative<Asleep>(event)) return stuck("every process sleeps");
    }
    return std::nullopt;
}

Answer Conductor::give(spec::ProcId actor, Order const& order) {
    if (auto mishap = bring(actor)) return *mishap;
    board_.write(Register::t0, order.kind);
    board_.write(Register::a7, order.a7);
    board_.write(Register::a0, order.arguments[0]);
    board_.write(Register::a1, order.arguments[1]);
    board_.write(Register::a2, order.arguments[2]);
    now_.at_work.push_back({actor});
    if (!order_began_) {
        order_began_ = board_.elapsed();
        blocks_at_start_ = board_.counters().blocks;
    }
    now_.stands[board_.current_hart().value].reset();
    now_.gave_way.reset();
    if (switch_in_) {
        switch_at_ = board_.counters().blocks + std::max<std::uint64_t>(1, switch_in_->value);
        switch_in_.reset();
    }
    if (interrupt_in_) {
        interrupt_at_ = board_.elapsed() + *interrupt_in_;
        interrupt_in_.reset();
    }
    Answer answer = await_answer(actor);
    order_ended_ = board_.elapsed();
    blocks_at_end_ = board_.counters().blocks;
    std::erase_if(now_.at_work, [&](AtWork const& each) { return each.who == actor; });
    return answer;
}

Answer Conductor::give_fork(spec::ProcId parent, spec::ProcId child) {
    if (auto mishap = bring(parent)) return *mishap;
    now_.expected.push_back({parent, child});
    constexpr std::uint64_t kSysFork = 1;
    return give(parent, {VMCHECK_ORDER_SYSCALL, kSysFork, {}});
}

Answer Conductor::give_exec(spec::ProcId actor, Order const& order) {
    now_.exec_by = actor;
    Answer answer = give(actor, order);
    now_.exec_by.reset();
    return answer;
}

Answer Conductor::await_answer(spec::ProcId actor) {
    for (unsigned asked_by_others = 0;;) {
        Event const event = next_event();
        if (auto const* mishap = std::get_if<Mishap>(&event)) return *mishap;
        if (std::holds_alternative<Asleep>(event)) return Asleep{};
        if (auto answer = answer_of(actor)) return *answer;
        if (auto mishap = receive_guest(std::get<Asks>(event).who)) return *mishap;
        // It may have asked while the guest's step was done.
        if (auto answer = answer_of(actor)) return *answer;
        if (auto answer = why_absent(actor, ++asked_by_others)) return *answer;
        // The actor has left its hart to another process. The guest's hart gets no turn by itself while that one asks.
        std::optional<board::HartIndex> const guest_at = guest_ ? hart_of(guest_->who) : std::nullopt;
        if (guest_at && *guest_at != board_.current_hart())
            turn_to(*guest_at);
        else if (auto mishap = switch_process())
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

bool Conductor::is_at_work(spec::ProcId who) const {
    return std::any_of(now_.at_work.begin(), now_.at_work.end(),
                       [&](AtWork const& each) { return each.who == who && !each.answer; });
}

bool Conductor::expects_child(std::uint64_t tag) const {
    return std::any_of(now_.expected.begin(), now_.expected.end(),
                       [&](ExpectedChild const& each) { return tag == tag_of(each.parent); });
}

void Conductor::note_answer(spec::ProcId who, Answer answer) {
    for (AtWork& each : now_.at_work)
        if (each.who == who && !each.answer) each.answer = std::move(answer);
}

std::optional<Answer> Conductor::answer_of(spec::ProcId actor) const {
    auto const at =
        std::find_if(now_.at_work.begin(), now_.at_work.end(), [&](AtWork const& each) { return each.who == actor; });
    return at == now_.at_work.end() ? std::nullopt : at->answer;
}

std::optional<Answer> Conductor::why_absent(spec::ProcId actor, unsigned asked_by_others) {
    Agent const* agent = find(actor);
    if (agent == nullptr) return Vanished{};  // its end was seen, or even waited for, in the other's step
    if (table_ != nullptr && agent->pid != 0) {
        if (has_ended(*agent)) {
            move_to_ended(actor);
            return Vanished{};
        }
        if (asked_by_others > patience() && has_had_its_time()) return Asleep{};
        return std::nullopt;
    }
    // Without a process table an end and a sleep look alike: no step that vmcheck asks for may sleep.
    if (asked_by_others <= patience() || !has_had_its_time()) return std::nullopt;
    move_to_ended(actor);
    return Vanished{};
}

ExpectedChild* Conductor::expected_from(spec::ProcId parent) {
    auto const at = std::find_if(now_.expected.begin(), now_.expected.end(),
                                 [&](ExpectedChild const& each) { return each.parent == parent; });
    return at == now_.expected.end() ? nullptr : &*at;
}

void Conductor::abandon_fork(spec::ProcId parent) {
    std::erase_if(now_.expected, [&](ExpectedChild const& each) { return each.parent == parent; });
}

tl::expected<bool, Mishap> Conductor::await_child(spec::ProcId parent) {
    for (unsigned asked = 0; expected_from(parent) != nullptr; ++asked) {
        if (asked > patience()) {
            abandon_fork(parent);
            return false;
        }
        if (auto mishap = switch_process()) return tl::unexpected(*mishap);
        Event const event = next_event();
        if (auto const* mishap = std::get_if<Mishap>(&event)) return tl::unexpected(*mishap);
        if (std::holds_alternative<Asleep>(event)) return false;
    }
    return true;
}

tl::expected<bool, Mishap> Conductor::await_end(spec::ProcId target) {
    unsigned unseen = 0;
    for (unsigned asked = 0;; ++asked) {
        Agent const* agent = find(target);
        if (agent == nullptr) return true;
        if (table_ != nullptr && has_ended(*agent)) break;
        if (table_ == nullptr && unseen > patience()) break;
        if (asked > 4 * patience()) return false;
        // It ends when the kernel next sees it, which on a hart of its own may be never.
        if (auto const hart = board_.harts() > 1 ? hart_of(target) : std::nullopt) {
            turn_to(*hart);
            board_.raise_timer();
        } else if (auto mishap = switch_process()) {
            return tl::unexpected(*mishap);
        }
        Event const event = next_event();
        if (auto const* mishap = std::get_if<Mishap>(&event)) return tl::unexpected(*mishap);
        if (std::holds_alternative<Asleep>(event)) break;
        unseen = std::get<Asks>(event).who == target ? 0 : unseen + 1;
    }
    move_to_ended(target);
    return true;
}

// ---- who is who
// ----------------------------------------------------------------------------------------------------------

bool Conductor::has_ended(Agent const& agent) const {
    auto const entry = table_->find(ram(), agent.pid);
    return !entry || entry->life == observe::Life::zombie;
}

void Conductor::move_to_ended(spec::ProcId id) {
    auto at = std::find_if(now_.agents.begin(), now_.agents.end(), [&](Agent const& a) { return a.id == id; });
    if (at == now_.agents.end()) return;
    now_.ended.push_back(*at);
    now_.agents.erase(at);
    if (now_.current == id) now_.current.reset();
}

void Conductor::sweep_ended() {
    if (table_ == nullptr) return;
    std::vector<spec::ProcId> ended;
    for (Agent const& agent : now_.agents)
        if (agent.pid != 0 && has_ended(agent)) ended.push_back(agent.id);
    for (spec::ProcId id : ended) move_to_ended(id);
    now_.ended_lately.insert(now_.ended_lately.end(), ended.begin(), ended.end());
}

std::vector<spec::ProcId> Conductor::collect_ended() {
    sweep_ended();
    return std::exchange(now_.ended_lately, {});
}

void Conductor::forget_ended(std::uint64_t pid) {
    sweep_ended();
    // Without a process table this is how the end of a process at work comes to be known.
    for (AtWork const& each : now_.at_work)
        if (Agent const* agent = find(each.who); agent != nullptr && agent->pid == pid && pid != 0) {
            move_to_ended(each.who);
            break;
        }
    std::erase_if(now_.ended, [&](Agent const& agent) { return agent.pid == pid; });
}

void Conductor::set_pid(spec::ProcId id, std::uint64_t pid) {
    if (Agent* agent = find(id)) agent->pid = pid;
    for (ExpectedChild& each : now_.expected)
        if (each.child == id) each.pid = pid;
}

std::optional<std::uint64_t> Conductor::pid_of(spec::ProcId id) const {
    if (Agent const* agent = find(id)) return agent->pid;
    for (Agent const& agent : now_.ended)
        if (agent.id == id) return agent.pid;
    return std::nullopt;
}

std::string Conductor::read_string(VirtAddr at) const {
    constexpr std::size_t kLongest = 80;
    std::string text;
    while (text.size() < kLongest) {
        auto const place = board_.translate(board_.read(Register::satp), at + text.size(), board::Access::load,
                                            board::Privilege::supervisor);
        auto const byte = place ? board_.read_u8(place->address) : std::nullopt;
        if (!byte || *byte == 0) break;
        text += *byte >= 0x20 && *byte < 0x7f ? static_cast<char>(*byte) : *byte == '\n' ? '\n' : '?';
    }
    // Some kernels end the message with a line end of its own.
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

}  // namespace vmcheck
