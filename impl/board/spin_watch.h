#pragma once
// Notices that a hart goes round in circles: that it comes back to the same place with the same registers, again and
// again. A hart that waits for another one's store (at a spin lock, at boot) does so, and need not be waited for.
//
// A loop that counts in memory only looks alike. That is no harm: its turn ends sooner, and it goes on in the next one.

#include "impl/board/engine.h"
#include "spec/address.h"

#include <array>
#include <cstdint>

namespace vmcheck::board {

class SpinWatch {
  public:
    // A turn begins when so many blocks have been executed.
    void begin(std::uint64_t blocks);
    // The count of blocks at which look() wants to be called next.
    std::uint64_t next_look() const { return next_look_; }
    // Whether the hart goes round in circles. It is about to execute the block at `pc`, after `blocks` others.
    // Requires: blocks >= next_look().
    bool look(std::uint64_t blocks, VirtAddr pc, Engine const& engine);

  private:
    void end_watch(std::uint64_t blocks);

    std::uint64_t next_look_ = 0;
    std::uint64_t pause_ = 0;      // in blocks, between two watches
    std::uint64_t watch_end_ = 0;  // 0: not watching
    // How the hart was when the watch began.
    VirtAddr pc_;
    std::array<std::uint64_t, 32> registers_{};
    unsigned circles_ = 0;
    unsigned near_misses_ = 0;  // the same place with other registers
};

}  // namespace vmcheck::board
