// Exceptions and traps. Unicorn reports an exception and does nothing else; the hart's part is played here.

#include "impl/board/machine.h"

#include <algorithm>

namespace vmcheck::board {
namespace {

// As numbered by Unicorn's UC_HOOK_INTR: the exception codes of the privileged spec, but every ecall is 8.
constexpr std::uint32_t kEcall = 8;

// No handler is there to be found after so many traps at the same place without any other code in between.
constexpr unsigned kTrapLoop = 1024;

// What that costs a hart which others may go on beside, in parcels.
constexpr std::uint64_t kTrapLoopCost = std::uint64_t{1} << 20;

}  // namespace

void Hart::exception_hook(uc_engine*, std::uint32_t number, void* user) {
    static_cast<Hart*>(user)->on_exception(number);
}

void Hart::on_exception(std::uint32_t number) {
    // In this hook Unicorn shows the pc four bytes further, after instructions of two bytes as well.
    VirtAddr const pc = engine_.pc() - 4;
    switch (number) {
        case kEcall:
            return on_ecall(pc);
        case cause::illegal_instruction:
            return on_illegal_instruction(pc);
        case cause::load_misaligned:
        case cause::store_misaligned: {
            std::optional<std::uint32_t> const bits = instruction_at(pc);
            auto const access = bits ? decode_memory_access(*bits) : std::nullopt;
            if (!access) return take_trap(number, pc, 0);
            return take_trap(access->stores ? cause::store_misaligned : cause::load_misaligned, pc,
                             faulting_address(*access));
        }
        default:
            return take_trap(number, pc, 0);
    }
}

void Hart::on_ecall(VirtAddr pc) {
    switch (engine_.privilege()) {
        case Privilege::user:
            if (engine_.read_general(static_cast<unsigned>(Register::a7)) != VMCHECK_HYPERCALL) {
                return take_trap(cause::user_ecall, pc, 0);
            }
            ++machine_.counters.hypercalls;
            if (machine_.fence_at_traps) flush_tlb();
            engine_.set_pc(pc);
            state.awaiting_reply = true;
            state.waits_in_a_row = 0;
            return stop(stop::Hypercall{index_});
        case Privilege::supervisor:
            return take_trap(cause::supervisor_ecall, pc, 0);
        case Privilege::machine:
            return take_trap(cause::machine_ecall, pc, 0);
    }
}

void Hart::on_illegal_instruction(VirtAddr pc) {
    std::optional<std::uint32_t> const bits = instruction_at(pc);
    // CSR instructions are four bytes long, so the pc that Unicorn shows is already that of the next one.
    if (bits && emulate_csr(*bits)) return;
    if (bits && WatchedInstruction{*bits, pc}.fences()) machine_.memory.open_dirty_to_guest();
    take_trap(cause::illegal_instruction, pc, bits.value_or(0));
}

std::optional<std::uint32_t> Hart::instruction_at(VirtAddr pc) {
    auto at = [this](VirtAddr address, auto bits) -> std::optional<std::uint32_t> {
        auto const leaf = walk(machine_.memory, request_for(address, Access::fetch));
        if (!leaf) return std::nullopt;
        return machine_.memory.load<decltype(bits)>(leaf->address);
    };
    constexpr std::uint32_t kLow = 0xffff;
    if (pc.offset() + sizeof(std::uint32_t) <= kPageBytes) {
        std::optional<std::uint32_t> const whole = at(pc, std::uint32_t{});
        return whole && is_compressed(*whole & kLow) ? *whole & kLow : whole;
    }
    std::optional<std::uint32_t> const low = at(pc, std::uint16_t{});
    if (!low || is_compressed(*low)) return low;
    std::optional<std::uint32_t> const high = at(pc + 2, std::uint16_t{});
    if (!high) return std::nullopt;
    return *low | (*high << 16);
}

std::uint64_t Hart::faulting_address(MemoryAccess const& access) const {
    return engine_.read_general(access.base) + static_cast<std::uint64_t>(access.offset);
}

// Unicorn tells which page could not be translated, not which address: the instruction says that. Where an access
// crosses into the page that faults, stval is the start of that page (privileged spec, "stval").
void Hart::take_page_fault(Fault const& fault) {
    VirtAddr const pc = engine_.pc();
    if (fault.access == Access::fetch) {
        VirtAddr const address = pc.page() == fault.page.page() ? pc : fault.page;
        std::uint64_t const code =
            fault.outside_memory ? cause::instruction_access_fault : cause::instruction_page_fault;
        return take_trap(code, pc, address.value);
    }
    bool stores = fault.access == Access::store;
    std::uint64_t address = fault.page.value;
    if (std::optional<std::uint32_t> const bits = instruction_at(pc)) {
        if (auto const access = decode_memory_access(*bits)) {
            std::uint64_t const first = faulting_address(*access);
            if (VirtAddr{first}.page() == fault.page.page()) address = first;
            // The load half of an atomic is a store/AMO access too.
            stores = access->stores;
        }
    }
    take_trap(stores ? cause::store_page_fault : cause::load_page_fault, pc, address);
}

void Hart::take_trap(std::uint64_t cause, VirtAddr pc, std::uint64_t value) {
    if (machine_.fence_at_traps) flush_tlb();
    Privilege const from = engine_.privilege();
    bool const is_interrupt = (cause & cause::interrupt) != 0;
    engine_.set_privilege(Privilege::machine);
    TrapContext const context{from,
                              engine_.read_raw(UC_RISCV_REG_MSTATUS),
                              engine_.read_raw(UC_RISCV_REG_MEDELEG),
                              engine_.read_raw(UC_RISCV_REG_MIDELEG),
                              engine_.read_raw(UC_RISCV_REG_STVEC),
                              engine_.read_raw(UC_RISCV_REG_MTVEC)};
    TrapEntry const entry = enter_trap(context, cause);
    ++machine_.counters.traps;
    charge_trap();
    notice_trap_loop(cause, pc);
    if (entry.to == Privilege::machine && context.machine_vector == 0) {
        engine_.set_privilege(from);
        engine_.set_pc(pc);
        return stop(stop::MachineTrap{index_, cause, pc, value});
    }
    if (from == Privilege::supervisor && !is_interrupt) {
        auto const read = [&](Register which) { return VirtAddr{engine_.read_general(static_cast<unsigned>(which))}; };
        machine_.reports.kernel_fault = KernelFault{cause,
                                                    pc,
                                                    value,
                                                    read(Register::ra),
                                                    read(Register::sp),
                                                    read(Register::s0),
                                                    index_,
                                                    Parcels{machine_.clock.parcels}};
    }
    if (from == Privilege::user) state.waits_in_a_row = 0;
    bool const to_supervisor = entry.to == Privilege::supervisor;
    engine_.write_mstatus(entry.mstatus);
    engine_.write_raw(to_supervisor ? UC_RISCV_REG_SEPC : UC_RISCV_REG_MEPC, pc.value);
    engine_.write_raw(to_supervisor ? UC_RISCV_REG_SCAUSE : UC_RISCV_REG_MCAUSE, cause);
    engine_.write_raw(to_supervisor ? UC_RISCV_REG_STVAL : UC_RISCV_REG_MTVAL, value);
    if (to_supervisor) engine_.set_privilege(Privilege::supervisor);
    engine_.set_pc(entry.vector);
    // The handler may have to be interrupted in its turn.
    machine_.limits.attention = 0;
}

// A handler that traps at its first instruction (stvec or satp is garbage) goes on so for ever, and a trap takes the
// host longer than its cost in virtual time. The budget passes at once, or where there are several harts, the turn.
void Hart::notice_trap_loop(std::uint64_t cause, VirtAddr pc) {
    std::uint64_t const blocks = machine_.counters.blocks;
    bool const same = trap_row_.pc == pc && trap_row_.cause == cause && blocks - trap_row_.blocks <= 1;
    trap_row_ = {pc, cause, blocks, same ? trap_row_.repeats + 1 : 0};
    if (trap_row_.repeats < kTrapLoop) return;
    RunLimits const& limits = machine_.limits;
    if (limits.slice_end == kNever) {
        machine_.clock.parcels = std::max(machine_.clock.parcels, limits.budget_end);
    } else if (!turn_over_) {
        machine_.clock.parcels += kTrapLoopCost;
        end_turn(Pause::slice_over);
    }
}

// The CLINT's timer and software interrupts: Unicorn cannot be told of them (its mip lets only the S-mode bits be
// written), so the board takes them.
bool Hart::take_machine_interrupt(VirtAddr pc) {
    bool const timer = machine_.clock.time() >= machine_.clint.state.timer_compare[index_.value];
    bool const software = machine_.clint.state.software_interrupt[index_.value];
    if (!timer && !software) return false;
    std::uint64_t enabled = 0;
    {
        CsrWindow const window{engine_};
        enabled = engine_.read_raw(UC_RISCV_REG_MIE);
    }
    if (engine_.privilege() == Privilege::machine &&
        !(engine_.read_raw(UC_RISCV_REG_MSTATUS) & mstatus::machine_interrupts)) {
        return false;
    }
    // Software before timer (privileged spec, "Machine Interrupt Registers").
    if (software && (enabled & (1 << 3))) {
        take_trap(cause::machine_software_interrupt, pc, 0);
        return true;
    }
    if (timer && (enabled & (1 << 7))) {
        take_trap(cause::machine_timer_interrupt, pc, 0);
        return true;
    }
    return false;
}

}  // namespace vmcheck::board
