#pragma once
// Functions of Unicorn's own that others here take the place of, and what these know of an engine.
//
// Unicorn's riscv64 code calls some of its functions by their names, as any shared library may, so that those of
// unicorn_functions.cpp are called instead. A shared library with hidden names goes on as it was, and for another
// version than those that were looked at (2.1.2 to 2.1.4), each does what Unicorn's does. With a static library there
// would be two of a name.

#include "impl/board/block_cache.h"
#include "impl/board/code_hooks.h"

#include <unicorn/unicorn.h>

#include <cstddef>
#include <cstdint>

namespace vmcheck::board {

// Unicorn's CPURISCVState, of which this is known (2.1.2 to 2.1.4, qemu/target/riscv/cpu.h).
class CpuState {
  public:
    CpuState() = default;
    explicit CpuState(void* state) : at_(state) {}
    bool is_known() const { return at_ != nullptr; }
    void* at() const { return at_; }

    std::uint64_t& general(unsigned number) const { return word(std::ptrdiff_t{8} * number); }
    std::uint64_t& pc() const { return word(0x200); }
    std::uint64_t& privilege() const { return word(0x250); }
    std::uint64_t& mstatus() const { return word(0x270); }
    std::uint64_t& mip() const { return word(0x278); }
    std::uint64_t& mie() const { return word(0x288); }
    std::uint64_t& mideleg() const { return word(0x290); }
    std::uint64_t& satp() const { return word(0x2a0); }
    // Below 0: Unicorn wants back to its main loop. Before all that, in CPUNegativeOffsetState.
    std::int32_t& is_to_leave() const { return member<std::int32_t>(-0x10); }

  private:
    template <class Value>
    Value& member(std::ptrdiff_t offset) const {
        return *reinterpret_cast<Value*>(static_cast<std::byte*>(at_) + offset);
    }
    std::uint64_t& word(std::ptrdiff_t offset) const { return member<std::uint64_t>(offset); }

    void* at_ = nullptr;
};

// What they know of one engine.
struct Internals {
    static constexpr std::int32_t kNotToLeave = 0;

    uc_engine* engine = nullptr;
    CodeHooks hooks;
    BlockCache blocks;
    void const* block_hook = nullptr;                // the function that is called before each block, and may leave it
    CpuState state;                                  // once it has run; never of a version that is not known
    std::int32_t const* is_to_leave = &kNotToLeave;  // in there, where it is for the hook to ask
    std::uint64_t physical = 0;                      // where the pc is that Unicorn has asked for last
    void const* main_loop = nullptr;  // where a block goes to come back there; null until the first lookup
    std::uint64_t clock_readings = 0;

    // REQUIRED before the board writes it while the engine does not run.
    void note_new_mstatus(std::uint64_t value) {
        constexpr std::uint64_t kOfAccesses = 0xe1800;  // MXR, SUM, MPRV, MPP
        if (state.is_known() && ((state.mstatus() ^ value) & kOfAccesses) != 0) blocks.note_flush();
    }
};

// While it lives, this thread runs that engine. Nests.
class RunningHere {
  public:
    explicit RunningHere(Internals& engine);
    RunningHere(RunningHere const&) = delete;
    RunningHere& operator=(RunningHere const&) = delete;
    ~RunningHere();

  private:
    Internals* before_;
    Internals* clock_before_;
};

// From within the hook of blocks, once something has asked for it: back to Unicorn's main loop. Returns only where
// blocks look themselves. May be the last call of a function without a stack frame.
//
// It goes there by a jump over whoever has called it. ThreadSanitizer would take these for functions that still run,
// and has room for 64,000 of them: so they are not instrumented.
#define VMCHECK_IS_JUMPED_OVER __attribute__((no_sanitize("thread")))
VMCHECK_IS_JUMPED_OVER void leave_block(uc_engine* engine);

// From within a TLB-fill hook for a load or a store: brings the registers up to date.
void restore_state_put_off();

}  // namespace vmcheck::board
