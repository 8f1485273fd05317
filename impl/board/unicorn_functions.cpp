#include "impl/board/unicorn_functions.h"

#include <dlfcn.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <utility>

namespace {

using vmcheck::board::BlockCache;
using vmcheck::board::CpuState;
using vmcheck::board::Internals;

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

// What each block calls to ask whether to leave it. Null before 2.1.4, whose blocks look themselves.
using AskWhetherToLeave = void(void* engine, std::uint32_t in_delay_slot);
AskWhetherToLeave* ask_whether_to_leave() {
    static auto* const function = unicorn_function<AskWhetherToLeave>("helper_check_exit_request_riscv64");
    return function;
}
// Of the translation in hand: the last call was that of the hook before each block.
thread_local constinit bool t_after_block_hook = false;

// The engine that this thread runs, and the same, but null for a version of Unicorn that is not known.
thread_local constinit Internals* t_engine = nullptr;
thread_local constinit Internals* t_running = nullptr;
constexpr int kOfCode = std::countr_zero(unsigned{UC_HOOK_CODE});

// Where an instruction is in Unicorn's RAM: by its TLB, which it fills. -1 where it is in none.
std::uint64_t physical_address(void* cpu_state, std::uint64_t pc) {
    static auto* const original = unicorn_function<std::uint64_t(void*, std::uint64_t)>("get_page_addr_code_riscv64");
    return original(cpu_state, pc);
}

// As cpu_get_tb_cpu_state() there works them out.
std::uint32_t translation_flags(CpuState state) {
    constexpr std::uint64_t kFpu = 0x6000;  // mstatus.FS
    auto const privilege = static_cast<std::uint32_t>(state.privilege());
    auto const fpu = static_cast<std::uint32_t>(state.mstatus() & kFpu);
    if (fpu == 0) return privilege;
    static auto* const has_fpu = unicorn_function<bool(void*)>("riscv_cpu_fp_enabled_riscv64");
    return has_fpu(state.at()) ? privilege | fpu : privilege;
}

// Whether an interrupt is pending that the hart may have to take now.
bool may_be_interrupted(CpuState state) {
    std::uint64_t const pending = state.mip() & state.mie();
    if (pending == 0) return false;
    constexpr std::uint64_t kSupervisor = 1, kSupervisorInterrupts = 2;  // mstatus.SIE
    return (pending & ~state.mideleg()) != 0 || state.privilege() != kSupervisor ||
           (state.mstatus() & kSupervisorInterrupts) != 0;
}

// Null: it is not known that it is where it was.
inline BlockCache::Block const* remembered_block(CpuState state, std::uint64_t pc, std::uint32_t flags) {
    BlockCache& blocks = t_running->blocks;
    BlockCache::Entry& entry = blocks.entry(pc, flags);
    if (!entry.is_of(pc, flags)) return nullptr;
    if (!blocks.holds(entry)) {
        if (physical_address(state.at(), pc) != entry.physical) return nullptr;
        blocks.hold(entry);
    }
    return entry.block;
}

[[gnu::noinline]] void const* look_block_up(void* cpu_state) {
    static auto* const original = unicorn_function<void const*(void*)>("helper_lookup_tb_ptr_riscv64");
    return original(cpu_state);
}

// Where a block has to go to come back to the main loop: where Unicorn sends it for one that is not translated yet.
// Asked for at an engine's first lookup, when no guest has come to this address, where tb_htable_lookup finds nothing.
constexpr std::uint64_t kNowhere = ~std::uint64_t{0};
[[gnu::noinline]] void const* way_to_main_loop(void* cpu_state) {
    std::uint64_t& pc = CpuState{cpu_state}.pc();
    std::uint64_t const before = std::exchange(pc, kNowhere);
    void const* const way = look_block_up(cpu_state);
    pc = before;
    return way;
}

// Of the translation in hand: the last call was that of an instruction that reads or writes a CSR.
thread_local constinit bool t_after_csr = false;

bool is_of_csr(void* function) {
    static std::array<void*, 3> const functions{dlsym(RTLD_NEXT, "helper_csrrw_riscv64"),
                                                dlsym(RTLD_NEXT, "helper_csrrs_riscv64"),
                                                dlsym(RTLD_NEXT, "helper_csrrc_riscv64")};
    return std::ranges::find(functions, function) != functions.end();
}

using TranslateAccess = void(void* context, void* value, void* address, std::uintptr_t index, unsigned operation);

void translate(TranslateAccess* original, void* context, void* value, void* address, std::uintptr_t index,
               unsigned operation) {
    t_translates_access = is_known_unicorn();
    original(context, value, address, index, operation);
    t_translates_access = false;
}

}  // namespace

// The clock by which Unicorn sizes its TLB.
//
// Unicorn (qemu/accel/tcg/cputlb.c, tlb_mmu_resize_locked) doubles its software TLB at a flush when it seems crowded,
// and halves it when it has seemed empty for 100 ms of gettimeofday(). Its count of entries is decremented twice for an
// entry that comes back from the victim TLB; a count that has gone below zero looks like a crowd, and the TLB doubles
// at every flush, up to 16 MiB. A kernel flushes several times in each trap, and each flush clears all of it: three
// quarters of the time of stock xv6 kernels went there. By this clock, which each engine has for itself, 125 ms pass
// between any two flushes, so that a TLB that has grown shrinks at the next one.
//
// It takes the place of the C library's function for every shared library of the program. Unicorn is the only one here
// that asks for it; C++ clocks use clock_gettime.
extern "C" int gettimeofday(timeval* __restrict time, void* __restrict) noexcept {
    std::uint64_t const reading = t_engine == nullptr ? 0 : ++t_engine->clock_readings;
    time->tv_sec = static_cast<std::time_t>(reading / 8);
    time->tv_usec = static_cast<suseconds_t>(reading % 8 * 125'000);
    return 0;
}

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
//
// At each instruction with a hook, Unicorn goes through a list of all hooks of the kind, which for several harts has
// hundreds. Here those of the engine that this thread runs are found by their address.
void helper_uc_tracecode(std::int32_t bytes, int kind, void* engine, std::int64_t address) {
    static auto* const original = unicorn_function<void(std::int32_t, int, void*, std::int64_t)>("helper_uc_tracecode");
    // One of no bytes is one that Unicorn could not translate.
    if (t_running == nullptr || engine != t_running->engine || kind != kOfCode || bytes <= 0)
        return original(bytes, kind, engine, address);
    t_running->hooks.before_instruction(t_running->engine, static_cast<std::uint64_t>(address),
                                        static_cast<std::uint32_t>(bytes));
}

// Unicorn writes a call into its code. That of the hook before each block is followed by one that asks whether to leave
// the block, which the hook does here itself (Engine::is_to_leave).
void tcg_gen_callN_riscv64(void* context, void* function, void* result, int count, void** arguments) {
    static auto* const original = unicorn_function<void(void*, void*, void*, int, void**)>("tcg_gen_callN_riscv64");
    bool const in_block_hook = t_running != nullptr && function == t_running->block_hook;
    bool const after_block_hook = std::exchange(t_after_block_hook, in_block_hook);
    t_after_csr = t_running != nullptr && is_of_csr(function);
    if (after_block_hook && function == reinterpret_cast<void*>(ask_whether_to_leave())) return;
    original(context, function, result, count, arguments);
}

// After an instruction for a CSR Unicorn's code goes back to the main loop, which looks for interrupts and goes on with
// the next block. Here it goes there itself, since a lookup leaves to the main loop while an interrupt is pending.
void tcg_gen_exit_tb_riscv64(void* context, void* block, unsigned exit) {
    static auto* const original = unicorn_function<void(void*, void*, unsigned)>("tcg_gen_exit_tb_riscv64");
    static auto* const go_on = unicorn_function<void(void*)>("tcg_gen_lookup_and_goto_ptr_riscv64");
    if (std::exchange(t_after_csr, false) && block == nullptr) return go_on(context);
    original(context, block, exit);
}

// A flush of the TLB, of which a kernel does several in each trap, empties Unicorn's first table of blocks, and it
// looks them up one by one in a hash table of all. Here it is only asked whether they still are where they were. From a
// block's end:
void const* helper_lookup_tb_ptr_riscv64(void* cpu_state) {
    if (t_running == nullptr) return look_block_up(cpu_state);
    if (t_running->main_loop == nullptr) t_running->main_loop = way_to_main_loop(cpu_state);
    CpuState const state{cpu_state};
    if (may_be_interrupted(state)) return t_running->main_loop;
    BlockCache::Block const* const block = remembered_block(state, state.pc(), translation_flags(state));
    return block != nullptr ? block->code : look_block_up(cpu_state);
}

// From the main loop:
BlockCache::Block const* tb_htable_lookup_riscv64(void* cpu, std::uint64_t pc, std::uint64_t cs_base,
                                                  std::uint32_t flags, std::uint32_t how) {
    using Lookup = BlockCache::Block const*(void*, std::uint64_t, std::uint64_t, std::uint32_t, std::uint32_t);
    static auto* const original = unicorn_function<Lookup>("tb_htable_lookup_riscv64");
    if (t_running == nullptr) return original(cpu, pc, cs_base, flags, how);
    if (pc == kNowhere && t_running->main_loop == nullptr) return nullptr;
    if (t_running->state.is_known())
        if (BlockCache::Block const* const block = remembered_block(t_running->state, pc, flags);
            block != nullptr && block->is_as(how))
            return block;
    BlockCache::Block const* const block = original(cpu, pc, cs_base, flags, how);
    if (block != nullptr) t_running->blocks.remember(*block, t_running->physical);
    return block;
}

std::uint64_t get_page_addr_code_riscv64(void* cpu_state, std::uint64_t pc) {
    std::uint64_t const physical = physical_address(cpu_state, pc);
    if (t_running != nullptr) {
        t_running->physical = physical;
        t_running->state = CpuState{cpu_state};
        if (ask_whether_to_leave() != nullptr) t_running->is_to_leave = &t_running->state.is_to_leave();
    }
    return physical;
}

void tlb_flush_by_mmuidx_riscv64(void* cpu, std::uint16_t which) {
    static auto* const original = unicorn_function<void(void*, std::uint16_t)>("tlb_flush_by_mmuidx_riscv64");
    if (t_running != nullptr) t_running->blocks.note_flush();
    original(cpu, which);
}

void tb_flush_riscv64(void* cpu) {
    static auto* const original = unicorn_function<void(void*)>("tb_flush_riscv64");
    if (t_running != nullptr) t_running->blocks.clear();
    original(cpu);
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

RunningHere::RunningHere(Internals& engine)
    : before_(std::exchange(t_running, is_known_unicorn() ? &engine : nullptr)),
      clock_before_(std::exchange(t_engine, &engine)) {}

RunningHere::~RunningHere() {
    t_running = before_;
    t_engine = clock_before_;
}

void leave_block(uc_engine* engine) {
    if (AskWhetherToLeave* const ask = ask_whether_to_leave()) ask(engine, 0);
}

void restore_state_put_off() {
    PutOff const fill = std::exchange(t_put_off, {});
    if (fill.cpu != nullptr) restore_state(fill.cpu, fill.host_pc, false);
}

}  // namespace vmcheck::board
