#pragma once
// A hart: a Unicorn engine, and what it lacks, done in its hooks.
//
//     fill           page-table walks, dirty frames         hart_fill.cpp
//     on_exception   exceptions, traps                      hart_trap.cpp
//     emulate_csr    missing CSRs                           hart_csr.cpp
//     block_hook     time, budget, interrupts, waiting      hart_run.cpp
//     on_address     breakpoints, calls done by the host    hart_address.cpp

#include "impl/board/board.h"
#include "impl/board/clock.h"
#include "impl/board/device.h"
#include "impl/board/engine.h"
#include "impl/board/instruction.h"
#include "impl/board/memory.h"
#include "impl/board/spin_watch.h"
#include "impl/board/sv39.h"
#include "impl/board/translated_code.h"
#include "impl/board/trap.h"

#include <array>
#include <memory>
#include <optional>
#include <vector>

namespace vmcheck::board {

// Up to where the present run goes, in parcels on the clock where nothing else is said. `attention` is never later than
// the others: reaching it makes the hart look at everything; setting it to 0 makes it look before the next block.
struct RunLimits {
    std::uint64_t attention = 0;
    std::uint64_t budget_end = 0;
    std::uint64_t slice_end = kNever;  // in blocks, as counted by Counters
    std::uint64_t preempt_at = kNever;
    std::uint64_t free_host_work = 0;  // see Hart::charge_host_work
    std::uint64_t blocks_before = 0;   // by Counters, when the run began
};

// Where nothing is: the physical page that stands for all addresses without RAM or device. It reads as 0 and ignores
// writes. No device of QEMU's `virt` machine lies there.
inline constexpr PhysAddr kNothingPage{0x5000'0000};

// Instructions that the board looks for in the kernel's image, and in which bits they may differ.
inline constexpr std::uint32_t kReadHartNumber = 0xf140'2073;  // csrr rd, mhartid
inline constexpr std::uint32_t kReadHartNumberVaries = 0x0000'0f80;
inline constexpr std::uint32_t kWriteSatp = 0x1800'1073;  // csrrw rd, satp, rs
inline constexpr std::uint32_t kWriteSatpVaries = 0x000f'8f80;
inline constexpr std::uint32_t kFence = 0x1200'0073;  // sfence.vma rs1, rs2
inline constexpr std::uint32_t kFenceVaries = 0x01ff'8000;

// One that Unicorn would execute otherwise than QEMU, before which another hart may go on, or that the board is to know
// of.
struct WatchedInstruction {
    std::uint32_t bits = 0;
    VirtAddr address;
    bool updates = false;  // a store to a word that the block has loaded: find_updates()

    bool reads_hart_number() const { return (bits & ~kReadHartNumberVaries) == kReadHartNumber; }
    bool writes_satp() const { return (bits & ~kWriteSatpVaries) == kWriteSatp; }
    bool fences() const { return (bits & ~kFenceVaries) == kFence; }
};

struct BreakpointEntry {
    VirtAddr address;
    std::vector<PhysAddr> words;
    Armed armed = Armed::always;
};

class Hart {
  public:
    // What a snapshot holds besides the engine's context.
    struct State {
        std::uint64_t environment_configuration = 0;      // menvcfg
        std::uint64_t supervisor_timer_compare = kNever;  // stimecmp
        bool supervisor_timer_line = false;               // STIP as last set by the board
        bool supervisor_external_line = false;            // SEIP likewise
        bool awaiting_reply = false;                      // stopped at a hypercall, the ecall not completed
        unsigned waits_in_a_row = 0;
        bool asleep = false;  // in wfi: it has paused, and nothing has woken it yet
        bool parked = false;
        std::optional<VirtAddr> pass_breakpoint{};  // stopped at this breakpoint, not to be stopped there again
    };

    enum class Pause { stopped, slice_over, spinning, waiting };

    // The machine outlives the hart.
    static tl::expected<std::unique_ptr<Hart>, Error> create(HartIndex index, Machine& machine);
    Hart(Hart const&) = delete;
    Hart& operator=(Hart const&) = delete;

    void reset(PhysAddr entry);

    // Runs until there is a reason to stop (take_stop()), the slice is over, the hart goes round in circles (looked for
    // only where it has a slice), or it waits in wfi.
    Pause run();
    // Another hart has run since this one did. What it has stored ends a reservation (unprivileged spec, "Zalrsc"), and
    // the next store of this one to a frame with code must be seen by the others.
    void begin_turn();
    Stop take_stop() { return *std::exchange(stop_, std::nullopt); }

    // --- timers and waiting, for the machine's scheduler -----------------------------------------

    // Whether something is pending that ends a wfi (pending and enabled in mie, whatever mstatus says: privileged spec,
    // "Wait for Interrupt").
    bool wakes();
    // When the timer that the kernel uses is due, kNever when none is set.
    std::uint64_t timer_due() const;
    // The same if it can end a wfi, that is, if it is enabled in mie.
    std::uint64_t wakeful_timer_due();
    // It is due now. Requires: one is set.
    void expire_timer();
    void forget_waits() {
        state.waits_in_a_row = 0;
        state.asleep = false;
    }
    // Whether there is anything for this hart to do now.
    bool can_go_on() { return !state.parked && (!state.asleep || wakes()); }
    // The hypercall at which the hart stands will be asked again rather than completed.
    void abandon_hypercall() { state.awaiting_reply = false; }
    // The PLIC or the S-mode timer may have raised or withdrawn an interrupt. To be called as it happens, in hooks
    // too: an interrupt that was withdrawn too late would be taken for nothing.
    void refresh_supervisor_lines();

    // --- registers, state ------------------------------------------------------------------------

    std::uint64_t read(Register which) const { return engine_.read(which); }
    void write(Register which, std::uint64_t value);
    Engine const& engine() const { return engine_; }

    // From now on, S- and M-mode code at this address is looked at before it runs. Drops all translated code.
    std::optional<Error> watch(VirtAddr address) { return add_address_hook(address, address_hook); }
    // The instruction does as on QEMU from now on: `csrr rd, mhartid` tells this hart's number, a write of satp flushes
    // the TLB. A store that updates a word counts as a block of its own. A fence closes frames to the guest.
    std::optional<Error> watch(WatchedInstruction const& instruction) {
        return add_address_hook(instruction.address, instruction.updates         ? update_hook
                                                     : instruction.writes_satp() ? satp_hook
                                                     : instruction.fences()      ? fence_hook
                                                                                 : hart_number_hook);
    }
    // From now on the machine's watcher is told of each instruction.
    std::optional<Error> watch_instructions();
    // After the engine's memory has been changed by restore: nothing in its TLB holds any more.
    void restore(Engine::Context const& context, State const& saved);
    std::shared_ptr<Engine::Context const> save_context() const { return engine_.save(); }

    State state{};

  private:
    struct Fault {
        VirtAddr page;
        Access access = Access::load;
        bool outside_memory = false;  // an access fault rather than a page fault
    };
    // A device, as this hart reaches it.
    struct Port {
        Hart& hart;
        Device& device;
        DeviceRange range;
    };
    // The latest trap, and how often in a row it was the same with nothing but its own block executed in between.
    struct TrapRow {
        VirtAddr pc;
        std::uint64_t cause = 0;
        std::uint64_t blocks = 0;
        unsigned repeats = 0;
    };

    Hart(HartIndex index, Machine& machine, Engine engine);
    std::optional<Error> install();
    std::optional<Error> map_devices();
    static std::uint64_t read_device(uc_engine*, std::uint64_t offset, unsigned size, void* user);
    static void write_device(uc_engine*, std::uint64_t offset, unsigned size, std::uint64_t value, void* user);
    void flush_tlb();
    void end_reservation();
    using AddressHook = CodeHooks::Function;
    std::optional<Error> add_address_hook(VirtAddr address, AddressHook* function);

    // hart_run.cpp
    VMCHECK_IS_JUMPED_OVER static void block_hook(uc_engine*, std::uint64_t address, std::uint32_t bytes, void* user);
    VMCHECK_IS_JUMPED_OVER void on_rare_block(VirtAddr pc, std::uint32_t bytes);
    void look_at_block(VirtAddr pc, std::uint32_t bytes);
    void watch_turn(VirtAddr pc, std::uint32_t bytes);
    bool attend(VirtAddr pc);
    bool is_turn_over(VirtAddr pc);
    void end_turn(Pause why);
    std::uint64_t parcels_until(std::uint64_t block) const;
    bool accepts_interrupts() const;
    std::uint64_t next_timer_event() const;
    void charge_trap();
    static void translation_hook(uc_engine*, uc_tb* block, uc_tb* previous, void* user);
    void charge_host_work(std::uint64_t units);
    void note_reached(VirtAddr pc, std::uint32_t bytes);
    void stop(Stop reason);
    std::optional<Pause> wait();
    std::optional<Pause> resume_after(uc_err error);
    void drop_rewritten_code();

    // hart_fill.cpp
    static bool fill_hook(uc_engine*, std::uint64_t page, uc_mem_type type, uc_tlb_entry* result, void* user);
    bool fill(VirtAddr page, Access access, uc_tlb_entry& result);
    bool fill_from_memory(Translation const& leaf, Access access, uc_tlb_entry& result);
    bool fill_from_elsewhere(VirtAddr page, PhysAddr where, Access access, uc_tlb_entry& result);
    tl::expected<Translation, PageFault> translate(VirtAddr address, Access access);
    WalkRequest request_for(VirtAddr address, Access access);

    // hart_trap.cpp
    static void exception_hook(uc_engine*, std::uint32_t number, void* user);
    void on_exception(std::uint32_t number);
    void on_ecall(VirtAddr pc);
    void on_illegal_instruction(VirtAddr pc);
    void take_page_fault(Fault const& fault);
    // Takes an exception or interrupt, or records why that is impossible. `cause` as in scause.
    void take_trap(std::uint64_t cause, VirtAddr pc, std::uint64_t value);
    bool take_machine_interrupt(VirtAddr pc);
    void notice_trap_loop(std::uint64_t cause, VirtAddr pc);
    std::optional<std::uint32_t> instruction_at(VirtAddr pc);
    std::uint64_t faulting_address(MemoryAccess const& access) const;

    // hart_csr.cpp
    bool emulate_csr(std::uint32_t instruction);
    bool may_access_csr(unsigned csr);
    bool uses_supervisor_timer() const;

    // hart_address.cpp
    static AddressHook address_hook, hart_number_hook, satp_hook, fence_hook, update_hook, instruction_hook, scan_hook;
    void on_address(VirtAddr pc);
    bool accelerate(VirtAddr pc);
    void pass_over_slots(TableScan const& scan);
    void pass_over_zeros(WordScan const& scan);
    bool is_plain_memory(VirtAddr address, std::uint64_t bytes, Access access);

    HartIndex index_;
    Machine& machine_;
    Engine engine_;
    std::array<Port, 4> ports_;
    TranslatedCode code_;
    std::optional<Stop> stop_;
    std::optional<Pause> turn_over_;  // slice_over or spinning: the engine has been told to stop
    SpinWatch spin_watch_;
    bool line_raised_ = false;                // since the last look; the present block has to be left for it
    std::optional<Fault> fault_;              // why the last fill was refused
    std::optional<FrameNo> rewritten_frame_;  // or: this frame's code must be dropped first
    TrapRow trap_row_;
    bool identity_fills_ = false;  // answer every fill with the address itself
    std::vector<std::pair<VirtAddr, AddressHook*>> address_hooks_;
    bool tells_instructions_ = false;
};

}  // namespace vmcheck::board
