#pragma once
// The platform-level interrupt controller (RISC-V PLIC specification 1.0.0; register layout as in SiFive's), for 31
// sources and two contexts a hart: 2h is M-mode, 2h+1 is S-mode.
//
// As in QEMU 7.2 (hw/intc/sifive_plic.c), a source's pending bit follows each call that sets its line; a line that is
// still high when the interrupt is completed does not pend again by itself. Kernels whose disk handler never
// acknowledges the device live on that.

#include "impl/board/device.h"

#include <array>
#include <cstdint>
#include <functional>

namespace vmcheck::board {

class Plic final : public Device, public InterruptLines {
  public:
    static constexpr unsigned kSources = 32;  // source 0 does not exist
    static constexpr unsigned kContexts = 2 * kHartsMax;

    struct State {
        std::array<std::uint32_t, kSources> priority{};
        std::array<std::uint32_t, kContexts> enabled{};  // a bit per source
        std::array<std::uint32_t, kContexts> threshold{};
        std::uint32_t pending = 0;
        std::uint32_t claimed = 0;
    };

    // `changed` is called whenever an interrupt may have been raised or withdrawn.
    explicit Plic(std::function<void()> changed) : changed_(std::move(changed)) {}

    std::uint64_t read(std::uint64_t offset, unsigned size) override;
    void write(std::uint64_t offset, unsigned size, std::uint64_t value) override;
    void set_line(unsigned source, bool level) override;

    // Whether the S-mode context of this hart has an interrupt to claim: the level of its SEIP.
    bool supervisor_external(unsigned hart) const { return best_source(2 * hart + 1) != 0; }

    State state{};

  private:
    // The pending, enabled, unclaimed source of highest priority above the threshold (lowest number first); 0 if none.
    unsigned best_source(unsigned context) const;
    unsigned claim(unsigned context);

    std::function<void()> changed_;
};

}  // namespace vmcheck::board
