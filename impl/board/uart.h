#pragma once
// A 16550 UART (National Semiconductor PC16550D datasheet, section 8; interrupt behaviour as in QEMU 7.2's
// hw/char/serial.c). Sending takes no time: a byte written to THR is on the console at once, and the transmitter is
// empty again, which raises the THR-empty interrupt where it is enabled. Kernels since 2025 wait for that one after
// every byte.

#include "impl/board/console.h"
#include "impl/board/device.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace vmcheck::board {

class Uart final : public Device {
  public:
    static constexpr std::size_t kReceiveBytesMax = 4096;

    struct State {
        std::uint8_t interrupt_enable = 0;
        std::uint8_t line_control = 0;
        std::uint8_t fifo_control = 0;
        std::uint8_t modem_control = 0;
        std::uint8_t scratch = 0;
        std::uint16_t divisor = 12;  // 9600 baud, as QEMU resets it
        bool transmitter_empty_pending = false;
        std::string received;  // waiting to be read, oldest first
    };

    // Both must outlive this object.
    Uart(Console& console, InterruptLines& lines) : console_(console), lines_(lines) {}

    std::uint64_t read(std::uint64_t offset, unsigned size) override;
    void write(std::uint64_t offset, unsigned size, std::uint64_t value) override;

    // Bytes arrive at the receiver; returns how many fitted.
    std::size_t receive(std::string_view text);

    State state{};

  private:
    bool divisor_access() const;
    bool data_ready() const { return !state.received.empty(); }
    std::uint8_t identify_interrupt();
    void transmit(std::uint8_t byte);
    void enable_interrupts(std::uint8_t value);
    void update_line();

    Console& console_;
    InterruptLines& lines_;
};

}  // namespace vmcheck::board
