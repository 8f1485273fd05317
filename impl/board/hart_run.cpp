// Running: time, budget, interrupts, waiting.

#include "impl/board/machine.h"

#include <fmt/core.h>

#include <algorithm>

namespace vmcheck::board {
namespace {

// Bits of mip and mie (privileged spec, figure "Machine interrupt-pending register").
constexpr std::uint64_t kSupervisorTimer = 1 << 5;
constexpr std::uint64_t kMachineSoftware = 1 << 3;
constexpr std::uint64_t kMachineTimer = 1 << 7;
constexpr std::uint64_t kSupervisorExternal = 1 << 9;

// A wfi may do nothing. The scheduler of 2020 kernels executes one although a process is ready to run, so time jumps
// to the next event only when a hart has come back to wfi this often without anything in between.
constexpr unsigned kWaitsBeforeJump = 4;

// How soon to look again for a machine interrupt that is pending but not enabled.
constexpr std::uint64_t kMaskedInterruptPoll = 64;

// How soon to look again whether the user wants it to stop: some milliseconds.
constexpr std::uint64_t kStopPoll = std::uint64_t{1} << 18;

// What the host does for the guest without the guest executing anything, in units of a page-table walk or an access to
// a device. With all that belongs to it, that takes the host up to a microsecond, and the translation of a block some
// more.
constexpr std::uint64_t kTranslationUnits = 4;
constexpr std::uint64_t kUnitParcels = 512;

}  // namespace

// Called for each block that is executed, a hundred million times a minute: whatever is rare is another function's, so
// that this one has no stack frame to set up (it was a sixth of a run with one).
void Hart::block_hook(uc_engine*, std::uint64_t address, std::uint32_t bytes, void* user) {
    Hart& hart = *static_cast<Hart*>(user);
    Machine& machine = hart.machine_;
    if (machine.clock.parcels >= machine.limits.attention || machine.reports.wants_blocks()) [[unlikely]]
        return hart.on_rare_block(VirtAddr{address}, bytes);
    machine.clock.parcels += bytes / 2;
    ++machine.counters.blocks;
    if (hart.engine_.is_to_leave()) [[unlikely]]
        hart.engine_.leave_block();
}

[[gnu::noinline]] void Hart::on_rare_block(VirtAddr pc, std::uint32_t bytes) {
    look_at_block(pc, bytes);
    if (engine_.is_to_leave()) engine_.leave_block();
}

void Hart::look_at_block(VirtAddr pc, std::uint32_t bytes) {
    if (machine_.clock.parcels >= machine_.limits.attention && attend(pc)) return;
    if (machine_.reports.openings.is_on() && accepts_interrupts())
        machine_.reports.openings.add(Parcels{machine_.clock.parcels});
    machine_.clock.parcels += bytes / 2;
    ++machine_.counters.blocks;
    if (machine_.reports.trace.is_on() && engine_.privilege() == Privilege::supervisor)
        machine_.reports.trace.add(pc, bytes);
    if (machine_.reports.edges.is_on()) machine_.reports.edges.add(pc);
    if (machine_.reports.before_turn.is_on()) watch_turn(pc, bytes);
}

void Hart::watch_turn(VirtAddr pc, std::uint32_t bytes) {
    Reports& reports = machine_.reports;
    if (reports.interrupt_due && pc.value == (engine_.read_raw(UC_RISCV_REG_STVEC) & ~std::uint64_t{3})) {
        reports.interrupt_due = false;
        reports.note_turn(VirtAddr{engine_.read_raw(UC_RISCV_REG_SEPC)});
    }
    if (reports.before_turn.is_on()) reports.before_turn.add(pc, bytes);
}

void Hart::charge_trap() {
    machine_.clock.parcels += kTrapCost.value;
}

// Of S-mode. Looks at no more than the present privilege may: a change of privilege would cost a load reservation.
bool Hart::accepts_interrupts() const {
    constexpr std::uint64_t kSupervisorEnable = 1 << 1;  // sstatus.SIE
    Privilege const privilege = engine_.privilege();
    if (privilege == Privilege::supervisor) return (engine_.read_raw(UC_RISCV_REG_SSTATUS) & kSupervisorEnable) != 0;
    return privilege == Privilege::user;
}

void Hart::translation_hook(uc_engine*, uc_tb* block, uc_tb* previous, void* user) {
    Hart& hart = *static_cast<Hart*>(user);
    hart.charge_host_work(kTranslationUnits);
    if (!hart.machine_.config.reached) return;
    // Of the first block of all Unicorn tells only here.
    if (hart.machine_.counters.blocks == 1) hart.note_reached(VirtAddr{previous->pc}, previous->size);
    hart.note_reached(VirtAddr{block->pc}, block->size);
}

// Where it lies in memory, since the trampoline is executed elsewhere than it is linked. Looks at no more than the
// present privilege may: a change of privilege would cost a load reservation.
void Hart::note_reached(VirtAddr pc, std::uint32_t bytes) {
    WalkRequest request{.address = pc, .access = Access::fetch, .privilege = engine_.privilege()};
    if (request.privilege == Privilege::user) return;
    if (request.privilege == Privilege::supervisor) request.satp = engine_.read_raw(UC_RISCV_REG_SATP);
    if (auto const where = walk(machine_.memory, request))
        machine_.counters.fresh_code += machine_.config.reached->add(where->address, bytes);
}

// Code that rewrites itself, or flushes its translations, for ever, makes the host work a hundred times harder than
// its parcels say. Beyond what any sane kernel needs, that work costs virtual time, so that the budget holds for it as
// well. What is below must cost nothing: it depends on what an earlier run has left translated.
void Hart::charge_host_work(std::uint64_t units) {
    std::uint64_t& left = machine_.limits.free_host_work;
    if (left >= units) {
        left -= units;
    } else {
        machine_.clock.parcels += units * kUnitParcels;
    }
}

void Hart::stop(Stop reason) {
    if (stop_) return;  // the first reason is the one that counts
    stop_ = std::move(reason);
    engine_.stop();
}

// Whether another hart is to go on.
bool Hart::is_turn_over(VirtAddr pc) {
    std::uint64_t const blocks = machine_.counters.blocks;
    if (blocks >= machine_.limits.slice_end) {
        end_turn(Pause::slice_over);
    } else if (blocks >= spin_watch_.next_look() && spin_watch_.look(blocks, pc, engine_)) {
        end_turn(Pause::spinning);
    }
    return turn_over_.has_value();
}

void Hart::end_turn(Pause why) {
    turn_over_ = why;
    engine_.stop();
}

// The clock shows this or more when so many blocks have been executed: each is at least one parcel long.
std::uint64_t Hart::parcels_until(std::uint64_t block) const {
    std::uint64_t const now = machine_.clock.parcels;
    std::uint64_t const blocks = machine_.counters.blocks;
    return block <= blocks ? now : now + std::min(block - blocks, kNever - now);
}

// Looks at everything that may change the course of things before the block at `pc`. Returns true when the block is not
// to be executed now: the hart stops, or goes on elsewhere.
bool Hart::attend(VirtAddr pc) {
    RunLimits& limits = machine_.limits;
    if (stop_ || turn_over_) return true;
    if (machine_.config.stop.stop_requested()) {
        stop(stop::asked_to_stop());
        return true;
    }
    bool const is_code_rewritten = code_.take_flush_request();
    if (is_code_rewritten) flush_tlb();
    if (machine_.clock.parcels >= limits.budget_end) {
        stop(stop::BudgetExhausted{});
        return true;
    }
    if (limits.slice_end != kNever && is_turn_over(pc)) return true;
    if (machine_.clock.parcels >= limits.preempt_at) {
        limits.preempt_at = kNever;
        if (timer_due() != kNever) expire_timer();
        machine_.reports.interrupt_due = true;
    }
    limits.attention =
        std::min({limits.budget_end, limits.preempt_at, next_timer_event(), machine_.clock.parcels + kStopPoll});
    if (limits.slice_end != kNever) {
        std::uint64_t const block = std::min(limits.slice_end, spin_watch_.next_look());
        limits.attention = std::min(limits.attention, parcels_until(block));
    }
    if (take_machine_interrupt(pc)) return true;
    refresh_supervisor_lines();
    if (std::exchange(line_raised_, false) || is_code_rewritten) {
        // Leave the block and come back to it, so that Unicorn sees the interrupt before the block rather than some
        // blocks later; and it may be the block that was rewritten.
        engine_.set_pc(pc);
        return true;
    }
    return false;
}

// Unicorn delivers S-mode interrupts by itself once their bits in mip are set.
void Hart::refresh_supervisor_lines() {
    bool const timer = uses_supervisor_timer() && machine_.clock.time() >= state.supervisor_timer_compare;
    bool const external = machine_.plic.supervisor_external(static_cast<unsigned>(index_.value));
    if (timer == state.supervisor_timer_line && external == state.supervisor_external_line) return;
    bool const raised_timer = timer && !state.supervisor_timer_line;
    bool const raised_external = external && !state.supervisor_external_line;
    CsrWindow const window{engine_};
    std::uint64_t pending = engine_.read_raw(UC_RISCV_REG_MIP);
    // Without Sstc, STIP belongs to the kernel's M-mode code.
    if (timer != state.supervisor_timer_line) {
        pending = timer ? pending | kSupervisorTimer : pending & ~kSupervisorTimer;
    }
    pending = external ? pending | kSupervisorExternal : pending & ~kSupervisorExternal;
    engine_.write_raw(UC_RISCV_REG_MIP, pending);
    state.supervisor_timer_line = timer;
    state.supervisor_external_line = external;
    machine_.counters.external_interrupts += raised_external;
    if (raised_timer || raised_external) {
        line_raised_ = true;
        machine_.limits.attention = 0;
    }
}

std::uint64_t Hart::timer_due() const {
    return uses_supervisor_timer() ? state.supervisor_timer_compare : machine_.clint.state.timer_compare[index_.value];
}

// Where there are several harts, a jump of the clock would make the others' timers expire as well.
void Hart::expire_timer() {
    std::uint64_t const now = machine_.clock.time();
    if (machine_.config.harts == 1)
        machine_.clock.jump_to(std::max(now, timer_due()));
    else if (uses_supervisor_timer())
        state.supervisor_timer_compare = std::min(now, state.supervisor_timer_compare);
    else
        machine_.clint.state.timer_compare[index_.value] =
            std::min(now, machine_.clint.state.timer_compare[index_.value]);
}

std::uint64_t Hart::wakeful_timer_due() {
    std::uint64_t const enabled = engine_.read(Register::mie);
    return enabled & (uses_supervisor_timer() ? kSupervisorTimer : kMachineTimer) ? timer_due() : kNever;
}

// When, in parcels, a timer line will change by itself.
std::uint64_t Hart::next_timer_event() const {
    Clock const& clock = machine_.clock;
    std::uint64_t const machine_due = machine_.clint.state.timer_compare[index_.value];
    bool const machine_pending = clock.time() >= machine_due || machine_.clint.state.software_interrupt[index_.value];
    std::uint64_t event = kNever;
    if (machine_pending) {
        // Masked, or it would be taken now. M-mode code is short, and what it masks must come right after it.
        bool const in_machine_mode = engine_.privilege() == Privilege::machine;
        event = clock.parcels + (in_machine_mode ? 0 : kMaskedInterruptPoll);
    } else {
        event = clock.parcels_when(machine_due);
    }
    if (uses_supervisor_timer() && clock.time() < state.supervisor_timer_compare) {
        event = std::min(event, clock.parcels_when(state.supervisor_timer_compare));
    }
    return event;
}

bool Hart::wakes() {
    refresh_supervisor_lines();
    CsrWindow const window{engine_};
    std::uint64_t pending = engine_.read_raw(UC_RISCV_REG_MIP);
    if (machine_.clint.state.software_interrupt[index_.value]) pending |= kMachineSoftware;
    if (machine_.clock.time() >= machine_.clint.state.timer_compare[index_.value]) pending |= kMachineTimer;
    return (pending & engine_.read_raw(UC_RISCV_REG_MIE)) != 0;
}

// After a wfi. Nothing: it was a no-op.
std::optional<Hart::Pause> Hart::wait() {
    charge_trap();
    if (wakes() || ++state.waits_in_a_row <= kWaitsBeforeJump) return std::nullopt;
    state.asleep = true;
    return Pause::waiting;
}

void Hart::drop_rewritten_code() {
    FrameNo const frame = *std::exchange(rewritten_frame_, std::nullopt);
    // uc_ctl_remove_cache takes virtual addresses and looks them up by a fetch.
    flush_tlb();
    identity_fills_ = true;
    uc_ctl_remove_cache(engine_.handle(), start_of(frame).value, start_of(frame).value + kPageBytes);
    identity_fills_ = false;
    flush_tlb();
    code_.forget(frame);
    ++machine_.counters.invalidations;
}

// What uc_emu_start has come back for. Nothing: go on.
std::optional<Hart::Pause> Hart::resume_after(uc_err error) {
    if (stop_) return Pause::stopped;
    if (turn_over_) return turn_over_;
    if (error == UC_ERR_OK) return wait();
    if (rewritten_frame_) {
        drop_rewritten_code();
    } else if (fault_) {
        take_page_fault(*std::exchange(fault_, std::nullopt));
    } else {
        VirtAddr const pc = engine_.pc();
        std::optional<std::uint32_t> const bits = instruction_at(pc);
        if (bits && is_ebreak(*bits)) {
            take_trap(cause::breakpoint, pc, pc.value);
        } else {
            stop(stop::EngineError{fmt::format("Unicorn failed at pc {:#x}: {}.", pc.value, uc_strerror(error))});
        }
    }
    if (stop_) return Pause::stopped;
    return std::nullopt;
}

// Any write of PRIV does.
void Hart::end_reservation() {
    engine_.set_privilege(engine_.privilege());
}

void Hart::begin_turn() {
    end_reservation();
    flush_tlb();
}

Hart::Pause Hart::run() {
    turn_over_.reset();
    spin_watch_.begin(machine_.counters.blocks);
    state.asleep = false;
    trap_row_ = {};
    if (std::exchange(state.awaiting_reply, false)) engine_.set_pc(engine_.pc() + 4);
    while (true) {
        fault_.reset();
        rewritten_frame_.reset();
        // Before the engine starts, since a guest that faults at each fetch never enters a block. An interrupt taken
        // here has changed the pc, and the handler has to be looked at in its turn.
        while (attend(engine_.pc()) && !stop_ && !turn_over_) {
        }
        if (stop_) return Pause::stopped;
        if (turn_over_) return *turn_over_;
        if (std::optional<Pause> const pause = resume_after(engine_.start())) return *pause;
    }
}

}  // namespace vmcheck::board
