#include "impl/board/uart.h"

#include <algorithm>

namespace vmcheck::board {
namespace {

// Register offsets (PC16550D datasheet, table II).
constexpr std::uint64_t kData = 0;  // RBR on read, THR on write; divisor low with DLAB
constexpr std::uint64_t kInterruptEnable = 1;
constexpr std::uint64_t kInterruptIdentity = 2;  // FCR on write
constexpr std::uint64_t kLineControl = 3;
constexpr std::uint64_t kModemControl = 4;
constexpr std::uint64_t kLineStatus = 5;
constexpr std::uint64_t kModemStatus = 6;
constexpr std::uint64_t kScratch = 7;

constexpr std::uint8_t kEnableReceived = 1 << 0;
constexpr std::uint8_t kEnableTransmitterEmpty = 1 << 1;
constexpr std::uint8_t kDivisorLatchAccess = 1 << 7;
constexpr std::uint8_t kFifoEnable = 1 << 0;
constexpr std::uint8_t kFifoClearReceive = 1 << 1;
constexpr std::uint8_t kStatusDataReady = 1 << 0;
constexpr std::uint8_t kStatusTransmitterEmpty = (1 << 5) | (1 << 6);
constexpr std::uint8_t kIdentityNone = 1;
constexpr std::uint8_t kIdentityTransmitterEmpty = 2;
constexpr std::uint8_t kIdentityReceived = 4;
constexpr std::uint8_t kIdentityFifos = 0xc0;
constexpr std::uint8_t kModemConnected = 0xb0;  // carrier, data set ready, clear to send

}  // namespace

bool Uart::divisor_access() const {
    return (state.line_control & kDivisorLatchAccess) != 0;
}

std::uint64_t Uart::read(std::uint64_t offset, unsigned) {
    switch (offset) {
        case kData: {
            if (divisor_access()) return state.divisor & 0xff;
            if (!data_ready()) return 0;
            auto const byte = static_cast<std::uint8_t>(state.received.front());
            state.received.erase(0, 1);
            update_line();
            return byte;
        }
        case kInterruptEnable:
            return divisor_access() ? state.divisor >> 8 : state.interrupt_enable;
        case kInterruptIdentity:
            return identify_interrupt();
        case kLineControl:
            return state.line_control;
        case kModemControl:
            return state.modem_control;
        case kLineStatus:
            return kStatusTransmitterEmpty | (data_ready() ? kStatusDataReady : 0);
        case kModemStatus:
            return kModemConnected;
        case kScratch:
            return state.scratch;
        default:
            return 0;
    }
}

void Uart::write(std::uint64_t offset, unsigned, std::uint64_t value) {
    auto const byte = static_cast<std::uint8_t>(value);
    switch (offset) {
        case kData:
            if (divisor_access()) {
                state.divisor = static_cast<std::uint16_t>((state.divisor & 0xff00) | byte);
            } else {
                transmit(byte);
            }
            break;
        case kInterruptEnable:
            if (divisor_access()) {
                state.divisor = static_cast<std::uint16_t>((state.divisor & 0xff) | (byte << 8));
            } else {
                enable_interrupts(byte);
            }
            break;
        case kInterruptIdentity:
            if (byte & kFifoClearReceive) state.received.clear();
            state.fifo_control = byte & kFifoEnable;
            update_line();
            break;
        case kLineControl:
            state.line_control = byte;
            break;
        case kModemControl:
            state.modem_control = byte & 0x1f;
            break;
        case kScratch:
            state.scratch = byte;
            break;
        default:
            break;
    }
}

// Reading the identity of a THR-empty interrupt also clears it (datasheet, table IV).
std::uint8_t Uart::identify_interrupt() {
    std::uint8_t const fifos = state.fifo_control & kFifoEnable ? kIdentityFifos : 0;
    if ((state.interrupt_enable & kEnableReceived) && data_ready()) return fifos | kIdentityReceived;
    if ((state.interrupt_enable & kEnableTransmitterEmpty) && state.transmitter_empty_pending) {
        state.transmitter_empty_pending = false;
        update_line();
        return fifos | kIdentityTransmitterEmpty;
    }
    return fifos | kIdentityNone;
}

void Uart::transmit(std::uint8_t byte) {
    console_.put(static_cast<char>(byte));
    state.transmitter_empty_pending = true;
    update_line();
}

// Enabling the THR-empty interrupt while the transmitter is empty (it always is here) raises it, as QEMU does.
void Uart::enable_interrupts(std::uint8_t value) {
    std::uint8_t const changed = (state.interrupt_enable ^ value) & 0x0f;
    state.interrupt_enable = value & 0x0f;
    if (changed & kEnableTransmitterEmpty) {
        state.transmitter_empty_pending = (state.interrupt_enable & kEnableTransmitterEmpty) != 0;
    }
    if (changed != 0) update_line();
}

std::size_t Uart::receive(std::string_view text) {
    std::size_t const count = std::min(text.size(), kReceiveBytesMax - state.received.size());
    state.received.append(text.substr(0, count));
    if (count != 0) update_line();
    return count;
}

void Uart::update_line() {
    bool const received = (state.interrupt_enable & kEnableReceived) && data_ready();
    bool const sent = (state.interrupt_enable & kEnableTransmitterEmpty) && state.transmitter_empty_pending;
    lines_.set_line(kUartSource, received || sent);
}

}  // namespace vmcheck::board
