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

#include <cstdint>

namespace vmcheck::board {

// What they know of one engine.
struct Internals {
    static constexpr std::int32_t kNotToLeave = 0;

    uc_engine* engine = nullptr;
    CodeHooks hooks;
    BlockCache blocks;
    void const* block_hook = nullptr;                // the function that is called before each block, and may leave it
    std::int32_t const* is_to_leave = &kNotToLeave;  // below 0: Unicorn wants back to its main loop
    void* cpu_state = nullptr;                       // its CPURISCVState, once it has run
    std::uint64_t physical = 0;                      // where the pc is that Unicorn has asked for last
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
};

// From within the hook of blocks, once something has asked for it: back to Unicorn's main loop. Returns only where
// blocks look themselves. May be the last call of a function without a stack frame.
void leave_block(uc_engine* engine);

// From within a TLB-fill hook for a load or a store: brings the registers up to date.
void restore_state_put_off();

}  // namespace vmcheck::board
