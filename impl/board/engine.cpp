#include "impl/board/engine.h"

#include <dlfcn.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/time.h>

#include <array>
#include <bit>
#include <cstdint>
#include <ctime>
#include <utility>

// The clock by which Unicorn sizes its TLB.
//
// Unicorn (qemu/accel/tcg/cputlb.c, tlb_mmu_resize_locked) doubles its software TLB at a flush when it seems crowded,
// and halves it when it has seemed empty for 100 ms of gettimeofday(). Its count of entries is decremented twice for an
// entry that comes back from the victim TLB; a count that has gone below zero looks like a crowd, and the TLB doubles
// at every flush, up to 16 MiB. A kernel flushes several times in each trap, and each flush clears all of it: three
// quarters of the time of stock xv6 kernels went there. By this clock 100 ms pass between any two flushes, so that a
// TLB that has grown shrinks at the next one.
//
// It takes the place of the C library's function for every shared library of the program. Unicorn is the only one here
// that asks for it; C++ clocks use clock_gettime.
extern "C" int gettimeofday(timeval* __restrict time, void* __restrict) noexcept {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    // A microsecond counts as a second.
    time->tv_sec = now.tv_sec * 1'000'000 + now.tv_nsec / 1'000;
    time->tv_usec = 0;
    return 0;
}

// What takes the place of functions of Unicorn's own.
//
// Unicorn's riscv64 code calls some of its functions by their names, as any shared library may, so that those below are
// called instead. A shared library with hidden names goes on as it was, and for another version than those that were
// looked at (2.1.2 to 2.1.4), each does what Unicorn's does. With a static library there would be two of a name.
namespace {

template <class Function>
Function* unicorn_function(char const* name) {
    return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

bool is_known_unicorn() {
    static unsigned const version = uc_version(nullptr, nullptr) >> 8;
    return version >= 0x020102 && version <= 0x020104;
}

// Before each TLB fill of a load or store Unicorn works out its pc, in case a hook asks for it: by a search for the
// block, which takes as long as all the rest. Here that is put off until one does ask.
struct PutOff {
    void* cpu = nullptr;
    std::uintptr_t host_pc = 0;
};
thread_local constinit PutOff t_put_off;

bool restore_state(void* cpu, std::uintptr_t host_pc, bool will_exit) {
    static auto* const original = unicorn_function<bool(void*, std::uintptr_t, bool)>("cpu_restore_state_riscv64");
    return original(cpu, host_pc, will_exit);
}

// After each load and store, Unicorn's code asks whether to stop: a call, before which all registers go to memory. Only
// the hooks at an address stop a run (Hart), and after those it asks as well; so does each block when it begins.
thread_local constinit bool t_translates_access = false;

// At each block and each instruction with a hook, Unicorn goes through a list of all hooks of the kind, which for
// several harts has hundreds. Here those of the engine that this thread runs are found by their address.
struct Running {
    uc_engine* engine = nullptr;
    vmcheck::board::CodeHooks const* hooks = nullptr;
};
thread_local constinit Running t_running;
constexpr int kOfCode = std::countr_zero(unsigned{UC_HOOK_CODE}), kOfBlocks = std::countr_zero(unsigned{UC_HOOK_BLOCK});

using TranslateAccess = void(void* context, void* value, void* address, std::uintptr_t index, unsigned operation);

void translate(TranslateAccess* original, void* context, void* value, void* address, std::uintptr_t index,
               unsigned operation) {
    t_translates_access = is_known_unicorn();
    original(context, value, address, index, operation);
    t_translates_access = false;
}

}  // namespace

extern "C" {

bool cpu_restore_state_riscv64(void* cpu, std::uintptr_t host_pc, bool will_exit) {
    if (will_exit || !is_known_unicorn()) return restore_state(cpu, host_pc, will_exit);
    t_put_off = {cpu, host_pc};
    return false;
}

void check_exit_request_riscv64(void* context) {
    static auto* const original = unicorn_function<void(void*)>("check_exit_request_riscv64");
    if (!t_translates_access) original(context);
}

// `kind`: the number of the bit of UC_HOOK_CODE or UC_HOOK_BLOCK, and flags that only other architectures have.
void helper_uc_tracecode(std::int32_t bytes, int kind, void* engine, std::int64_t address) {
    static auto* const original = unicorn_function<void(std::int32_t, int, void*, std::int64_t)>("helper_uc_tracecode");
    auto const at = static_cast<std::uint64_t>(address);
    // A block of no bytes is one that Unicorn could not translate.
    if (engine != t_running.engine || bytes <= 0) return original(bytes, kind, engine, address);
    if (kind == kOfBlocks)
        t_running.hooks->before_block(t_running.engine, at, static_cast<std::uint32_t>(bytes));
    else if (kind == kOfCode)
        t_running.hooks->before_instruction(t_running.engine, at, static_cast<std::uint32_t>(bytes));
    else
        original(bytes, kind, engine, address);
}

#define VMCHECK_TRANSLATE(name)                                                                      \
    void name(void* context, void* value, void* address, std::uintptr_t index, unsigned operation) { \
        static auto* const original = unicorn_function<TranslateAccess>(#name);                      \
        translate(original, context, value, address, index, operation);                              \
    }
VMCHECK_TRANSLATE(tcg_gen_qemu_ld_i32_riscv64)
VMCHECK_TRANSLATE(tcg_gen_qemu_ld_i64_riscv64)
VMCHECK_TRANSLATE(tcg_gen_qemu_st_i32_riscv64)
VMCHECK_TRANSLATE(tcg_gen_qemu_st_i64_riscv64)
#undef VMCHECK_TRANSLATE

}  // extern "C"

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
    hooks_->begin_run();
    Running const before = t_running;
    if (is_known_unicorn()) t_running = {handle(), hooks_.get()};
    uc_err const error = uc_emu_start(handle(), pc().value, 0, 0, 0);
    t_running = before;
    return error;
}

VirtAddr Engine::pc_in_fill() const {
    PutOff const fill = std::exchange(t_put_off, {});
    if (fill.cpu != nullptr) restore_state(fill.cpu, fill.host_pc, false);
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
}

std::shared_ptr<Engine::Context const> Engine::save() const {
    uc_context* context = nullptr;
    if (uc_context_alloc(handle(), &context) != UC_ERR_OK) return nullptr;
    uc_context_save(handle(), context);
    return std::shared_ptr<Context const>{new Context{context}};
}

}  // namespace vmcheck::board
