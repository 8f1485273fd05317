#pragma once
// The whole machine behind Board: memory, devices, harts, and whose turn it is. It never moves, since engines hold
// addresses of its parts.

#include "impl/board/board.h"
#include "impl/board/clint.h"
#include "impl/board/console.h"
#include "impl/board/disk.h"
#include "impl/board/hart.h"
#include "impl/board/memory.h"
#include "impl/board/plic.h"
#include "impl/board/reports.h"
#include "impl/board/uart.h"
#include "impl/board/virtio_block.h"

#include <memory>
#include <vector>

namespace vmcheck::board {

namespace stop {
inline EngineError asked_to_stop() {
    return {"It was asked to stop."};
}
}  // namespace stop

// Everything of a machine that is neither RAM, nor disk, nor an engine's registers.
struct MachineState {
    Clock clock;
    Clint::State clint;
    Plic::State plic;
    Uart::State uart;
    VirtioBlock::State block_device;
    Console::Mark console;
    std::array<Hart::State, kHartsMax> harts{};
    unsigned turn = 0;
    std::optional<unsigned> ran_last{};
};

// The parts of a snapshot that golden images and checkpoints have in common.
struct Snapshot {
    MachineState state;
    std::vector<WatchedInstruction> watched;
    std::vector<std::shared_ptr<Engine::Context const>> contexts;  // one per hart
};

// Where a trial began, but for RAM.
struct Trial {
    Snapshot snapshot;
    Disk::Written disk;
};

class Machine {
  public:
    static tl::expected<std::unique_ptr<Machine>, Error> create(Config config);
    Machine(Machine const&) = delete;
    Machine& operator=(Machine const&) = delete;

    void reset(PhysAddr entry);
    Stop run(Parcels budget);
    bool raise_timer();
    void preempt_after(Parcels after) { preempt_after_ = after; }
    void switch_hart_after(Blocks after) { switch_hart_after_ = after; }
    void select_hart(HartIndex hart) { turn_ = static_cast<unsigned>(hart.value); }
    std::optional<Error> add_breakpoint(VirtAddr address, std::vector<PhysAddr> words);
    void arm_breakpoint(VirtAddr address, Armed when);
    std::optional<Error> watch_instructions(InstructionWatcher* watcher);

    Hart& current() { return *harts_[turn_]; }
    Hart const& current() const { return *harts_[turn_]; }
    HartIndex current_index() const { return HartIndex{turn_}; }
    Hart& hart(HartIndex index) { return *harts_[index.value]; }
    Hart const& hart(HartIndex index) const { return *harts_[index.value]; }
    unsigned harts() const { return static_cast<unsigned>(harts_.size()); }

    MachineState state() const;
    Snapshot capture() const;
    // Everything but RAM and disk, which the caller has put back already. Requires: as many harts.
    void apply(Snapshot const& snapshot);
    // Watches what the snapshot's machine watched: that is decided at reset, which an adopting machine never saw.
    std::optional<Error> watch_all(std::vector<WatchedInstruction> watched);

    // The parts, in the order in which they need each other.
    Config config;
    Counters counters;
    Reports reports;
    Memory memory;
    Disk disk;
    Clock clock;
    RunLimits limits;
    Console console;
    Clint clint;
    Plic plic;
    Uart uart;
    VirtioBlock block_device;
    std::vector<BreakpointEntry> breakpoints;
    std::shared_ptr<Golden const> golden;
    std::optional<Trial> trial;
    bool fence_at_traps = false;
    bool may_pass_over_idle = true;  // by loops over tables (Config::scans)
    // In a trial nobody counts what is executed.
    bool passes_over_idle() const { return may_pass_over_idle || trial; }
    InstructionWatcher* watcher = nullptr;

  private:
    Machine(Config given, Memory ram);
    std::optional<Error> add_harts();
    // Looks for the instructions to watch in RAM: in the kernel's image, at reset.
    void find_instructions();
    void find_updates_in_image();
    // Makes it the turn of a hart that can go on: of the present one if it can. False: none can.
    bool give_turn();
    // Every hart waits: time jumps to the first timer that can wake one. Returns false when there is none.
    bool jump_to_next_event();
    void next_turn() { turn_ = (turn_ + 1) % harts(); }

    std::vector<std::unique_ptr<Hart>> harts_;
    unsigned turn_ = 0;
    std::optional<unsigned> ran_last_;  // which hart ran last, since reset or restore
    std::vector<WatchedInstruction> watched_;
    std::optional<Parcels> preempt_after_;
    std::optional<Blocks> switch_hart_after_;
    std::optional<Error> failure_;  // of reset(): told by run()
};

}  // namespace vmcheck::board
