#include "impl/board/machine.h"

#include <fmt/core.h>

#include <algorithm>

namespace vmcheck::board {
namespace {

constexpr std::uint64_t kRamBytesMin = std::uint64_t{1} << 20;
constexpr std::uint64_t kRamBytesMax = std::uint64_t{1} << 30;

// Page-table walks, and how many blocks a kernel executes for each one that it may do later; one that fills 128 MiB of
// memory needs a twentieth of that in all.
constexpr std::uint64_t kFreeHostWork = std::uint64_t{1} << 20;
constexpr std::uint64_t kBlocksForAWalk = 8;

// A kernel writes satp in a handful of places. An image that is full of such instructions would need a hook for each;
// the ones after these run as Unicorn runs them. Stores that update a word come after them.
constexpr std::size_t kWatchedMax = 256, kUpdatesMax = 512, kFencesMax = 16;

// Where kernels of the xv6 family map their trampoline, which has the fences of every trap (TRAMPOLINE in memlayout.h).
constexpr Vpn kTrampoline{0x3ff'ffff};

std::optional<Error> check(Config const& config) {
    if (config.ram_bytes % kPageBytes != 0 || config.ram_bytes < kRamBytesMin || config.ram_bytes > kRamBytesMax) {
        return Error{fmt::format("The board's RAM must be a multiple of 4 KiB from 1 MiB to 1 GiB, not {} bytes.",
                                 config.ram_bytes)};
    }
    if (config.harts < 1 || config.harts > kHartsMax) {
        return Error{fmt::format("The board has 1 to {} harts, not {}.", kHartsMax, config.harts)};
    }
    if (config.parcels_per_time_unit.value == 0) {
        return Error{"Virtual time must advance by at least one parcel a unit."};
    }
    if (config.hart_slice < kHartSliceMin) {
        return Error{fmt::format("A hart's turn must last at least {} blocks, not {}.", kHartSliceMin.value,
                                 config.hart_slice.value)};
    }
    return std::nullopt;
}

}  // namespace

tl::expected<std::unique_ptr<Machine>, Error> Machine::create(Config config) {
    if (std::optional<Error> error = check(config)) return tl::unexpected(*error);
    tl::expected<Memory, Error> memory = Memory::create(config.ram_bytes);
    if (!memory) return tl::unexpected(memory.error());
    std::unique_ptr<Machine> machine{new Machine{std::move(config), std::move(*memory)}};
    if (std::optional<Error> error = machine->add_harts()) return tl::unexpected(*error);
    machine->reset(kRamStart);
    return machine;
}

Machine::Machine(Config given, Memory ram)
    : config(std::move(given)),
      reports(config.trace_blocks_max),
      memory(std::move(ram)),
      disk(std::exchange(config.disk_image, {})),
      console(config.console_bytes_max),
      clint(clock, [this] { limits.attention = 0; }),
      plic([this] {
          for (std::unique_ptr<Hart> const& hart : harts_) hart->refresh_supervisor_lines();
      }),
      uart(console, plic),
      block_device(config.disk_interface, memory, disk, plic, clock, counters) {
    clock.parcels_per_unit = config.parcels_per_time_unit.value;
}

std::optional<Error> Machine::add_harts() {
    for (unsigned index = 0; index < config.harts; ++index) {
        tl::expected<std::unique_ptr<Hart>, Error> hart = Hart::create(HartIndex{index}, *this);
        if (!hart) return hart.error();
        harts_.push_back(std::move(*hart));
    }
    return std::nullopt;
}

void Machine::find_instructions() {
    watched_.clear();
    std::vector<WatchedInstruction> fences;
    // RAM was clear before the image was loaded, so the image lies in dirty frames.
    for (FrameNo const frame : memory.dirty_frames()) {
        for (std::uint64_t offset = 0; offset < kPageBytes; offset += 2) {
            PhysAddr const at = start_of(frame) + offset;
            WatchedInstruction const found{memory.load<std::uint32_t>(at).value_or(0), VirtAddr{at.value}};
            if ((harts() > 1 && found.reads_hart_number()) || (config.flush_on_satp_write && found.writes_satp()))
                watched_.push_back(found);
            if (watched_.size() == kWatchedMax) return;
            if (found.fences() && fences.size() < kFencesMax) fences.push_back(found);
        }
    }
    if (harts() > 1) return find_updates_in_image();
    for (WatchedInstruction fence : fences) {
        watched_.push_back(fence);
        fence.address = start_of(kTrampoline) + fence.address.offset();
        watched_.push_back(fence);
    }
}

void Machine::find_updates_in_image() {
    std::vector<FrameNo> frames(memory.dirty_frames().begin(), memory.dirty_frames().end());
    std::ranges::sort(frames);
    std::size_t const most = watched_.size() + kUpdatesMax;
    for (FrameNo const frame : frames)
        for (std::uint64_t const offset : find_updates(memory.frame(frame), VirtAddr{start_of(frame).value})) {
            if (watched_.size() == most) return;
            watched_.push_back({.address = VirtAddr{start_of(frame).value + offset}, .updates = true});
        }
}

std::optional<Error> Machine::watch_all(std::vector<WatchedInstruction> watched) {
    watched_ = std::move(watched);
    for (WatchedInstruction const& instruction : watched_)
        for (std::unique_ptr<Hart> const& hart : harts_)
            if (std::optional<Error> error = hart->watch(instruction)) return error;
    return std::nullopt;
}

void Machine::reset(PhysAddr entry) {
    clock.parcels = 0;
    clock.jump_to(0);
    clint.state = {};
    plic.state = {};
    uart.state = {};
    block_device.state = {};
    reports.clear();
    limits.free_host_work = kFreeHostWork;
    turn_ = 0;
    ran_last_.reset();
    for (std::unique_ptr<Hart> const& hart : harts_) hart->reset(entry);
    find_instructions();
    failure_ = watch_all(watched_);
}

Stop Machine::run(Parcels budget) {
    if (failure_) return stop::EngineError{failure_->message};
    if (config.stop.stop_requested()) return stop::asked_to_stop();
    reports.begin_run();
    std::uint64_t const start = clock.parcels;
    limits.budget_end = start + std::clamp<std::uint64_t>(budget.value, 1, kNever - start);
    std::optional<Parcels> const preempt = std::exchange(preempt_after_, std::nullopt);
    std::uint64_t const earned =
        (counters.blocks - std::exchange(limits.blocks_before, counters.blocks)) / kBlocksForAWalk;
    limits.free_host_work = std::min(kFreeHostWork, limits.free_host_work + earned);
    limits.preempt_at = preempt ? start + std::min(preempt->value, kNever - start) : kNever;
    std::optional<Blocks> slice = std::exchange(switch_hart_after_, std::nullopt);
    while (true) {
        limits.attention = 0;
        bool const asked = slice.has_value();
        if (!give_turn()) return stop::Idle{};
        if (harts() > 1) {
            if (ran_last_ != turn_) current().begin_turn();
            ran_last_ = turn_;
            std::uint64_t const blocks = std::exchange(slice, std::nullopt).value_or(config.hart_slice).value;
            limits.slice_end = counters.blocks + std::min(blocks, kNever - 1 - counters.blocks);
        }
        Hart::Pause const pause = current().run();
        if (pause == Hart::Pause::stopped) return current().take_stop();
        if (asked && pause == Hart::Pause::slice_over) reports.note_turn(VirtAddr{current().read(Register::pc)});
        next_turn();
    }
}

bool Machine::give_turn() {
    for (unsigned i = 0; i < harts(); ++i, next_turn()) {
        if (current().can_go_on()) return true;
    }
    if (!jump_to_next_event()) return false;
    while (current().state.parked) next_turn();
    return true;
}

bool Machine::jump_to_next_event() {
    std::uint64_t event = kNever;
    for (std::unique_ptr<Hart> const& hart : harts_) {
        if (!hart->state.parked) event = std::min(event, hart->wakeful_timer_due());
        hart->forget_waits();
    }
    if (event == kNever) return false;
    clock.jump_to(std::max(event, clock.time()));
    return true;
}

bool Machine::raise_timer() {
    if (current().timer_due() == kNever) return false;
    current().abandon_hypercall();
    current().expire_timer();
    return true;
}

std::optional<Error> Machine::add_breakpoint(VirtAddr address, std::vector<PhysAddr> words) {
    auto const known = std::ranges::find(breakpoints, address, &BreakpointEntry::address);
    if (known != breakpoints.end()) {
        known->armed = Armed::always;
        return std::nullopt;
    }
    breakpoints.push_back({address, std::move(words)});
    for (std::unique_ptr<Hart> const& hart : harts_) {
        if (std::optional<Error> error = hart->watch(address)) return error;
    }
    return std::nullopt;
}

void Machine::arm_breakpoint(VirtAddr address, Armed when) {
    auto const known = std::ranges::find(breakpoints, address, &BreakpointEntry::address);
    if (known != breakpoints.end()) known->armed = when;
}

std::optional<Error> Machine::watch_instructions(InstructionWatcher* whom) {
    watcher = whom;
    for (std::unique_ptr<Hart> const& hart : harts_) {
        if (std::optional<Error> error = hart->watch_instructions()) return error;
    }
    return std::nullopt;
}

MachineState Machine::state() const {
    MachineState state;
    state.clock = clock;
    state.clint = clint.state;
    state.plic = plic.state;
    state.uart = uart.state;
    state.block_device = block_device.state;
    state.console = console.mark();
    state.turn = turn_;
    state.ran_last = ran_last_;
    for (unsigned i = 0; i < harts(); ++i) state.harts[i] = harts_[i]->state;
    return state;
}

Snapshot Machine::capture() const {
    Snapshot snapshot;
    snapshot.state = state();
    snapshot.watched = watched_;
    for (std::unique_ptr<Hart> const& hart : harts_) snapshot.contexts.push_back(hart->save_context());
    return snapshot;
}

void Machine::apply(Snapshot const& snapshot) {
    MachineState const& state = snapshot.state;
    clock = state.clock;
    clint.state = state.clint;
    plic.state = state.plic;
    uart.state = state.uart;
    block_device.state = state.block_device;
    console.rewind(state.console);
    turn_ = state.turn;
    ran_last_ = state.ran_last;
    preempt_after_.reset();
    switch_hart_after_.reset();
    reports.clear();
    limits.free_host_work = kFreeHostWork;
    for (unsigned i = 0; i < harts(); ++i) harts_[i]->restore(*snapshot.contexts[i], state.harts[i]);
    memory.close_to_guest();  // their TLBs are empty
}

}  // namespace vmcheck::board
