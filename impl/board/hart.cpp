#include "impl/board/hart.h"

#include "impl/board/machine.h"

#include <fmt/core.h>

#include <algorithm>

namespace vmcheck::board {
namespace {

std::uint64_t read_nothing(uc_engine*, std::uint64_t, unsigned, void*) {
    return 0;
}
void write_nothing(uc_engine*, std::uint64_t, unsigned, std::uint64_t, void*) {}

Error unicorn_error(char const* what, uc_err error) {
    return Error{fmt::format("Unicorn could not {}: {}.", what, uc_strerror(error))};
}

}  // namespace

Hart::Hart(HartIndex index, Machine& machine, Engine engine)
    : index_(index),
      machine_(machine),
      engine_(std::move(engine)),
      ports_{{{*this, machine.clint, kClintRange},
              {*this, machine.plic, kPlicRange},
              {*this, machine.uart, kUartRange},
              {*this, machine.block_device, kDiskRange}}},
      code_(machine.memory) {
    machine_.memory.add_listener(code_);
}

tl::expected<std::unique_ptr<Hart>, Error> Hart::create(HartIndex index, Machine& machine) {
    tl::expected<Engine, Error> engine = Engine::open();
    if (!engine) return tl::unexpected(engine.error());
    // Hooks hold the hart's address, so it never moves.
    std::unique_ptr<Hart> hart{new Hart{index, machine, std::move(*engine)}};
    if (std::optional<Error> error = hart->install()) return tl::unexpected(*error);
    return hart;
}

std::uint64_t Hart::read_device(uc_engine*, std::uint64_t offset, unsigned size, void* user) {
    Port& port = *static_cast<Port*>(user);
    port.hart.charge_host_work(1);
    return port.device.read(offset, size);
}

void Hart::write_device(uc_engine*, std::uint64_t offset, unsigned size, std::uint64_t value, void* user) {
    Port& port = *static_cast<Port*>(user);
    port.hart.charge_host_work(1);
    port.device.write(offset, size, value);
    // A disk has written to code.
    if (port.hart.code_.flush_requested()) port.hart.machine_.limits.attention = 0;
}

std::optional<Error> Hart::map_devices() {
    uc_engine* const engine = engine_.handle();
    for (Port& port : ports_) {
        uc_err const error =
            uc_mmio_map(engine, port.range.start.value, port.range.bytes, read_device, &port, write_device, &port);
        if (error != UC_ERR_OK) return unicorn_error("map a device", error);
    }
    uc_err const error =
        uc_mmio_map(engine, kNothingPage.value, kPageBytes, read_nothing, nullptr, write_nothing, nullptr);
    if (error != UC_ERR_OK) return unicorn_error("map the page that stands for nothing", error);
    return std::nullopt;
}

std::optional<Error> Hart::install() {
    uc_engine* const engine = engine_.handle();
    Memory& memory = machine_.memory;
    if (uc_err const error = uc_mem_map_ptr(engine, kRamStart.value, memory.size(), UC_PROT_ALL, memory.host_base());
        error != UC_ERR_OK) {
        return unicorn_error("map the guest's RAM", error);
    }
    if (std::optional<Error> error = map_devices()) return error;

    for (uc_err const error :
         {engine_.add_hook(UC_HOOK_TLB_FILL, fill_hook, this), engine_.add_hook(UC_HOOK_INTR, exception_hook, this),
          engine_.add_block_hook(block_hook, this), engine_.add_hook(UC_HOOK_EDGE_GENERATED, translation_hook, this)})
        if (error != UC_ERR_OK) return unicorn_error("install a hook", error);
    Config const& config = machine_.config;
    for (std::optional<VirtAddr> const& routine : {config.memset_at, config.memmove_at, config.memcpy_at}) {
        if (!routine) continue;
        if (std::optional<Error> error = watch(*routine)) return error;
    }
    for (TableScan const& scan : config.scans)
        if (std::optional<Error> error = add_address_hook(scan.at, scan_hook)) return error;
    for (WordScan const& scan : config.word_scans)
        if (std::optional<Error> error = add_address_hook(scan.at, scan_hook)) return error;
    return std::nullopt;
}

std::optional<Error> Hart::add_address_hook(VirtAddr address, AddressHook* function) {
    std::pair<VirtAddr, AddressHook*> const hook{address, function};
    if (std::ranges::find(address_hooks_, hook) != address_hooks_.end()) return std::nullopt;
    // Blocks that were translated without the hook would pass it by.
    engine_.flush_code();
    code_.forget_all();
    address_hooks_.push_back(hook);
    uc_err const error = engine_.add_address_hook(address, function, this);
    if (error != UC_ERR_OK) return unicorn_error("install a hook at an address", error);
    return std::nullopt;
}

std::optional<Error> Hart::watch_instructions() {
    if (std::exchange(tells_instructions_, true)) return std::nullopt;
    engine_.flush_code();
    code_.forget_all();
    if (uc_err const error = engine_.add_hook(UC_HOOK_CODE, instruction_hook, this); error != UC_ERR_OK)
        return unicorn_error("install a hook at every instruction", error);
    return std::nullopt;
}

void Hart::reset(PhysAddr entry) {
    engine_.set_privilege(Privilege::machine);
    for (unsigned number = 1; number < 32; ++number) engine_.write_general(number, 0);
    for (Register const which :
         {Register::mstatus, Register::mie, Register::mip, Register::mtvec, Register::medeleg, Register::mideleg,
          Register::satp, Register::stvec, Register::sepc, Register::scause, Register::stval, Register::sscratch,
          Register::mepc, Register::mcause, Register::mtval, Register::mscratch}) {
        engine_.write(which, 0);
    }
    engine_.write_general(static_cast<unsigned>(Register::a0), index_.value);
    engine_.set_pc(VirtAddr{entry.value});
    flush_tlb();
    state = State{};
    stop_.reset();
    line_raised_ = false;
}

void Hart::flush_tlb() {
    engine_.flush_tlb();
    // Of several harts, another may hold translations of its own.
    if (machine_.config.harts == 1) machine_.memory.close_to_guest();
}

void Hart::write(Register which, std::uint64_t value) {
    engine_.write(which, value);
    if (which == Register::pc) {
        state.awaiting_reply = false;
        state.pass_breakpoint.reset();
    }
    // A new table, or other rights: nothing that was translated so far may be used.
    if (which == Register::satp || which == Register::privilege || which == Register::mstatus ||
        which == Register::sstatus) {
        flush_tlb();
    }
}

void Hart::restore(Engine::Context const& context, State const& saved) {
    engine_.restore(context);
    flush_tlb();
    state = saved;
    stop_.reset();
    line_raised_ = false;
    // Unicorn keeps "an interrupt may be pending" outside the context; writing mip works it out again.
    CsrWindow const window{engine_};
    engine_.write_raw(UC_RISCV_REG_MIP, engine_.read_raw(UC_RISCV_REG_MIP));
}

}  // namespace vmcheck::board
