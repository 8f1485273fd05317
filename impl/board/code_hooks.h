#pragma once
// What of one engine is called before instructions.

#include "spec/address.h"

#include <unicorn/unicorn.h>

#include <cstdint>
#include <vector>

namespace vmcheck::board {

class CodeHooks {
  public:
    // As Unicorn calls its hooks.
    using Function = void(uc_engine*, std::uint64_t address, std::uint32_t bytes, void* user);

    // At one address. Several at the same one are called in the order in which they came.
    void add_at(VirtAddr address, Function* function, void* user);
    // At every instruction: called after those at its address.
    void add_everywhere(Function* function, void* user) { everywhere_.push_back({0, function, user}); }

    // The engine runs from now on, or is to stop: nothing is called any more.
    void begin_run() { stops_ = false; }
    void stop() { stops_ = true; }

    void before_instruction(uc_engine* engine, std::uint64_t address, std::uint32_t bytes) const;

  private:
    struct Hook {
        std::uint64_t address;
        Function* function;
        void* user;
    };
    std::vector<Hook> everywhere_;
    std::vector<Hook> at_;  // by address
    bool stops_ = false;
};

}  // namespace vmcheck::board
