#include "impl/board/engine.h"

#include <fmt/core.h>
#include <sys/mman.h>

#include <array>
#include <cstdint>

namespace vmcheck::board {
namespace {

// Enough for every block of a teaching kernel; when it is full, Unicorn drops all translations and starts over.
constexpr std::uint32_t kCodeBufferBytes = 64u << 20;

// Unicorn ends the whole process, with the exit code of a finding, when it does not get its code buffer.
bool has_room_for_code() {
    constexpr std::size_t kBytes = kCodeBufferBytes + (std::size_t{16} << 20);
    void* const room = mmap(nullptr, kBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return room != MAP_FAILED && munmap(room, kBytes) == 0;
}

// In the order of Register, from pc on.
constexpr std::array kNumbers{UC_RISCV_REG_PC,       UC_RISCV_REG_PRIV, UC_RISCV_REG_SATP,   UC_RISCV_REG_SSTATUS,
                              UC_RISCV_REG_STVEC,    UC_RISCV_REG_SEPC, UC_RISCV_REG_SCAUSE, UC_RISCV_REG_STVAL,
                              UC_RISCV_REG_SSCRATCH, UC_RISCV_REG_SIE,  UC_RISCV_REG_SIP,    UC_RISCV_REG_MSTATUS,
                              UC_RISCV_REG_MTVEC,    UC_RISCV_REG_MEPC, UC_RISCV_REG_MCAUSE, UC_RISCV_REG_MTVAL,
                              UC_RISCV_REG_MSCRATCH, UC_RISCV_REG_MIE,  UC_RISCV_REG_MIP,    UC_RISCV_REG_MEDELEG,
                              UC_RISCV_REG_MIDELEG};
static_assert(kNumbers.size() == static_cast<unsigned>(Register::count_) - static_cast<unsigned>(Register::pc));

constexpr int unicorn_number(Register which) {
    if (which < Register::pc) return UC_RISCV_REG_X0 + static_cast<int>(which);
    return kNumbers[static_cast<unsigned>(which) - static_cast<unsigned>(Register::pc)];
}

constexpr bool is_csr(Register which) {
    return which > Register::privilege;
}

}  // namespace

tl::expected<Engine, Error> Engine::open() {
    uc_engine* raw = nullptr;
    auto failure = [](char const* what, uc_err error) {
        return tl::unexpected(Error{fmt::format("Unicorn could not {}: {}.", what, uc_strerror(error))});
    };
    if (!has_room_for_code())
        return tl::unexpected(Error{"Could not get the memory that Unicorn translates code into."});
    if (uc_err const error = uc_open(UC_ARCH_RISCV, UC_MODE_RISCV64, &raw); error != UC_ERR_OK) {
        return failure("make a RISC-V engine", error);
    }
    Engine engine{raw};
    if (uc_err const error = uc_ctl_set_tcg_buffer_size(raw, kCodeBufferBytes); error != UC_ERR_OK) {
        return failure("set the size of its code buffer", error);
    }
    // Otherwise each uc_emu_start looks its `until` address up through the TLB hook.
    if (uc_err const error = uc_ctl_exits_enable(raw); error != UC_ERR_OK) {
        return failure("run without an exit address", error);
    }
    if (uc_err const error = uc_ctl_tlb_mode(raw, UC_TLB_VIRTUAL); error != UC_ERR_OK) {
        return failure("leave address translation to the board", error);
    }
    return engine;
}

uc_err Engine::start() {
    internals_->hooks.begin_run();
    RunningHere const here{*internals_};
    return uc_emu_start(handle(), pc().value, 0, 0, 0);
}

VirtAddr Engine::pc_in_fill() const {
    restore_state_put_off();
    return pc();
}

std::uint64_t Engine::read(Register which) const {
    if (!is_csr(which)) return read_raw(unicorn_number(which));
    // Reading changes nothing but the privilege, which the window puts back.
    CsrWindow const window{const_cast<Engine&>(*this)};
    return read_raw(unicorn_number(which));
}

void Engine::write(Register which, std::uint64_t value) {
    if (which == Register::x0) return;
    if (!is_csr(which)) return write_raw(unicorn_number(which), value);
    CsrWindow const window{*this};
    write_raw(unicorn_number(which), value);
    internals_->blocks.note_flush();  // of satp and mstatus it is one
}

std::shared_ptr<Engine::Context const> Engine::save() const {
    uc_context* context = nullptr;
    if (uc_context_alloc(handle(), &context) != UC_ERR_OK) return nullptr;
    uc_context_save(handle(), context);
    return std::shared_ptr<Context const>{new Context{context}};
}

}  // namespace vmcheck::board
