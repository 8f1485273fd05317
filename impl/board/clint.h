#pragma once
// The core-local interruptor (SiFive FU540-C000 manual, chapter 9): one mtime, and per hart mtimecmp and msip.
// It only holds registers; harts look at them when they are told that something changed.

#include "impl/board/clock.h"
#include "impl/board/device.h"

#include <array>
#include <cstdint>
#include <functional>

namespace vmcheck::board {

class Clint final : public Device {
  public:
    struct State {
        std::array<std::uint64_t, kHartsMax> timer_compare{kNever, kNever, kNever};
        std::array<bool, kHartsMax> software_interrupt{};
    };

    // `changed` is called after every write. The clock must outlive this object.
    Clint(Clock& clock, std::function<void()> changed) : clock_(clock), changed_(std::move(changed)) {}

    std::uint64_t read(std::uint64_t offset, unsigned size) override;
    void write(std::uint64_t offset, unsigned size, std::uint64_t value) override;

    State state{};

  private:
    Clock& clock_;
    std::function<void()> changed_;
};

}  // namespace vmcheck::board
